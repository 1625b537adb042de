"""Candles of whole days of an underlying: those of the history, and today's so far."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from strikeloom.exchange.market.candles import Candles
from strikeloom.ports.history import History

#: More than 200 sessions, the longest that an indicator asks for.
_SPAN = timedelta(days=450)


class DailyCandles:
    """Daily candles before a day, in that day's shares, read once a day and symbol."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._read_before: dict[tuple[str, date], Candles] = {}

    def bars(self, symbol: str, today: date, so_far: Candles | None, last: int) -> Candles:
        """Candles up to today, whose own is made of its minutes so far, else of its last level.

        Highs and lows are NaN where only a level is known.
        """
        key = symbol, today
        if key not in self._read_before:
            self._read_before[key] = self._read(symbol, today)
        past = self._read_before[key]
        known = so_far is not None and len(so_far.close) > 0
        high = max(int(so_far.high.max()), last) if so_far is not None and known else last
        low = min(int(so_far.low.min()), last) if so_far is not None and known else last

        def joined(days: Any, now: int) -> Any:
            return np.append(days, float(now))

        zero = np.zeros(len(past.close) + 1, dtype=np.int64)
        return Candles(
            [],
            joined(past.open, last),
            joined(past.high, high),
            joined(past.low, low),
            joined(past.close, last),
            zero,
            zero,
        )

    def _read(self, symbol: str, today: date) -> Candles:
        until = today - timedelta(days=1)
        frame = self._history.as_of(until).prices(today - _SPAN, until, symbols=[symbol])
        frame = frame.dropna(subset=["close"])

        def paise(name: str) -> Any:
            return frame[name].to_numpy(dtype=np.float64) * 100

        zero = np.zeros(len(frame), dtype=np.int64)
        return Candles([], paise("open"), paise("high"), paise("low"), paise("close"), zero, zero)
