"""Shares of an account in the depository, and the cash settlements of its futures."""

from __future__ import annotations

from datetime import date

from strikeloom.exchange.account.share_records import ShareHolding
from strikeloom.exchange.account.short_delivery import ShortDelivery
from strikeloom.exchange.account.variation import Variation
from strikeloom.exchange.session.session import TradingSession
from strikeloom.ports.clock import Clock


class Depository:
    """What one account holds beside its positions. Every call first catches up with the clock."""

    def __init__(self, session: TradingSession, clock: Clock) -> None:
        self._session = session
        self._account = session.account
        self._clock = clock

    def holdings(self) -> list[ShareHolding]:
        """Shares carried into the day, by symbol; those bought today are positions."""
        with self._account.transaction():
            self._session.replay.catch_up(self._clock.now())
            return self._account.shares.holdings()

    def owed(self) -> list[ShortDelivery]:
        """Shares that were to be delivered and not there, until they are bought in."""
        with self._account.transaction():
            self._session.replay.catch_up(self._clock.now())
            return self._account.shares.owed()

    def settlements(self, day: date | None = None) -> list[Variation]:
        """Cash settlements of futures, oldest first: all, or those of one day."""
        with self._account.transaction():
            self._session.replay.catch_up(self._clock.now())
            return self._account.variation.all(day)
