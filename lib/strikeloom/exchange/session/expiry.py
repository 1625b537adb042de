"""How things end: orders with their session, holdings with their last day, days with the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.position import Position
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

    def _due(self, now: datetime) -> list[tuple[Position, date, int]]:
        """Holdings past the close of their last day: with it, and the value they settle at."""
        found = []
        for position in self._account.mirror.positions.values():
            contract = position.contract
            if not position.net:
                continue
            day = self._feed.last_day(contract.symbol, contract.expiry, position.day)
            if day > now.date() or session(day).close > now:
                continue
            final = self._feed.settlement(contract.symbol, day)
            if final is not None:
                found.append((position, day, final))
        return found

    def _settle(self, now: datetime) -> None:
        """Close ended holdings at their worth; a stock's shares count at their value."""
        for position, day, final in self._due(now):
            worth = intrinsic(position.contract, final)
            cost = settlement_charges(
                position.contract, position.net, worth, self.tariff_day(day)
            ).total
            self._account.add_settlement(position, worth, cost, session(day).close)

    def _begin_day(self, now: datetime) -> None:
        if self._account.money.day < now.date().isoformat():
            self._account.begin_day(now.date())
