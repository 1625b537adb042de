"""Model-free variance of a smile: the fair strike of a variance swap on it.

-2 E[ln(S/F)] is twice the integral of out-of-the-money option prices over strike squared
(Demeterfi, Derman, Kamal and Zou, "More Than You Ever Wanted to Know About Volatility Swaps",
1999). On a smile given for every strike nothing is cut off and nothing is filled in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.smile.curves import Curves, total_variance
from strikeloom.quant.smile.density import call, put

Floats = NDArray[np.float64]

_NODES = 48  # on each side of the forward
_REACH = 45.0  # standard deviations at the money


def model_free_variance(curves: Curves) -> Floats:
    """Total variance to expiry of each slice, 1e-9 relative on smiles of traded options.

    Parameters
    ----------
    curves : Curves, shape (slices,)

    Returns
    -------
    ndarray, shape (slices,)
        NaN for a refused slice.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # x = u^2 gathers the nodes where the integrand bends, at the forward
    u = 0.5 * (nodes + 1.0)
    x, dx = _REACH * u**2, _REACH * u * weights
    scale = np.sqrt(total_variance(curves, 0.0).w)[:, None]
    column = Curves(*(part[:, None] for part in curves))
    k = scale * x
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.exp(k) * put(column, -k) + np.exp(-k) * call(column, k)
    return np.asarray(2.0 * np.sum(value * dx * scale, axis=1))
