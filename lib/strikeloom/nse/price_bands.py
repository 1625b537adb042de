"""Range of order prices that the exchange accepts for an instrument during a day.

Source: ``price_bands.csv`` for options, ``delta_one_bands.csv`` for futures and shares.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.tables import in_force, rows


def price_bands(
    kind: InstrumentKind,
    base: NDArray[np.float64],
    delta: NDArray[np.float64],
    level: NDArray[np.float64],
    day: date,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end in paise, not yet on the tick; the lower one may be negative.

    Parameters
    ----------
    base, level : ndarray, shape (n,)
        Base price of the option and level of the underlying, in paise. NaN gives NaN.
    delta : ndarray, shape (n,)
    """
    row = in_force(
        [row for row in rows("price_bands") if row["kind"] == kind.value], day, what="price band"
    )
    width = np.maximum(int(row["floor_paise"]), np.abs(delta) * level * float(row["percent"]) / 100)
    return base - width, base + width


def delta_one_bands(
    of: str,
    base: NDArray[np.float64],
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
    day: date,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end in paise, not yet on the tick, of futures or of shares with futures.

    There is no fixed band: the range around the base price is relaxed step by step as the price
    trends. Both ends are given as far as the day relaxed them; that the exchange moves the other
    end along since 2024-11-18 is left out, as it depends on the moment.

    Parameters
    ----------
    of : str
        ``future`` or ``share``.
    base : ndarray, shape (n,)
        Settlement price or close of the day before, in paise. NaN gives NaN.
    lowest, highest : ndarray, shape (n,)
        Prices of the day in paise; NaN where there is none.
    """
    row = in_force(
        [row for row in rows("delta_one_bands") if row["of"] == of], day, what="price band"
    )
    share, step = float(row["percent"]) / 100, float(row["step"]) / 100
    with np.errstate(invalid="ignore", divide="ignore"):
        down = np.ceil(np.round((1 - share - lowest / base) / step, 9))
        up = np.ceil(np.round((highest / base - 1 - share) / step, 9))
    down, up = (np.where(np.isfinite(steps), np.maximum(steps, 0.0), 0.0) for steps in (down, up))
    return base * (1 - share - step * down), base * (1 + share + step * up)
