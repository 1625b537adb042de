"""Futures settled in cash after each session, in order of days, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from strikeloom.domain.instruments import FutureContract
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.position import NetPosition
from strikeloom.nse.edges import ending, expected_after, expected_days
from strikeloom.ports.feed import MarketFeed


class DailySettler:
    """Pays and receives what futures moved, up to the day before their last.

    A day is settled once its price is known. One whose price never becomes known is settled with
    the next: the sum is the same. A future that was closed in the day needs no price.
    """

    def __init__(self, account: Account, feed: MarketFeed) -> None:
        self._account = account
        self._feed = feed

    def is_due(self, now: datetime) -> bool:
        """Whether a settlement can be booked."""
        return any(
            self._price(position, day) is not None
            for position in self._account.mirror.positions.values()
            for day in self._open_days(position, now)
        )

    def settle(self, now: datetime, without: Collection[str] = ()) -> None:
        """Settle every day that is over.

        Parameters
        ----------
        without : collection of str
            Keys of futures of which it is not known yet whether they were adjusted.
        """
        held = self._account.mirror.positions.values()
        for position in [it for it in held if isinstance(it.instrument, FutureContract)]:
            if position.instrument.key not in without:
                self._settle(position, now, None)

    def settle_until(self, position: NetPosition, day: date, now: datetime) -> NetPosition:
        """Settle one future for the days before a day; the position as it is then."""
        return self._settle(position, now, day)

    def _settle(self, position: NetPosition, now: datetime, until: date | None) -> NetPosition:
        for day in self._open_days(position, now):
            price = self._price(position, day)
            if price is not None and (until is None or day < until):
                position = self._account.variation.settle(position, day, price, now)
        return position

    def _open_days(self, position: NetPosition, now: datetime) -> list[date]:
        """Sessions that are over and for which a future is not settled."""
        future, today = position.instrument, now.date()
        if not isinstance(future, FutureContract):
            return []
        since = position.settled_on
        first = position.day if since is None else expected_after(since)
        if first > today or ending(first) > now:
            return []
        last = self._feed.last_day(future.symbol, future.expiry, position.day)
        over = [day for day in expected_days(first, today) if ending(day) <= now]
        # on its last day it ends at the underlying's value, unless it was closed before that
        return [day for day in over if day < last or (day == last and not position.net)]

    def _price(self, position: NetPosition, day: date) -> int | None:
        future = position.instrument
        if not isinstance(future, FutureContract):
            return None
        late = day < position.day
        price = self._feed.daily_settlement(future, day)
        if price is None and not (position.carried_units if late else position.net):
            return 0  # closed: the price does not count
        return price
