"""Probability that a price touches a level on or before expiry.

Lognormal: closed form, exact, from the reflection principle with the drift from spot to forward
(e.g. D. R. Cox and H. D. Miller, "The Theory of Stochastic Processes", 1965, chapter 5).

On a smile there is no valid closed form: two digitals and an option at the level (P. Carr,
K. Ellis and V. Gupta, "Static hedging of exotic options", 1998) suppose a smile that is symmetric
around the level when it is touched, and on a steep index skew miss simulated touches by up to
0.08. So a touch on a smile is solved on the grid of ``reach``, which misses them by 0.002.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from strikeloom.errors import DataError
from strikeloom.quant.payoff import Legs
from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.probability.reach import reach
from strikeloom.quant.smile.curves import total_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def touch(level: Floats, spot: Floats, law: Law) -> Floats:
    """Probability that a lognormal price is at or beyond a level at some moment until expiry.

    Parameters
    ----------
    level : ndarray, shape (n,)
        Above the spot: touched from below, and the other way round; at the spot it is 1.
    spot : ndarray, shape (n,)
        The price now; its mean moves evenly from here to ``law.forward``.
    law : Law
        Shape (n,), flat.

    Returns
    -------
    ndarray of float64, shape (n,)
        Watched at every moment, not once a day. NaN for a refused smile, a level or spot that
        is not positive.

    Raises
    ------
    DataError
        When a smile is not flat: ``touch_on_smile`` is for those.
    """
    w, dw, _ = total_variance(law.curves, 0.0)
    if np.any(np.abs(dw) > 0):
        raise DataError("a touch has a closed form on flat smiles alone; use touch_on_smile")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        away = np.log(np.where(level > 0, level, np.nan) / np.where(spot > 0, spot, np.nan))
        side = np.where(away >= 0, 1.0, -1.0)
        drift = np.log(law.forward / spot) - 0.5 * w
        s = np.sqrt(w)
        ends = ndtr(side * (drift - away) / s)
        # the reflected part by logarithms: its two factors may leave the range of numbers
        back = np.exp(2 * drift * away / w + log_ndtr(-side * (drift + away) / s))
        found = np.where(away == 0, 1.0, np.clip(ends + back, 0.0, 1.0))
    return np.asarray(np.where(np.isnan(w) | np.isnan(away), np.nan, found))


def touch_on_smile(level: Floats, spot: Floats, law: Law, row: Ints) -> Floats:
    """Probability of touching a level until expiry under each smile's own local variance.

    Parameters
    ----------
    level, spot : ndarray, shape (n,)
        As in ``touch``.
    law : Law
        m laws.
    row : ndarray of int64, shape (n,)
        Law of each level.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where anything is missing.
    """
    forward = law.forward[row]
    with np.errstate(invalid="ignore", divide="ignore"):
        known = (level > 0) & (spot > 0) & (forward > 0)
        # a level of the spot is higher for the forward by the carry that is left
        early = np.where(known, level * forward / np.where(known, spot, 1.0), np.nan)
    side = np.where(level >= spot, 1.0, -1.0)
    one = (len(row), 1)
    legs = Legs(np.zeros(one), np.ones(one, dtype=bool), side[:, None], -side * forward)
    found = reach(legs, side * (level - forward), law, row, today=side * (early - forward))
    return np.asarray(np.where(known & (level == spot), 1.0, found))
