"""Levels of the market's index and its volatility index, of which past moves are made.

Read once a run, up to the day and no further.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.nse.edges import known_days
from strikeloom.nse.sessions import FIRST_DAY, TRADING_DAYS_PER_YEAR
from strikeloom.ports.desk import Desk
from strikeloom.quant.probability.past_moves import PastMoves, no_moves, past_moves

if TYPE_CHECKING:
    import pandas as pd


NO_INDEX_HISTORY = (
    "no index is stored with its volatility index up to the day, so real-world figures come from "
    "forecasts alone; strikeloom data import takes the exchange's histories of NIFTY and India VIX"
)


@dataclass(frozen=True)
class IndexHistory:
    """An index and its volatility index, one value a session up to the day; NaN where missing.

    Attributes
    ----------
    level : ndarray, shape (n,)
    vol : ndarray, shape (n,)
        A year, as a fraction.
    """

    level: np.ndarray
    vol: np.ndarray
    _over: dict[int, PastMoves] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_known(self) -> bool:
        """Whether any level is stored."""
        return len(self.level) > 0

    def over(self, sessions: int) -> PastMoves:
        """Moves over so many sessions; none on the day of the expiry itself."""
        if sessions not in self._over:
            self._over[sessions] = (
                past_moves(self.level, self.vol, sessions, TRADING_DAYS_PER_YEAR)
                if sessions > 0
                else no_moves(sessions)
            )
        return self._over[sessions]


def read_index_history(desk: Desk) -> IndexHistory:
    """Levels of the first pair of ``creation.move_indices`` that is stored; empty where none is."""
    pairs = desk.settings.creation.move_indices
    names = [name for pair in pairs for name in (pair.index, pair.volatility)]
    rows = desk.history.as_of(desk.day).indices(FIRST_DAY, desk.day, names=names)
    # the exchange's own level before another publisher's
    rows = rows.sort_values("publisher", key=lambda who: who != "nse", kind="stable")
    rows = rows[rows["close"].notna()].drop_duplicates(["day", "index"])
    days = np.array(known_days(FIRST_DAY, desk.day), dtype="datetime64[D]")
    for pair in pairs:
        level, vol = (
            _by_session(rows[rows["index"] == name], days) for name in (pair.index, pair.volatility)
        )
        if not np.isnan(level).all() and not np.isnan(vol).all():
            return IndexHistory(level, vol / 100)
    return IndexHistory(np.empty(0), np.empty(0))


def _by_session(rows: pd.DataFrame, days: np.ndarray) -> np.ndarray:
    """Close of each session; a level of a day that is no session is left out."""
    found = np.full(len(days), np.nan)
    when = rows["day"].to_numpy().astype("datetime64[D]")
    place = np.searchsorted(days, when)
    inside = place < len(days)
    inside[inside] = days[place[inside]] == when[inside]
    found[place[inside]] = rows["close"].to_numpy(dtype=np.float64)[inside]
    return found
