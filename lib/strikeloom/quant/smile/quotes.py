"""Options of a chain that are informative of its smile, and their precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Error of a volatility, measured on six days of the exchange's files (2025-01-02 to
#: 2026-03-19, 65,000 traded out-of-the-money options): distance from the slice's own smile by
#: lots, age of the last trade and size of the tick. A smile of seven numbers is itself no truer
#: than ``_FORM``; one lot is off by ``_LOT``, falling with lots^-3/8; a close older than the
#: closing half hour by ``_OLD`` more; and a price is known to ``_TICKS`` of a tick.
_FORM, _LOT, _DECAY, _OLD, _TICKS = 0.0012, 0.012, 0.75, 0.006, 0.3


def out_of_the_money(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    is_call: ArrayLike,
    tick: ArrayLike,
) -> NDArray[np.bool_]:
    """Options whose price is time value only and above the least possible price.

    One a strike: the put below the forward, the call at it and above. A price of one tick is
    a floor without information on volatility. Missing values are left out.

    Parameters
    ----------
    price, forward, strike : array_like
        Broadcast together, one unit; of options that traded.
    is_call : array_like of bool
    tick : array_like
        Price step of the option, in the same unit.
    """
    f, k = np.asarray(forward, dtype=np.float64), np.asarray(strike, dtype=np.float64)
    p, step = np.asarray(price, dtype=np.float64), np.asarray(tick, dtype=np.float64)
    outside = np.asarray(is_call, dtype=bool) == (k >= f)
    with np.errstate(invalid="ignore"):
        return np.asarray(outside & (p > 1.5 * step) & (f > 0) & (k > 0))


def precision(vega: ArrayLike, lots: ArrayLike, fresh: ArrayLike, tick: ArrayLike) -> Floats:
    """Weight of each quote for ``fit.fit_smiles``: 1 / variance of its volatility.

    Parameters
    ----------
    vega : array_like
        Of one unit, to 1.00 of volatility, in the unit of the tick; not positive gives 0.
    lots : array_like
        Traded that day; below 1 counts as 1.
    fresh : array_like of bool
        Last traded in the closing half hour: the exchange settles it at its own close.
    tick : array_like
        Price step, in the unit of the vega.

    Returns
    -------
    ndarray of float64, the broadcast shape
        NaN where an input is missing.
    """
    v, size = np.asarray(vega, dtype=np.float64), np.asarray(lots, dtype=np.float64)
    step = np.asarray(tick, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = _FORM**2 + _LOT**2 * np.maximum(size, 1.0) ** -_DECAY
        error = error + np.where(np.asarray(fresh, dtype=bool), 0.0, _OLD**2)
        error = error + (_TICKS * step / v) ** 2
        return np.asarray(np.where(v <= 0, 0.0, 1.0 / error))
