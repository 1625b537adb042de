"""Volatility at a constant maturity, from the expiries that know it best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import Quality
from strikeloom.quant.tenors import Tenor, TenorPlace, at_tenor

_MONTH = 36.0 / 365.0  # two monthly expiries are five weeks apart at most


def constant_maturity(
    vol: NDArray[np.float64],
    grade: NDArray[np.str_] | NDArray[np.object_],
    years: NDArray[np.float64],
    underlying: NDArray[np.int64],
    underlyings: int,
    tenor: float,
) -> Tenor:
    """Between two grade A expiries at most a month apart, else between any known ones.

    A thin weekly between two liquid monthly expiries is less reliable than they are. Parameters
    as of ``quant.tenors.at_tenor``; ``grade`` is the ``Quality`` of each expiry.
    """
    known = at_tenor(vol, years, underlying, underlyings, tenor)
    if not len(underlying):
        return known
    liquid = at_tenor(
        np.where(grade == Quality.A, vol, np.nan), years, underlying, underlyings, tenor
    )
    near = years[liquid.late] - years[liquid.early] <= _MONTH
    use = (liquid.place == TenorPlace.BETWEEN) & near
    return Tenor(
        np.where(use, liquid.vol, known.vol),
        np.where(use, liquid.place, known.place),
        np.where(use, liquid.early, known.early),
        np.where(use, liquid.late, known.late),
    )
