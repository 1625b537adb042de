"""Ticks of options, futures and shares by day, from the closes of the exchange's monthly review.

Where that close is not stored, a traded price off the coarser tick shows the finer one. Futures and
shares have more than two ticks: they then have that of the last stored close of the month, or the
finer one that its traded prices show.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import FUTURE_RIGHT, SHARE_RIGHT, InstrumentKind
from strikeloom.domain.money import PAISE_PER_RUPEE, paise
from strikeloom.nse.ticks import future_tick, option_tick, review_day, share_tick
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

_REVIEWS_KEPT = 4
_UNITS_KEPT = 2048
_BELOW_ANY_LIMIT = 0
#: Ticks of futures and shares in paise, descending.
_UNIT_TICKS = (500, 100, 50, 20, 10, 5, 1)
_PRICES = ["open", "high", "low", "close"]


class DatedTicks:
    """Price steps over a history; the closes of a review are read once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._reviewed = lru_cache(maxsize=_REVIEWS_KEPT)(self._closes)
        self._unit = lru_cache(maxsize=_UNITS_KEPT)(self._unit_tick)
        self._indices = lru_cache(maxsize=_REVIEWS_KEPT)(self._index_closes)
        self._seen = lru_cache(maxsize=2 * _REVIEWS_KEPT)(self._steps)
        self._off_tick = lru_cache(maxsize=_REVIEWS_KEPT)(self._traded_off)

    def tick(self, symbol: str, kind: InstrumentKind, day: date, right: str = "") -> int:
        """Price step in paise of every option on an underlying, as of a day.

        With ``right`` XX that of its futures, with EQ that of its share.

        The coarser one where neither the close that decided it nor a price of the month that is
        off it is stored.
        """
        if right in (FUTURE_RIGHT, SHARE_RIGHT):
            return self._unit(symbol, kind, day, right)
        coarse = option_tick(kind, None, day)
        if kind is InstrumentKind.INDEX:
            return coarse
        level = self._reviewed(review_day(day)).get(symbol)
        if level is None and symbol in self._off_tick(self._last_of_month(day), coarse):
            level = _BELOW_ANY_LIMIT
        return option_tick(kind, level, day)

    def _unit_tick(self, symbol: str, kind: InstrumentKind, day: date, right: str) -> int:
        """Price step of the futures on an underlying, or of its share."""

        def by(level: int | None) -> int:
            return share_tick(level, day) if right == SHARE_RIGHT else future_tick(kind, level, day)

        closes = self._reviewed if kind is InstrumentKind.STOCK else self._indices
        level = closes(review_day(day)).get(symbol)
        if level is not None:
            return by(level)
        last = self._last_of_month(day)
        if last is None:
            return by(None)
        tick, step = by(closes(last).get(symbol)), self._seen(last, right).get(symbol, 0)
        while tick > 1 and step % tick:  # its prices were off this tick
            tick = next(finer for finer in _UNIT_TICKS if finer < tick)
        return tick

    def _last_of_month(self, day: date) -> date | None:
        """Last stored day up to a day within its month; ``None`` when there is none."""
        days = self._history.days()
        found = days[bisect_right(days, day) - 1] if days and days[0] <= day else None
        return found if found and found >= day.replace(day=1) else None

    def _traded_off(self, day: date | None, tick: int) -> frozenset[str]:
        """Symbols of which an option traded off a tick on a day."""
        if day is None:
            return frozenset()
        columns = ["symbol", "right", "traded", *_PRICES]
        frame = self._history.contracts(day, columns=columns)
        frame = frame[(frame["right"] != "XX") & frame["traded"]]
        prices = np.rint(frame[_PRICES].to_numpy(dtype=np.float64) * PAISE_PER_RUPEE)
        return frozenset(frame["symbol"][(prices % tick > 0).any(axis=1)])

    def _steps(self, day: date, right: str) -> dict[str, int]:
        """Largest step in paise of which every price of a symbol's futures, or share, is whole."""
        if right == SHARE_RIGHT:
            frame = self._history.cash(day, day)
        else:
            frame = self._history.contracts(day, columns=["symbol", "right", "traded", *_PRICES])
            frame = frame[(frame["right"] == right) & frame["traded"]]
        prices = np.nan_to_num(frame[_PRICES].to_numpy(dtype=np.float64) * PAISE_PER_RUPEE)
        found: dict[str, int] = {}
        for symbol, row in zip(frame["symbol"], np.rint(prices).astype(np.int64), strict=True):
            found[symbol] = int(np.gcd.reduce([found.get(symbol, 0), *row]))
        return found

    def _closes(self, day: date) -> dict[str, int]:
        """Closes of the stocks in paise: from the cash market, else from the contracts."""
        cash = self._history.cash(day, day)[["symbol", "close"]]
        if not len(cash) and day in self._history.days():
            cash = self._history.contracts(day)[["symbol", "underlying"]]
        return _in_paise(cash)

    def _index_closes(self, day: date) -> dict[str, int]:
        """Levels of the indices in paise: as published, else from the contracts."""
        published = self._history.indices(day, day)
        published = published.iloc[(published["publisher"] != "nse").argsort(kind="stable")]
        found: dict[str, int] = {}
        if day in self._history.days():
            found = _in_paise(self._history.contracts(day, columns=["symbol", "underlying"]))
        shown = published[["index", "close"]].drop_duplicates("index")
        return found | _in_paise(shown)


def _in_paise(levels: pd.DataFrame) -> dict[str, int]:
    rows = levels.dropna().drop_duplicates().itertuples(index=False)
    return {symbol: paise(level, what=f"close of {symbol}") for symbol, level in rows}
