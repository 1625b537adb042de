"""Catching up with the clock: snapshots matched in turn, orders released, expired and settled.

What a step costs goes with the contracts whose quotes changed and have open orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState, Validity
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.orders.book import ContractBook
from strikeloom.exchange.orders.hours import is_open
from strikeloom.exchange.orders.limit_conversion import limited
from strikeloom.exchange.orders.matching import match
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import OrderType
from strikeloom.exchange.orders.validation import price_refusal
from strikeloom.exchange.session.expiry import SessionEnds
from strikeloom.nse.charges import trade_charges
from strikeloom.nse.sessions import session
from strikeloom.ports.feed import DepthFeed, RecordedFeed

Quotes = dict[str, Quote]
Depths = dict[str, Depth]


class SessionWalk(SessionEnds):
    """Moves an account from where it stands to a later moment, within the caller's transaction."""

    # what the market shows

    def quote(self, contract: OptionContract, now: datetime) -> Quote | None:
        """Quote of a contract now; one of an earlier session is what the market was."""
        found = self._feed.quotes([contract]).get(contract.key)
        return found if found and found.at.date() == now.date() else None

    def _quote_at(self, contract: OptionContract, at: datetime) -> Quote | None:
        """Quote of a contract as it was at a moment of the day, not as it has become since."""
        feed = self._feed
        if not isinstance(feed, RecordedFeed):
            return self.quote(contract, at)
        opened = session(at.date()).open
        past = feed.moments(opened - timedelta(microseconds=1), at)
        return feed.quotes_at(past[-1], [contract]).get(contract.key) if past else None

    def band(self, contract: OptionContract) -> tuple[int, int] | None:
        """Lowest and highest price of the day, where the market says."""
        return self._feed.band(contract) if isinstance(self._feed, DepthFeed) else None

    def _shown(self, at: datetime, recorded: bool) -> tuple[Quotes, Depths]:
        """Quotes of the contracts with open orders, and depth where a new one meets an order."""
        books = {entry.contract.key: entry for entry in self._account.book.contracts()}
        contracts = [entry.contract for entry in books.values()]
        if not contracts:
            return {}, {}
        quotes = self._now_or_then(contracts, at, recorded)
        opened, before = session(at.date()).open, self._account.mirror.quotes
        met = [
            books[key].contract
            for key, quote in quotes.items()
            if quote.at >= opened  # else it is what the market was
            and _concerns(quote, books[key])
            and before.get(key) != quote
        ]
        return quotes, self._depths(met, quotes, at if recorded else None)

    def _now_or_then(
        self, contracts: Sequence[OptionContract], at: datetime, recorded: bool
    ) -> Quotes:
        if recorded and isinstance(self._feed, RecordedFeed):
            return self._feed.quotes_at(at, contracts)
        return self._feed.quotes(contracts)

    def _depths(
        self, contracts: list[OptionContract], quotes: Quotes, recorded_at: datetime | None
    ) -> Depths:
        feed = self._feed
        if not contracts or not isinstance(feed, DepthFeed):
            return {c.key: Depth.of_quote(quotes[c.key]) for c in contracts}
        if recorded_at is not None:
            return feed.depths_at(recorded_at, contracts)
        return feed.depths(contracts)

    # the walk

    def has_work(self, now: datetime) -> bool:
        """Whether anything may have happened since the account was last looked at."""
        mirror = self._account.sync()
        if mirror.money.day < now.date().isoformat() or self._due(now):
            return True
        return self._moved(mirror.matched_to, now)

    def _moved(self, since: datetime | None, now: datetime) -> bool:
        """Whether quotes, a release or the end of a session concern an open order."""
        book, stands = self._account.book, self._account.mirror.standing.active()
        oldest = book.oldest_day
        if (oldest is None and not stands) or (since is not None and since >= now):
            return False
        if since is None or not isinstance(self._feed, RecordedFeed):
            return True
        if oldest is not None and now > session(oldest).close:
            return True
        if any(item.lapsed(now) for item in stands):
            return True
        due = any(o.release_at is not None and o.release_at <= now for o in book.waiting())
        return due or bool(self._feed.moments(since, now))

    def catch_up(self, now: datetime) -> None:
        """Match, release, expire and settle everything up to a moment."""
        since = self._account.matched_to()
        if self._moved(since, now):
            first = min(
                *(order.entered_at for order in self._account.book),
                *(item.created_at for item in self._account.mirror.standing.active()),
                now,
            )
            for at, recorded in self._stops(first if since is None else max(first, since), now):
                self._pass(at, recorded=recorded)
            self._pass(now, present=True)
            self._account.note_matched(now)
        self._settle(now)
        self._begin_day(now)

    def _stops(self, after: datetime, before: datetime) -> list[tuple[datetime, bool]]:
        """Moments strictly between two: releases, and recorded snapshots (``True``)."""
        found: dict[datetime, bool] = {}
        for order in self._account.book.waiting():
            if order.release_at is not None and after < order.release_at < before:
                found[order.release_at] = False
        if isinstance(self._feed, RecordedFeed):
            found |= {at: True for at in self._feed.moments(after, before) if at < before}
        return sorted(found.items())

    def _pass(self, at: datetime, *, recorded: bool = False, present: bool = False) -> None:
        """Everything that happens at one moment; of a mere release nothing was recorded."""
        self._expire(at)
        self._settle(at)
        self._begin_day(at)
        released = self._release(at)
        if len(self._account.book) and is_open(at):
            quotes, depths = self._shown(at, recorded) if recorded or present else ({}, {})
            for key in sorted(depths):
                self._match(at, quotes[key], depths[key])
            for number in released:
                self.finish(number, at)
        if recorded or present:
            self.tend(at, recorded=recorded)

    def tend(self, at: datetime, *, recorded: bool = False) -> None:
        """Look after what stands over orders; of itself a walk has nothing of the kind."""

    def _release(self, at: datetime) -> list[int]:
        """Send to the exchange what was given after the market; returns the orders sent."""
        sent = []
        for order in self._account.book.waiting():
            if order.release_at is None or order.release_at > at:
                continue
            quote = self._quote_at(order.contract, at)
            asked = replace(order, order_type=order.asked_type, trigger=order.trigger)
            priced = limited(asked, quote)[0] if order.asked_type is OrderType.MARKET else order
            if priced.order_type is OrderType.MARKET:
                priced = order  # nothing to protect it with yet: the evening's limit holds
            active = replace(
                priced,
                entered_at=order.release_at,
                exchange_at=order.release_at,
                updated_at=order.release_at,
                rank=self._account.next_rank(),
            )
            self._judged(active, quote, order.release_at.date())
            self._account.mirror.quotes.pop(order.contract.key, None)
            sent.append(order.number)
        return sent

    def match_contract(
        self, contract: OptionContract, at: datetime, *, recorded: bool = False
    ) -> None:
        """Match the open orders of one contract against what is shown, now or at a moment."""
        quote = self._now_or_then([contract], at, recorded).get(contract.key)
        if quote is None or not is_open(at) or quote.at < session(at.date()).open:
            return
        shown = {contract.key: quote}
        depth = self._depths([contract], shown, at if recorded else None)
        self._match(at, quote, depth[contract.key])

    def _match(self, at: datetime, quote: Quote, depth: Depth) -> None:
        """Trade the open orders of a contract, best price and then oldest first."""
        key = quote.key
        triggered = self._trigger(at, quote)
        for side in Side:
            taken: int | None = None
            for order in self._account.book.active(key, side):
                if order.entered_at > at:
                    continue
                if not _reaches(order, depth):
                    break
                if taken is None:
                    taken = self._account.taken(key, side, depth.at)
                taken += self._fill(order, depth, taken, at)
        for number in triggered:
            self.finish(number, at)
        self._account.mirror.quotes[key] = quote

    def _fill(self, order: BookOrder, depth: Depth, taken: int, at: datetime) -> int:
        """Trade an order as far as the depth goes; returns the units traded."""
        units = 0
        for found in match(order, depth, taken):
            cost = trade_charges(
                order.side,
                found.units,
                found.price,
                self.tariff_day(at.date()),
                first_fill=not order.filled,
            )
            order = self._account.add_fill(
                order, found.units, found.price, cost.total, at, depth.at
            )
            units += found.units
        return units

    def _trigger(self, at: datetime, quote: Quote) -> list[int]:
        """Let the stops go whose trigger the last trade has reached; returns them."""
        gone: list[int] = []
        for order in self._account.book.stops(quote.key):
            if quote.last is None or order.entered_at > at:
                continue
            if (quote.last - order.trigger) * int(order.side) < 0:
                continue
            free = replace(
                order,
                triggered=True,
                entered_at=at,
                updated_at=at,
                exchange_at=at,
                rank=self._account.next_rank(),
            )
            self._judged(free, quote, at.date())
            gone.append(order.number)
        return gone

    def _judged(self, order: BookOrder, quote: Quote | None, day: date) -> None:
        """Keep an order as it arrives at the market, or as the price rules refuse it there."""
        wrong = price_refusal(order, quote, self.band(order.contract), day)
        if wrong:
            order = replace(order, state=OrderState.REJECTED, code=wrong.code, reason=wrong.reason)
        self._account.save(order)

    def finish(self, number: int, at: datetime) -> None:
        """End what may not rest of an order that has just arrived: IOC, and self-trades."""
        order = self._account.book.get(number)
        if order is None or order.waits_for_trigger or order.waits_for_release:
            return
        why = "unfilled part of an IOC order" if order.validity is Validity.IOC else ""
        mine = self._account.book.contract(order.contract.key)
        facing = mine.best(order.side.opposite) if mine else None
        if not why and facing is not None and (order.limit - facing) * int(order.side) >= 0:
            why = "self-trade prevention: it would meet another order of this account"
        if why:
            self._account.save(
                replace(order, state=OrderState.CANCELLED, code="EXCH", reason=why, updated_at=at)
            )


def _reaches(order: BookOrder, depth: Depth) -> bool:
    """Whether the limit reaches the other side's best price."""
    levels = depth.asks if order.side is Side.BUY else depth.bids
    return bool(levels) and (order.limit - levels[0].price) * int(order.side) >= 0


def _concerns(quote: Quote, book: ContractBook) -> bool:
    """Whether a quote reaches the best order of a side, or a stop may hear of it."""
    if book.stops:
        return True
    buy, sell = book.best(Side.BUY), book.best(Side.SELL)
    return (buy is not None and quote.ask is not None and buy >= quote.ask) or (
        sell is not None and quote.bid is not None and sell <= quote.bid
    )
