"""What the margin of many candidates is summed from: every scenario of every contract."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Scans(NamedTuple):
    """Every scenario of r contracts in S states, of expiries numbered from 0 to g - 1.

    Attributes
    ----------
    group : ndarray, shape (r,)
        Number of the contract's expiry.
    kind : ndarray, shape (r,)
        0 an option, 1 a future, 2 a share, which has no part in a scan.
    change : ndarray, shape (S, r, 16)
        Change of a unit's value in each scenario, weighted; rupees.
    value, exposure, forward, delta, variation : ndarray, shape (S, r)
        Of a unit: its value, exposure margin when sold, forward, delta in rupees of the forward,
        and what is settled in cash on the way to the state (futures; 0 of others).
    last_day : ndarray of bool, shape (g,)
        Expiries that end today.
    rules : ndarray, shape (S, 6)
        Least exposure of a future, its share on a spread, extra and least margin on the last day,
        calendar charge, and whether an expiry may offset others on its last day.
    """

    group: Ints
    kind: Ints
    change: Floats
    value: Floats
    exposure: Floats
    forward: Floats
    delta: Floats
    variation: Floats
    last_day: Bools
    rules: Floats
