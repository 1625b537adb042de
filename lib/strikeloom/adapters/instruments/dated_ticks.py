"""Ticks of options by day, from the stored closes that the exchange's monthly review uses."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.money import paise
from strikeloom.nse.ticks import option_tick, review_day
from strikeloom.ports.history import History

_REVIEWS_KEPT = 4


class DatedTicks:
    """Price steps over a history; the closes of a review are read once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._reviewed = lru_cache(maxsize=_REVIEWS_KEPT)(self._closes)

    def tick(self, symbol: str, kind: InstrumentKind, day: date) -> int:
        """Price step in paise of every option on an underlying, as of a day.

        The coarser one, valid in both cases, where the close that decided it is not stored.
        """
        if kind is InstrumentKind.INDEX:
            return option_tick(kind, None, day)
        return option_tick(kind, self._reviewed(review_day(day)).get(symbol), day)

    def _closes(self, day: date) -> dict[str, int]:
        """Closes of the stocks in paise: from the cash market, else from the contracts."""
        cash = self._history.cash(day, day)[["symbol", "close"]]
        if not len(cash) and day in self._history.days():
            cash = self._history.contracts(day)[["symbol", "underlying"]]
        levels = cash.dropna().drop_duplicates().itertuples(index=False)
        return {symbol: paise(level, what=f"close of {symbol}") for symbol, level in levels}
