"""Range of order prices that an option allows during a day. Source: ``price_bands.csv``."""

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
