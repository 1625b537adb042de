"""Probability that a price touches a level on or before expiry, closed form.

Lognormal: exact, from the reflection principle with the drift from spot to forward (e.g.
D. R. Cox and H. D. Miller, "The Theory of Stochastic Processes", 1965, chapter 5).

On a smile: exact where the smile at the moment of touching is symmetric in moneyness around the
level. Then a touch is worth the European payoff 1 + S / L beyond the level (P. Carr, K. Ellis and
V. Gupta, "Static hedging of exotic options", 1998), so two digitals and an option over the
level, all of today's smile at that level. Against a local-volatility simulation of the same smile
``benchmarks/probability.py`` measures how far it is off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from strikeloom.quant.probability import Law
from strikeloom.quant.smile import total_variance

Floats = NDArray[np.float64]


def touch(level: Floats, spot: Floats, law: Law) -> Floats:
    """Probability that the price is at or beyond a level at some moment until expiry.

    Parameters
    ----------
    level : ndarray, shape (n,) or (n, m)
        Above the spot: touched from below, and the other way round; at the spot it is 1.
    spot : ndarray, shape (n,)
        The price now; its mean moves evenly from here to ``law.forward``.
    law : Law
        Shape (n,).

    Returns
    -------
    ndarray of float64, shape of ``level``
        Watched at every moment, not once a day. NaN for a refused smile, a level or spot that
        is not positive.
    """
    wide = level if level.ndim > 1 else level[:, None]
    now = np.where(spot > 0, spot, np.nan)[:, None]
    curves = law.curves.pick(np.arange(len(spot))[:, None])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        goal = np.where(wide > 0, wide, np.nan)
        away = np.log(goal / now)
        side = np.where(away >= 0, 1.0, -1.0)
        growth = np.log(law.forward[:, None] / now)
        w, dw, _ = total_variance(curves, np.log(goal / law.forward[:, None]))
        s = np.sqrt(w)
        drift = growth - 0.5 * w
        ends = ndtr(side * (drift - away) / s)
        # the reflected part by logarithms: its two factors may leave the range of numbers
        back = np.exp(2 * drift * away / w + log_ndtr(-side * (drift + away) / s))
        # the smile's slope at the level makes a digital cheaper or dearer; a touch is two
        d2 = (drift - away) / s
        tilt = np.exp(-0.5 * d2 * d2) / np.sqrt(2 * np.pi) * dw / s
        found = np.clip(ends + back - side * tilt, 0.0, 1.0)
        # a price that ends beyond has touched
        end = np.clip(ends - 0.5 * side * tilt, 0.0, 1.0)
    found = np.where(away == 0, 1.0, np.maximum(found, end))
    found = np.where(np.isnan(w) | np.isnan(away), np.nan, found)
    return np.asarray(found if level.ndim > 1 else found[:, 0])
