"""Bid and ask around a traded price, where only the trade was recorded. Labelled by the user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALF_SPREAD = 0.005
_SHOWN_SHARE, _MOST_SHOWN = 0.01, 40  # of the day's lots, and lots, on each side


def spread_around(
    price: Floats, lots: Ints, lot: Ints, tick: float | Floats
) -> tuple[Floats, Floats, Ints]:
    """Bid, ask and the units that both show.

    Half a percent on each side, one tick at least, outwards onto the tick.

    Parameters
    ----------
    price : ndarray, shape (n,)
        Rupees; NaN gives neither bid nor ask.
    lots : ndarray, shape (n,)
        Traded in the day: a hundredth of it is shown, 1 to 40 lots.

    Returns
    -------
    bid, ask : ndarray, shape (n,)
        Rupees; the bid is NaN where it would not be positive.
    """
    half = np.maximum(tick, np.ceil(price * _HALF_SPREAD / tick) * tick)
    bid = np.floor(np.round((price - half) / tick, 6)) * tick
    ask = np.ceil(np.round((price + half) / tick, 6)) * tick
    shown = np.clip(np.floor(lots * _SHOWN_SHARE), 1, _MOST_SHOWN).astype(np.int64) * lot
    return np.where(bid > 0, bid.round(2), np.nan), ask.round(2), shown
