"""A market that trades at a steady rate, to load the feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from strikeloom.exchange.market.columns import Ints, QuoteColumns
from strikeloom.exchange.market.views import View
from strikeloom.exchange.server.market_wrapper import MarketWrapper
from strikeloom.exchange.server.served_market import ServedMarket

_SWING = 20  # ticks that the last price rises before it starts again


class LoadMarket(MarketWrapper):
    """Trades of one lot each, in rotation over all subscribed rows with a price.

    Each adds a lot to the day's volume, so a reader can count the trades it received: volume
    over lot size is a sequence number. Bid and ask are those of the wrapped market, and no order
    fills against these trades.

    Parameters
    ----------
    per_second : float
        Trades in a second of ``seconds``.
    """

    def __init__(
        self,
        market: ServedMarket,
        per_second: float,
        seconds: Callable[[], float],
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(market)
        self._per_second, self._seconds = per_second, seconds
        self._begun, self._made, self._turn = seconds(), 0, 0
        self._trades = np.zeros(len(market.listed), dtype=np.int64)
        self._lot = np.array([item.instrument.lot_size for item in market.listed], dtype=np.int64)
        self._tick = np.array([item.instrument.tick for item in market.listed], dtype=np.int64)
        self._order = np.random.default_rng(seed).permutation(len(market.listed))

    @property
    def made(self) -> int:
        """Trades so far."""
        return self._made

    def trades(self, row: int) -> int:
        """Trades of a row so far."""
        return int(self._trades[row])

    def columns(self, rows: Ints) -> QuoteColumns | None:
        """Columns, with the trades that are due by now."""
        found = self._market.columns(rows)
        if found is None or not len(rows):
            return found
        self._trade(rows[(found.last > 0) | (found.bid > 0)])
        count = self._trades[rows]
        price = np.where(found.last > 0, found.last, found.bid)
        last = np.where(count > 0, price + count % _SWING * self._tick[rows], found.last)
        return replace(found, last=last, volume=found.volume + count * self._lot[rows])

    def views(self, keys: Iterable[str]) -> dict[str, View]:
        """Views, with the trades made so far."""
        shown = {}
        for key, view in self._market.views(keys).items():
            row, quote = view.listed.row, view.quote
            count, lot = int(self._trades[row]), int(self._lot[row])
            base = quote.last or quote.bid
            if not count or base is None:
                shown[key] = view
                continue
            last = base + count % _SWING * int(self._tick[row])
            busy = replace(quote, last=last, volume=quote.volume + count * lot)
            shown[key] = replace(view, quote=busy, last_units=lot, last_at=quote.at)
        return shown

    def _trade(self, rows: Ints) -> None:
        due = int((self._seconds() - self._begun) * self._per_second) - self._made
        if due <= 0 or not len(rows):
            return
        turn = rows[np.argsort(self._order[rows], kind="stable")]
        places = (self._turn + np.arange(due)) % len(turn)
        np.add.at(self._trades, turn[places], 1)
        self._turn = int((self._turn + due) % len(turn))
        self._made += due
