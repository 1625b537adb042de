"""Shares that change hands when stock contracts end, and the buying in of those not there."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import date, datetime

from strikeloom.domain.instruments import Share
from strikeloom.domain.money import rupees_text
from strikeloom.domain.orders import FillKind
from strikeloom.domain.products import Product
from strikeloom.errors import NoQuote
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.short_delivery import ShortDelivery, close_out_price
from strikeloom.nse.charges import depository_charge
from strikeloom.nse.edges import ending
from strikeloom.nse.settlement import Delivery
from strikeloom.ports.feed import MarketFeed

_LOG = logging.getLogger(__name__)


class ShareDeliverer:
    """Books shares received and delivered at the final value, within the caller's transaction.

    What is held on the last day counts, shares bought that day included: obligations of both
    markets are netted (SEBI/HO/MRD2_DCAP/P/CIR/2022/165, since the expiry of March 2023). The
    contract itself is settled in cash, so that both together cost the strike of an option, or the
    final value of a future.
    """

    def __init__(self, account: Account, feed: MarketFeed, charges_day: date | None = None) -> None:
        self._account = account
        self._feed = feed
        self._charges_day = charges_day

    def deliver(self, delivery: Delivery, final: int, day: date) -> None:
        """Book the shares of one underlying and expiry.

        Parameters
        ----------
        final : int
            Final value in paise.
        day : datetime.date
            Last day of the contracts.
        """
        known = self._account.ledger.position(Share(delivery.symbol).key, Product.CNC)
        share = known.instrument if known else Share(delivery.symbol)
        if not isinstance(share, Share):
            return
        there = min(-delivery.shares, max(0, known.net if known else 0))
        leaves = there > 0 and self._account.shares.takes_first(share, there, day)
        cost = depository_charge(self._charges_day or day) if leaves else 0
        at = ending(day)
        self._account.ledger.add_shares(share, delivery.shares, final, cost, at, FillKind.DELIVERY)
        lacking = -delivery.shares - there
        if lacking > 0:
            self._account.shares.owe(share, lacking, final, day)
            _LOG.warning(
                "short delivery: %d of %d %s shares were not there on %s; the exchange buys them "
                "in on the next session and closes them out at 20 %% above its close or more",
                lacking, -delivery.shares, delivery.symbol, day,
            )  # fmt: skip

    def is_due(self, now: datetime) -> bool:
        """Whether owed shares can be bought in."""
        return any(
            self._last(short, now) is not None for short in self._account.mirror.owed.values()
        )

    def buy_in(self, now: datetime, before: date = date.max) -> bool:
        """Buy in the owed shares whose auction is over, and was before a day; whether any were."""
        found = False
        for short in self._account.shares.owed():
            last = self._last(short, now)
            if last is None or short.auction_day >= before:
                continue
            found = True
            price, at = close_out_price(short.price, last), ending(short.auction_day)
            self._account.ledger.add_shares(short.share, short.units, price, 0, at, FillKind.BUY_IN)
            self._account.shares.bought_in(short, at)
            _LOG.warning(
                "%d %s shares that were not delivered on %s were bought in at %s each",
                short.units, short.share.symbol, short.day, rupees_text(price),
            )  # fmt: skip
        return found

    def _last(self, short: ShortDelivery, now: datetime) -> int | None:
        """Close of the share on the day of its auction; the latest level where that is lost."""
        day = short.auction_day
        if ending(day) > now:
            return None
        close = self._feed.settlement(short.share.symbol, day)
        if close is None:
            with suppress(NoQuote):
                level, at = self._feed.spot(short.share.symbol)
                close = level if at.date() >= day else None
        return close
