"""Closing everything when the day's profit or loss reaches a limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.domain.products import Product
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.records import (
    ConditionalOrder,
    ConditionalState,
    ProfitRule,
)
from strikeloom.exchange.orders.validation import reference_price
from strikeloom.exchange.session.closing import Closer
from strikeloom.ports.feed import MarketFeed


class ProfitExit:
    """Profit and loss rules of one account, within the caller's transaction."""

    def __init__(self, account: Account, feed: MarketFeed, closer: Closer) -> None:
        self._account = account
        self._feed = feed
        self._closer = closer

    def advance(self, item: ConditionalOrder, rule: ProfitRule, at: datetime) -> bool:
        """Close all when the limit is reached; once flat, stop trading if the rule requires it.

        Returns
        -------
        bool
            Whether anything was done.
        """
        if item.triggered_at is None:
            if not self._is_reached(rule):
                return False
            self._account.conditional.save(replace(item, triggered_at=at, updated_at=at))
            self._closer.close_all(at, rule.products)
            return True
        flat = not self._account.ledger.open_positions() and not len(self._account.book)
        if rule.kill and not flat:
            return False
        if rule.kill:
            self._account.ledger.set_kill_switch(at.date())
        self._account.conditional.save(
            replace(item, state=ConditionalState.TRIGGERED, updated_at=at)
        )
        return True

    def _is_reached(self, rule: ProfitRule) -> bool:
        made = self._profit(rule.products)
        return made is not None and (
            (rule.profit > 0 and made >= rule.profit) or (rule.loss > 0 and made <= -rule.loss)
        )

    def _profit(self, products: tuple[Product, ...]) -> int | None:
        """Paise made by the day's positions of some products, before charges.

        ``None`` when a position has no price.
        """
        mine = [p for p in self._account.ledger.positions() if p.product in products]
        quotes = self._feed.quotes([p.instrument for p in mine if p.net])
        made = 0
        for position in mine:
            mark = reference_price(quotes.get(position.instrument.key)) if position.net else 0
            if mark is None:
                return None
            made += position.sell_value - position.buy_value + position.net * mark
        return made
