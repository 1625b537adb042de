"""Splits seen in a price series, and the series without them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LARGEST = 20
_NEARNESS = 0.12  # a split day also has a market move


def split_ratio(before: float, after: float) -> int:
    """Whole number of shares that one became overnight; 1 when it was no split.

    An overnight price of 1/n of the one before, within 12 %, for n of 2 or more. Single-stock
    price bands make such a fall by trading alone next to impossible for stocks with options,
    except after a demerger of that size.
    """
    ratio = before / after
    whole = round(ratio)
    near = abs(ratio / whole - 1) <= _NEARNESS if whole else False
    return whole if 2 <= whole <= _LARGEST and near else 1


def adjusted(closes: Floats) -> Floats:
    """Series on the scale of its last value: prices before a split divided by its ratio.

    Parameters
    ----------
    closes : ndarray, shape (n,)
        Positive, oldest first.
    """
    if len(closes) < 2:
        return closes
    ratios = [split_ratio(a, b) for a, b in pairwise(closes.tolist())]
    later = np.cumprod(np.asarray(ratios, dtype=float)[::-1])[::-1]
    return np.asarray(closes / np.concatenate((later, [1.0])))
