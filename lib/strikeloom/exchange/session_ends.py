"""How things end: orders with their session, holdings with their expiry, days with the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account import Account
from strikeloom.exchange.position import Position
from strikeloom.nse.charges import settlement_charges
from strikeloom.nse.sessions import session
from strikeloom.nse.settlement import intrinsic
from strikeloom.ports.feed import MarketFeed


class SessionEnds:
    """Ends of an account, within the caller's transaction."""

    def __init__(self, account: Account, feed: MarketFeed, tariff: date | None = None) -> None:
        self._account = account
        self._feed = feed
        self.tariff = tariff

    def tariff_day(self, day: date) -> date:
        """Day whose charges hold."""
        return self.tariff or day

    def _expire(self, now: datetime) -> None:
        oldest = self._account.book.oldest_day
        if oldest is None or now <= session(oldest).close:
            return
        for order in list(self._account.book):
            close = session(order.session_day).close
            if now > close:
                self._account.save(
                    replace(
                        order,
                        state=OrderState.EXPIRED,
                        reason="end of the session",
                        updated_at=close,
                    )
                )

    def _due(self, now: datetime) -> list[Position]:
        """Holdings past their expiry's close whose settlement value is known."""
        today = now.date()
        return [
            position
            for position in self._account.mirror.positions.values()
            if position.contract.expiry <= today
            and position.net
            and session(position.contract.expiry).close <= now
            and self._feed.settlement(position.contract.symbol, position.contract.expiry)
            is not None
        ]

    def _settle(self, now: datetime) -> None:
        """Close expired holdings at their worth; a stock's shares count at their value."""
        for position in self._due(now):
            contract, net = position.contract, position.net
            final = self._feed.settlement(contract.symbol, contract.expiry)
            worth = intrinsic(contract, final or 0)
            day = self.tariff_day(contract.expiry)
            cost = settlement_charges(contract, net, worth, day).total
            close = session(contract.expiry).close
            self._account.add_settlement(position, worth, cost, close)

    def _begin_day(self, now: datetime) -> None:
        if self._account.money.day < now.date().isoformat():
            self._account.begin_day(now.date())
