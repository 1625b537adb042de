"""The matching engine: an exchange and a broker's risk desk for one account, in-process.

Deterministic: what happens depends on the account file, the clock and the feed alone. Whenever
the engine is asked anything it first catches up with the clock. Each call is one transaction,
so several processes may use one account and never trade the same quote twice.

Orders trade with the depth that the market shows, never with each other: an order that would
meet one of the account's own is ended instead (the exchange's check against self-trades, which
ends the arriving order).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.errors import DataError, Rejected
from strikeloom.exchange.hours import is_open
from strikeloom.exchange.order import BookOrder
from strikeloom.exchange.placement import Change, OrderType, Placement, Product
from strikeloom.exchange.position import Position
from strikeloom.exchange.reports import Reports
from strikeloom.exchange.rules import (
    INPUT,
    MARKET_CLOSED,
    ORDER,
    Refusal,
    input_refusal,
)
from strikeloom.exchange.typed import changed
from strikeloom.nse.freeze import freeze_units, slices


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
    """

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
            return self._walk.take(placement, now)

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
            before = self._walk.known(number)
            quote = self._walk.quote(before.contract, now)
            after, refusal = before, _ended(before, now)
            if refusal is None:
                after, refusal = changed(before, change, quote, now)
            refusal = refusal or self._walk.refusal(after, now, quote, before)
            if refusal is None:
                if after.rank != before.rank:
                    after = replace(after, rank=self._account.next_rank())
                if after.waits_for_release:
                    return self._account.save(after)
                return self._walk.enter(replace(after, exchange_at=now), now)
        raise Rejected(
            f"{before.contract.label}: {refusal.reason}",
            code=refusal.code,
            order_id=before.order_id,
        )

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
        """Cancel every open order, then send market orders against every position.

        What is short is bought back first: a hedge sold from above its short would need the
        margin of a naked one. A position above the freeze quantity goes out in slices.
        """
        self.advance()
        for order in self._account.book:
            self.cancel(order.number)
        held = sorted(self._account.positions(), key=lambda position: position.net > 0)
        return [
            self.place(
                Placement(
                    position.contract,
                    Side.SELL if position.net > 0 else Side.BUY,
                    units,
                    OrderType.MARKET,
                    product=position.product,
                )
            )
            for position in held
            if position.net
            for units in self._slices(position.contract, abs(position.net))
        ]

    def _slices(self, contract: OptionContract, units: int) -> list[int]:
        freeze = freeze_units(contract.symbol, self._clock.now().date())
        try:
            return slices(units, contract.lot_size, freeze)
        except DataError:
            return [units]  # no whole lots, or a lot is frozen: the order's refusal says so

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


def _ended(order: BookOrder, now: datetime) -> Refusal | None:
    """Why an order that is over cannot be changed."""
    if not order.state.terminal:
        return None
    return Refusal(ORDER, f"the order is {order.state}" if is_open(now) else MARKET_CLOSED)
