"""Catching up with the clock: recorded moments matched in order, releases, expiry, settlement.

The cost of a step grows with the contracts whose quotes changed and have open orders.
"""

from __future__ import annotations

from datetime import datetime

from strikeloom.exchange.account.account import Account
from strikeloom.exchange.orders.hours import is_open
from strikeloom.exchange.session.adjusting import PositionAdjuster
from strikeloom.exchange.session.expiry import ExpiryProcessor
from strikeloom.exchange.session.market_reader import MarketReader
from strikeloom.exchange.session.matcher import Matcher
from strikeloom.exchange.session.square_off import SquareOff
from strikeloom.exchange.session.triggers import TriggerEvaluator
from strikeloom.nse.edges import ending
from strikeloom.ports.feed import RecordedFeed


class Replay:
    """Moves an account from its last matched moment to a later one, in the caller's transaction."""

    def __init__(
        self,
        account: Account,
        market: MarketReader,
        matcher: Matcher,
        expiry: ExpiryProcessor,
        triggers: TriggerEvaluator,
        adjuster: PositionAdjuster,
        square_off: SquareOff,
    ) -> None:
        self._account = account
        self._market = market
        self._matcher = matcher
        self._expiry = expiry
        self._triggers = triggers
        self._adjuster = adjuster
        self._square_off = square_off

    def has_work(self, now: datetime) -> bool:
        """Whether anything may have happened since the account last caught up."""
        mirror = self._account.sync()
        if mirror.money.day < now.date().isoformat() or self._expiry.is_due(now):
            return True
        if self._adjuster.due(now):
            return True
        return self._has_moved(mirror.matched_to, now)

    def _has_moved(self, since: datetime | None, now: datetime) -> bool:
        """Whether quotes, a release or a session's end concern an order or a day's position."""
        book, active = self._account.book, self._account.active.all()
        oldest = book.oldest_day
        if since is not None and since >= now:
            return False
        if oldest is None and not active and not self._square_off.watched_since():
            return False
        if since is None or not isinstance(self._market.feed, RecordedFeed):
            return True
        if oldest is not None and now > ending(oldest):
            return True
        if any(item.lapsed(now) for item in active):
            return True
        due = any(o.release_at is not None and o.release_at <= now for o in book.waiting())
        return due or bool(self._market.feed.moments(since, now))

    def catch_up(self, now: datetime) -> None:
        """Match, release, expire and settle everything up to a moment."""
        since = self._account.matched_to()
        if self._has_moved(since, now):
            first = min(
                [
                    now,
                    *(order.entered_at for order in self._account.book),
                    *(item.created_at for item in self._account.active.all()),
                    *self._square_off.watched_since(),
                ]
            )
            for at, recorded in self._moments(first if since is None else max(first, since), now):
                self._process(at, recorded=recorded)
            self._process(now, present=True)
            self._account.set_matched_to(now)
        self._settle(now)

    def _settle(self, at: datetime) -> None:
        """Adjust and settle what is held, and carry it into the day."""
        self._adjuster.adjust(at)
        if self._expiry.settle(at, self._adjuster.unclear):
            self._adjuster.search_again()
            self._adjuster.adjust(at)
        self._expiry.buy_in(at)
        self._expiry.begin_day(at)

    def _moments(self, after: datetime, before: datetime) -> list[tuple[datetime, bool]]:
        """Moments strictly between two: releases, and recorded snapshots (``True``)."""
        moments: dict[datetime, bool] = {}
        for order in self._account.book.waiting():
            if order.release_at is not None and after < order.release_at < before:
                moments[order.release_at] = False
        if isinstance(self._market.feed, RecordedFeed):
            recorded = self._market.feed.moments(after, before)
            moments |= {at: True for at in recorded if at < before}
        return sorted(moments.items())

    def _process(self, at: datetime, *, recorded: bool = False, present: bool = False) -> None:
        """Everything that happens at one moment; at a mere release no quotes were recorded."""
        self._expiry.expire_orders(at)
        self._settle(at)
        released = self._matcher.release(at)
        if len(self._account.book) and is_open(at):
            quotes, depths = (
                self._market.matchable(
                    self._account.book, self._account.mirror.quotes, at, recorded
                )
                if recorded or present
                else ({}, {})
            )
            for key in sorted(depths):
                self._matcher.match(at, quotes[key], depths[key])
            for number in released:
                self._matcher.end_unrestable(number, at)
        if recorded or present:
            self._triggers.evaluate(at, recorded=recorded)
            self._square_off.close(at, recorded=recorded)
