"""Percentile and rank of each symbol's 30-day volatility in its own past, as of a day.

A window is the last sessions of the exchange, as many as its name states, today's included, and
its sample is those of them with a volatility. A session without a file makes the sample smaller,
never the window longer. The longest window with enough such days is used and shown with its
sample. Without one there is no percentile and no regime, but the number of days found and needed.
Percentile and rank are defined in ``quant.ranks``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.counted import counted
from strikeloom.domain.frames import Schema
from strikeloom.domain.volatility import IvRank, Regime, WindowRank
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.renames import under_later_names
from strikeloom.nse.sessions import FIRST_DAY, trading_days
from strikeloom.ports.desk import Desk
from strikeloom.quant.ranks import HistoryRank, rank_in_history
from strikeloom.settings.iv import IvSettings, RegimeThresholds

if TYPE_CHECKING:
    import pandas as pd

#: Column that is ranked.
RANKED = "atm_iv_30d"
#: One row a symbol: percentile and rank of ``atm_iv`` in the window named.
RANKS = Schema(
    "iv_percentiles",
    {
        "symbol": "text", "day": "date", "atm_iv": "number", "percentile": "number",
        "rank": "number", "regime": "text", "window_sessions": "number", "sample": "count",
        "needed": "count", "reason": "text",
    },
    ("symbol", "day"),
)  # fmt: skip


def rank_days(desk: Desk, days: Sequence[date]) -> list[IvRank]:
    """Ranks of each symbol on each day, from rows up to that day alone."""
    if not days:
        return []
    last = max(days)
    history = desk.store.iv_history(last, columns=("symbol", "day", RANKED))
    if history.empty:
        return []
    first = history["day"].min().date()
    renames = [item for item in desk.history.as_of(last).actions(first, last) if item.successor]
    return [row for day in days for row in rank(history, day, desk.settings.iv, renames)]


def rank(
    history: pd.DataFrame,
    day: date,
    settings: IvSettings,
    renames: Sequence[CorporateAction] = (),
) -> list[IvRank]:
    """Ranks of the symbols that have a row on ``day``.

    Parameters
    ----------
    history : DataFrame
        Columns symbol, day, atm_iv_30d; days after ``day`` are ignored.
    renames : sequence of CorporateAction
        The days of a former symbol count for its successor, from the day of the new name on.
    """
    import pandas as pd

    today = np.datetime64(day, "D")
    when = history["day"].to_numpy().astype("datetime64[D]")
    if not np.any(when == today):
        return []
    sessions = _sessions(when, day, max(settings.windows))
    inside = (when >= sessions[0]) & (when <= today)
    when = when[inside]
    past = [item for item in renames if item.day <= day]
    symbols = under_later_names(history["symbol"].to_numpy()[inside], when, past)
    codes, names = pd.factorize(symbols, sort=True)
    table = np.full((len(names), len(sessions)), np.nan)
    table[codes, np.searchsorted(sessions, when)] = history[RANKED].to_numpy()[inside]
    here = np.zeros(len(names), dtype=bool)
    here[codes[when == today]] = True
    table, now = table[here], table[here, -1]
    windows = {
        length: rank_in_history(now, table[:, -length:]) for length in sorted(settings.windows)
    }
    return [
        _rank(str(name), day, float(now[i]), i, windows, settings)
        for i, name in enumerate(np.asarray(names)[here])
    ]


def _sessions(stored: NDArray[np.datetime64], day: date, longest: int) -> NDArray[np.datetime64]:
    """Last sessions up to ``day``, at most ``longest``: the calendar's, and every stored day."""
    # five sessions in seven days, less about fifteen holidays a year
    begin = max(FIRST_DAY, day - timedelta(days=2 * longest + 30))
    known = np.array(trading_days(begin, day), dtype="datetime64[D]")
    low, high = np.datetime64(begin, "D"), np.datetime64(day, "D")
    return np.union1d(known, stored[(stored >= low) & (stored <= high)])[-longest:]


def rank_table(ranks: Iterable[IvRank]) -> pd.DataFrame:
    """``RANKS`` rows; what is unknown is NaN, or ``None`` as regime."""
    return RANKS.table([getattr(row, name) for name in RANKS.columns] for row in ranks)


def _rank(
    symbol: str,
    day: date,
    now: float,
    row: int,
    windows: dict[int, HistoryRank],
    settings: IvSettings,
) -> IvRank:
    solved = not np.isnan(now)
    ranked = tuple(_window(n, windows[n], row, settings.windows[n], solved) for n in windows)
    permitted = [window for window in ranked if not window.missing] if solved else []
    if not permitted:
        shortest = ranked[0]
        reason = _too_few(ranked) if solved else "no volatility today"
        value, sample = (now, shortest.sample) if solved else (None, 0)
        return IvRank(
            symbol, day, value, None, None, None, None, sample, shortest.needed, reason, ranked
        )
    used = permitted[-1]
    return IvRank(
        symbol,
        day,
        now,
        used.percentile,
        used.rank,
        regime(float(used.percentile or 0.0), settings.regimes),
        used.sessions,
        used.sample,
        used.needed,
        "",
        ranked,
    )


def _too_few(windows: Sequence[WindowRank]) -> str:
    """Days found and needed in the shortest window and, where it has more, in the next one.

    A window moves with the day, so the days that it lacks need not become fewer one by one.
    """
    shortest, *longer = windows
    shown = [shortest, *(w for w in longer[:1] if w.sample > shortest.sample)]
    return ", ".join(
        f"{w.sample} of {counted(w.needed, 'day')} needed in {counted(w.sessions, 'session')}"
        for w in shown
    )


def _window(sessions: int, ranks: HistoryRank, row: int, needed: int, solved: bool) -> WindowRank:
    sample = int(ranks.sample[row])
    if not solved or sample < needed:
        return WindowRank(sessions, None, None, sample, needed)
    rank = float(ranks.rank[row])
    return WindowRank(
        sessions,
        float(ranks.percentile[row]),
        None if np.isnan(rank) else rank,
        sample,
        needed,
    )


def regime(percentile: float, thresholds: RegimeThresholds) -> Regime:
    """Regime of a percentile (0 to 100)."""
    if percentile < thresholds.normal:
        return Regime.LOW
    if percentile < thresholds.elevated:
        return Regime.NORMAL
    return Regime.ELEVATED if percentile < thresholds.high else Regime.HIGH
