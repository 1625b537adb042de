"""Ticks of options by day, from the stored closes that the exchange's monthly review uses.

Where that close is not stored, a traded price off the coarser tick shows the finer one.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from functools import lru_cache

import numpy as np

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.money import PAISE_PER_RUPEE, paise
from strikeloom.nse.ticks import option_tick, review_day
from strikeloom.ports.history import History

_REVIEWS_KEPT = 4
_BELOW_ANY_LIMIT = 0
_PRICES = ["open", "high", "low", "close"]


class DatedTicks:
    """Price steps over a history; the closes of a review are read once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._reviewed = lru_cache(maxsize=_REVIEWS_KEPT)(self._closes)
        self._off_tick = lru_cache(maxsize=_REVIEWS_KEPT)(self._traded_off)

    def tick(self, symbol: str, kind: InstrumentKind, day: date) -> int:
        """Price step in paise of every option on an underlying, as of a day.

        The coarser one where neither the close that decided it nor a price of the month that is
        off it is stored.
        """
        coarse = option_tick(kind, None, day)
        if kind is InstrumentKind.INDEX:
            return coarse
        level = self._reviewed(review_day(day)).get(symbol)
        if level is None and symbol in self._off_tick(self._last_of_month(day), coarse):
            level = _BELOW_ANY_LIMIT
        return option_tick(kind, level, day)

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

    def _closes(self, day: date) -> dict[str, int]:
        """Closes of the stocks in paise: from the cash market, else from the contracts."""
        cash = self._history.cash(day, day)[["symbol", "close"]]
        if not len(cash) and day in self._history.days():
            cash = self._history.contracts(day)[["symbol", "underlying"]]
        levels = cash.dropna().drop_duplicates().itertuples(index=False)
        return {symbol: paise(level, what=f"close of {symbol}") for symbol, level in levels}
