"""The matching engine: an exchange and a broker's risk desk for one account, in-process.

Deterministic: what happens depends on the account file, the clock and the feed alone. Whenever
the engine is asked anything it first catches up with the clock. Each call is one transaction,
so several processes may use one account and never trade the same quote twice.

Orders trade with the depth that the market shows, never with each other: an order that would
meet one of the account's own is ended instead (the exchange's check against self-trades, which
ends the arriving order).
"""

from __future__ import annotations

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.orders import OrderState
from strikeloom.errors import Rejected
from strikeloom.exchange.account.position import Position
from strikeloom.exchange.engine.conditional import StandingDesk
from strikeloom.exchange.engine.reports import Reports
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Change, Placement, Product
from strikeloom.exchange.orders.validation import (
    INPUT,
    ORDER,
    Refusal,
    input_refusal,
)


class Engine(Reports):
    """Orders in, fills out, money kept.

    Parameters
    ----------
    instruments : Listing, optional
        The exchange's own list: with it, an order in a contract that is not listed, or that
        does not fit the listed lot and tick, is refused.
    tariff : datetime.date, optional
        Day whose charges hold, for a market that is older than any tariff on record; default:
        each day its own.
    history : History, optional
        Past days, of which alerts take indicators.
    """

    @property
    def standing(self) -> StandingDesk:
        """Super orders, forever orders, alerts, exits at a profit or loss."""
        return StandingDesk(self._account, self._walk, self._clock)

    # orders

    def place(self, placement: Placement) -> BookOrder:
        """Take an order: match it, let it wait, or reject it. What was decided is on record.

        Raises
        ------
        Rejected
            When the input makes no order at all (fact ``code``); nothing is recorded.
        """
        now = self._clock.now()
        wrong = input_refusal(placement, now.date())
        if wrong:
            raise Rejected(wrong.reason, code=wrong.code)
        with self._account.transaction():
            self._walk.catch_up(now)
            order = self._walk.take(placement, now)
            self._walk.tend(now)
            return self._walk.known(order.number)

    def modify(self, number: int, change: Change) -> BookOrder:
        """Change an open order; it keeps its place in time unless price or size ask for more.

        Raises
        ------
        Rejected
            When the change is refused (fact ``code``); the order is as it was.
        BrokerError
            When the account has no such order.
        """
        now = self._clock.now()
        with self._account.transaction():
            self._walk.catch_up(now)
            try:
                self._walk.own(number)
                return self._walk.change(number, change, now)
            except Rejected as error:  # nothing was changed: what was caught up stays
                refused = error
        raise refused

    def cancel(self, number: int) -> BookOrder:
        """Cancel what is left; an order that is already terminal is answered as it is.

        Raises
        ------
        BrokerError
            When the account has no such order.
        """
        now = self._clock.now()
        with self._account.transaction():
            self._walk.catch_up(now)
            order = self._walk.known(number)
            if order.state.terminal:
                return order
            done = Refusal("", "cancelled on request")
            return self._walk.end(order, OrderState.CANCELLED, done, now)

    def exit_all(self) -> list[BookOrder]:
        """Cancel every open order, then send market orders against every position."""
        now = self._clock.now()
        with self._account.transaction():
            self._walk.catch_up(now)
            return self._walk.leave(now, tuple(Product))

    def kill_switch(self, on: bool) -> None:
        """Refuse new orders for the rest of the day, or take them again.

        Raises
        ------
        Rejected
            When orders are open or positions held (fact ``code``).
        """
        now = self._clock.now()
        with self._account.transaction():
            self._walk.catch_up(now)
            held = len(self._account.holdings())
            if on and (held or len(self._account.book)):
                raise Rejected(
                    f"the kill switch needs no position and no open order; there are {held} and "
                    f"{len(self._account.book)}",
                    code=ORDER,
                )
            self._account.kill(now.date() if on else None)

    def convert(
        self, contract: OptionContract, before: Product, after: Product, units: int
    ) -> None:
        """Move open units of a position to another product, at their cost.

        Raises
        ------
        Rejected
            When fewer units are open, or both products are the same (fact ``code``).
        """
        if before is after:
            raise Rejected(f"{contract.label} is held as {after} already", code=INPUT)
        now = self._clock.now()
        with self._account.transaction():
            self._walk.catch_up(now)
            held = self._account.position(contract.key, before)
            held = held or Position(contract, before, now.date())
            stays, moved = held.split(units)
            there = self._account.position(contract.key, after)
            there = there or Position(contract, after, now.date())
            for position in (stays, there.joined(moved)):
                self._account.keep_position(position)
            self._account.note_conversion(held, after, units, now)
