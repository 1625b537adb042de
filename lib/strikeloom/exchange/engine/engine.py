"""The matching engine: the exchange and the broker's risk desk for one account, in-process.

Deterministic: what happens depends on the account file, the clock and the feed alone. Every
call first catches up with the clock. Each call is one transaction, so several processes may use
one account and never trade the same quote twice.

Orders trade with the depth that the market shows, never with each other: an order that would
meet one of the account's own is ended instead (the exchange's check against self-trades, which
ends the arriving order).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.audit import audit
from strikeloom.exchange.account.balance import Balance, balance
from strikeloom.exchange.account.conversion import convert
from strikeloom.exchange.account.margin_quote import MarginQuote, margin_quote
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.conditional.validation import raise_refusal
from strikeloom.exchange.engine.alert_orders import AlertOrders
from strikeloom.exchange.engine.conditional import ConditionalOrders
from strikeloom.exchange.engine.depository import Depository
from strikeloom.exchange.engine.forever_orders import ForeverOrders
from strikeloom.exchange.engine.profit_rules import ProfitRules
from strikeloom.exchange.engine.super_orders import SuperOrders
from strikeloom.exchange.orders.order import BookOrder, OrderEvent
from strikeloom.exchange.orders.request import Change, ContractList, Placement
from strikeloom.exchange.orders.trade import Trade
from strikeloom.exchange.orders.validation import ORDER, OrderRefusal, input_refusal
from strikeloom.exchange.session.adjusting import FindAdjustments
from strikeloom.exchange.session.session import trading_session
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed
from strikeloom.ports.history import History


class Engine:
    """Orders in, fills out, money kept.

    Parameters
    ----------
    instruments : ContractList, optional
        The exchange's own list: with it, an order in a contract that is not listed, or that
        does not fit the listed lot and tick, is refused.
    charges_day : datetime.date, optional
        Day whose charges apply, for a market older than any fee schedule; default: its own.
    history : History, optional
        Past days, of which alerts take indicators.
    adjustments : callable, optional
        What the exchange made of a held contract; without it contracts are kept.

    Attributes
    ----------
    conditional, super_orders, forever_orders, alert_orders, profit_rules
        The account's conditional orders: all of them, and the calls of each kind.
    depository : Depository
    """

    def __init__(
        self,
        account: Account,
        feed: MarketFeed,
        clock: Clock,
        instruments: ContractList | None = None,
        *,
        charges_day: date | None = None,
        history: History | None = None,
        adjustments: FindAdjustments | None = None,
    ) -> None:
        self._account, self._feed, self._clock = account, feed, clock
        more = instruments, charges_day, history, adjustments
        self._session = trading_session(account, feed, *more)
        self.conditional = ConditionalOrders(self._session, clock)
        self.super_orders = SuperOrders(self._session, self.conditional)
        self.forever_orders = ForeverOrders(self._session, self.conditional)
        self.alert_orders = AlertOrders(self._session, self.conditional)
        self.profit_rules = ProfitRules(self._session, self.conditional)
        self.depository = Depository(self._session, clock)

    # orders

    def place(self, placement: Placement) -> BookOrder:
        """Take an order: match it, let it wait, or reject it. The decision is on record.

        Raises
        ------
        Rejected
            When the input makes no order at all (fact ``code``); nothing is recorded.
        """
        now = self._clock.now()
        raise_refusal(input_refusal(placement, now.date()))
        with self._account.transaction():
            self._session.replay.catch_up(now)
            order = self._session.intake.place(placement, now)
            self._session.triggers.evaluate(now)
            return self._session.intake.order(order.number)

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
            self._session.replay.catch_up(now)
            try:
                self._session.triggers.changeable(number)
                return self._session.intake.change(number, change, now)
            except Rejected as error:  # nothing was changed: what was caught up is kept
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
            self._session.replay.catch_up(now)
            order = self._session.intake.order(number)
            if order.state.terminal:
                return order
            why = OrderRefusal("", "cancelled on request")
            return self._session.intake.end(order, OrderState.CANCELLED, why, now)

    def exit_all(self) -> list[BookOrder]:
        """Cancel every open order, then send market orders against every position."""
        now = self._clock.now()
        with self._account.transaction():
            self._session.replay.catch_up(now)
            return self._session.closer.close_all(now, tuple(Product))

    def kill_switch(self, on: bool) -> None:
        """Refuse new orders for the rest of the day, or take them again.

        Raises
        ------
        Rejected
            When orders are open or positions held (fact ``code``).
        """
        now = self._clock.now()
        with self._account.transaction():
            self._session.replay.catch_up(now)
            held, resting = len(self._account.ledger.open_positions()), len(self._account.book)
            if on and (held or resting):
                needs = "the kill switch needs no position and no open order"
                raise Rejected(f"{needs}; there are {held} and {resting}", code=ORDER)
            self._account.ledger.set_kill_switch(now.date() if on else None)

    @property
    def kill_switch_on(self) -> bool:
        """Whether new orders are refused today."""
        self._account.sync()
        return self._account.money.killed_on == self._clock.now().date().isoformat()

    def convert(self, instrument: Instrument, before: Product, after: Product, units: int) -> None:
        """Move open units of a position to another product, at their cost.

        Raises
        ------
        Rejected
            When fewer units are open, or the instrument is not held so (fact ``code``).
        """
        now = self._clock.now()
        with self._account.transaction():
            self._session.replay.catch_up(now)
            convert(self._account, instrument, before, after, units, now)

    # what the account holds

    def order(self, number: int) -> BookOrder:
        """One order.

        Raises
        ------
        BrokerError
            When the account has no such order.
        """
        self.advance()
        return self._session.intake.order(number)

    def by_correlation(self, correlation_id: str) -> list[BookOrder]:
        """Orders that carry a correlation id, oldest first."""
        self.advance()
        return self._account.orders.by_correlation(correlation_id)

    def orders(self, day: date | None = None) -> list[BookOrder]:
        """All orders of the account, or those open or changed since a day began."""
        self.advance()
        return self._account.orders.all(day)

    def trades(
        self, day: date | None = None, order: int | None = None, *, after: int = 0
    ) -> list[Trade]:
        """Trades and settlements: all, of a day, of an order, or with a later number."""
        self.advance()
        return self._account.ledger.trades(day, order, after=after)

    def positions(self) -> list[NetPosition]:
        """Positions of the day, those closed today included."""
        self.advance()
        return self._account.ledger.positions()

    def holdings(self) -> dict[Instrument, int]:
        """Net units by contract; flat ones are absent."""
        self.advance()
        return self._account.ledger.holdings()

    def balance(self) -> Balance:
        """Money as of now.

        Raises
        ------
        NoQuote
            When the level of an underlying with a sold leg is not known.
        """
        with self._account.lock:
            self.advance()
            return balance(self._account, self._feed, self._clock.now())

    def margin(
        self, placements: Sequence[Placement], *, with_holdings: bool = False
    ) -> MarginQuote:
        """Estimate of what some orders would need together; nothing is placed.

        Parameters
        ----------
        with_holdings : bool, default False
            What they would need more than positions and resting orders do.

        Raises
        ------
        NoQuote
            When the level of an underlying with a sold leg is not known.
        """
        self.advance()
        of, day = (self._account, self._feed, self._clock.now()), self._session.charges_day
        return margin_quote(placements, *of, with_holdings=with_holdings, charges_day=day)

    def charges_day(self, day: date) -> date:
        """Day whose charges apply to trades of a day."""
        return self._session.charges_day or day

    def events(self, after: int = 0, limit: int = 1000) -> list[OrderEvent]:
        """Changes of orders later than event ``after``, in order."""
        self.advance()
        return self._account.orders.events(after, limit)

    def cursor(self, name: str) -> int:
        """Last event that a reader has taken."""
        return self._account.orders.cursor(name)

    def set_cursor(self, name: str, seq: int) -> None:
        """Store how far a reader has come."""
        self._account.orders.set_cursor(name, seq)

    def change_count(self) -> tuple[int, int]:
        """Two numbers of which one differs once orders, trades or positions may have changed."""
        self.advance()
        return self._account.change_count()

    def advance(self) -> None:
        """Bring the account up to the clock; free when there is nothing to do."""
        now = self._clock.now()
        with self._account.lock:
            if self._session.replay.has_work(now):
                with self._account.transaction():
                    self._session.replay.catch_up(now)

    def audit(self) -> None:
        """Compute everything again from the trades and compare.

        Raises
        ------
        StoreError
            When orders, trades, positions or money do not add up; names what differs.
        """
        self.advance()
        audit(self._account)

    def close(self) -> None:
        """Release the account's file."""
        self._account.close()
