"""What an account shows of itself: orders, trades, positions, money, events.

Each look first catches up with the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from strikeloom.domain.instruments import OptionContract
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.audit import audit
from strikeloom.exchange.account.balance import Balance
from strikeloom.exchange.account.margin_check import book_margin, resting_sells, tied_premium
from strikeloom.exchange.account.margin_quote import MarginAnswer, margin_answer
from strikeloom.exchange.account.position import Position
from strikeloom.exchange.conditional.daily_candles import PastDays
from strikeloom.exchange.orders.order import BookOrder, OrderEvent
from strikeloom.exchange.orders.request import Listing, Placement
from strikeloom.exchange.orders.trade import Trade
from strikeloom.exchange.session.triggers import StandingWatch
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed
from strikeloom.ports.history import History


class Reports:
    """The looking half of the engine; parameters as there."""

    def __init__(
        self,
        account: Account,
        feed: MarketFeed,
        clock: Clock,
        instruments: Listing | None = None,
        *,
        tariff: date | None = None,
        history: History | None = None,
    ) -> None:
        self._account = account
        self._feed = feed
        self._clock = clock
        self._walk = StandingWatch(account, feed, instruments, tariff)
        self._walk.days = PastDays(history) if history is not None else None

    def order(self, number: int) -> BookOrder:
        """One order.

        Raises
        ------
        BrokerError
            When the account has no such order.
        """
        self.advance()
        return self._walk.known(number)

    def by_correlation(self, correlation_id: str) -> list[BookOrder]:
        """Orders that carry a correlation id, oldest first."""
        self.advance()
        return self._account.tagged(correlation_id)

    def orders(self, day: date | None = None) -> list[BookOrder]:
        """All orders of the account, or those open or changed since a day began."""
        self.advance()
        return self._account.orders(day)

    def trades(
        self, day: date | None = None, order: int | None = None, *, after: int = 0
    ) -> list[Trade]:
        """Trades and settlements: all, of a day, of an order, or with a later number."""
        self.advance()
        return self._account.trades(day, order, after=after)

    def change_count(self) -> tuple[int, int]:
        """Two numbers of which one differs once orders, trades or positions may have changed."""
        self.advance()
        return self._account.change_count()

    def positions(self) -> list[Position]:
        """Positions of the day, those closed today included."""
        self.advance()
        return self._account.positions()

    def holdings(self) -> dict[OptionContract, int]:
        """Net units by contract; flat ones are absent."""
        self.advance()
        return self._account.holdings()

    def balance(self) -> Balance:
        """Money as of now.

        Raises
        ------
        NoQuote
            When the level of an underlying with a sold leg is not known.
        """
        with self._account.lock:
            self.advance()
            return self._balance(self._clock.now())

    def _balance(self, now: datetime) -> Balance:
        money, held = self._account.money, self._account.holdings()
        bound = Counter(held)
        bound.subtract(resting_sells(self._account))
        margin, resting = book_margin([held, bound], self._feed, now)
        return Balance(
            day_start=money.day_start,
            cash=money.cash,
            margin=margin.total,
            blocked=max(0, resting.total - margin.total) + tied_premium(self._account),
            realised_today=sum(p.realised for p in self._account.positions()),
            charges_today=money.day_charges,
        )

    def margin(
        self, placements: Sequence[Placement], *, with_holdings: bool = False
    ) -> MarginAnswer:
        """Estimate of what some orders would need together; nothing is placed.

        Parameters
        ----------
        with_holdings : bool, default False
            What they would need more than what is held and rests.

        Raises
        ------
        NoQuote
            When the level of an underlying with a sold leg is not known.
        """
        self.advance()
        return margin_answer(
            placements,
            self._account,
            self._feed,
            self._clock.now(),
            with_holdings=with_holdings,
            tariff=self._walk.tariff,
        )

    def events(self, after: int = 0, limit: int = 1000) -> list[OrderEvent]:
        """Changes of orders later than event ``after``, in order."""
        self.advance()
        return self._account.events(after, limit)

    def cursor(self, name: str) -> int:
        """Last event that a reader said it has taken."""
        return self._account.cursor(name)

    def set_cursor(self, name: str, seq: int) -> None:
        """Keep how far a reader has come."""
        self._account.set_cursor(name, seq)

    def advance(self) -> None:
        """Bring the account up to the clock; free when there is nothing to do."""
        now = self._clock.now()
        with self._account.lock:
            if self._walk.has_work(now):
                with self._account.transaction():
                    self._walk.catch_up(now)

    def audit(self) -> None:
        """Work everything out anew from the trades and compare.

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

    def tariff_day(self, day: date) -> date:
        """Day whose charges hold for trades of a day."""
        return self._walk.tariff_day(day)

    @property
    def kill_switch_on(self) -> bool:
        """Whether new orders are refused today."""
        self._account.sync()
        return self._account.money.killed_on == self._clock.now().date().isoformat()
