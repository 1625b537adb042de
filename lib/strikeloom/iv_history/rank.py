"""Where each symbol's volatility stands in its own past, as of a day.

The longest window that has its minimum of solved days is used and named. With none there is
no percentile and no regime, but the number of days missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.volatility import IvRank, Regime
from strikeloom.ports.desk import Desk
from strikeloom.quant.ranks import standing
from strikeloom.settings.iv import IvSettings, RegimeThresholds

if TYPE_CHECKING:
    import pandas as pd


def rank_days(desk: Desk, days: Sequence[date]) -> list[IvRank]:
    """Ranks of each symbol on each day, from rows up to that day alone."""
    if not days:
        return []
    history = desk.store.iv_history(max(days))
    return [row for day in days for row in rank(history, day, desk.settings.iv)]


def rank(history: pd.DataFrame, day: date, settings: IvSettings) -> list[IvRank]:
    """Ranks of the symbols that have a row on ``day``."""
    import pandas as pd

    today = pd.Timestamp(day)
    past = history[history["day"] <= today]
    rows = []
    for symbol, frame in past.groupby("symbol", sort=True):
        days, vols = frame["day"].to_numpy(), frame["atm_iv"].to_numpy()
        if days[-1] == np.datetime64(today):
            rows.append(_standing(str(symbol), day, days, vols, settings))
    return rows


def _standing(
    symbol: str, day: date, days: np.ndarray, vols: np.ndarray, settings: IvSettings
) -> IvRank:
    import pandas as pd

    now = float(vols[-1])
    shortest = min(settings.windows)
    if np.isnan(now):
        return _refused(symbol, day, None, 0, settings.windows[shortest], "no volatility today")
    for months in sorted(settings.windows, reverse=True):
        begin = np.datetime64(pd.Timestamp(day) - pd.DateOffset(months=months))
        window = vols[days > begin]
        place = standing(now, window)
        needed = settings.windows[months]
        if place.sample >= needed:
            return IvRank(
                symbol,
                day,
                now,
                place.percentile,
                _number(place.rank),
                regime(place.percentile, settings.regimes),
                months,
                place.sample,
                needed,
            )
    missing = needed - place.sample
    return _refused(symbol, day, now, place.sample, needed, f"{missing} more days needed")


def _refused(
    symbol: str, day: date, vol: float | None, sample: int, needed: int, reason: str
) -> IvRank:
    return IvRank(symbol, day, vol, None, None, None, None, sample, needed, reason)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def regime(percentile: float, thresholds: RegimeThresholds) -> Regime:
    """Regime of a percentile (0 to 100)."""
    if percentile < thresholds.normal:
        return Regime.LOW
    if percentile < thresholds.elevated:
        return Regime.NORMAL
    return Regime.ELEVATED if percentile < thresholds.high else Regime.HIGH
