"""Smiles at any time between the expiries of one underlying.

Between two expiries undiscounted call prices over the forward, at equal moneyness, are mixed
with one weight for all strikes. A mixture of two slices without butterfly arbitrage has none
(its density is the mixture of theirs), and as the weight moves with time prices only rise, so
there is no calendar arbitrage either (Gatheral and Jacquier 2014, lemma 5.1). The weight is
such that total variance at the forward is linear in time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from strikeloom.quant.implied.solver import implied_vol
from strikeloom.quant.smile import density as slice_density
from strikeloom.quant.smile.curves import Curves, shrink, total_variance

Floats = NDArray[np.float64]


class Between(NamedTuple):
    """Mixture of two slices for each time asked for, arrays of one shape.

    Attributes
    ----------
    early, late : Curves
        The neighbours; the same slice twice at an expiry and before the first one.
    share : ndarray
        Weight of ``early``, 0 to 1.
    """

    early: Curves
    late: Curves
    share: Floats


def between(curves: Curves, years: Floats, time: ArrayLike) -> Between:
    """Mixtures that describe the smile at given times.

    Before the first expiry its own slice is shrunk in shape (``curves.shrink``). After the last
    one, at times not positive and where the surface has no slice the result is refused (NaN).

    Parameters
    ----------
    curves, years : Curves and ndarray, shape (slices,)
        Slices of one underlying, free of arbitrage, in any order; refused ones are skipped.
    time : array_like
        Years, any shape.
    """
    at = np.asarray(time, dtype=np.float64)
    held = np.flatnonzero(~np.isnan(curves.level) & (years > 0))
    held = held[np.argsort(years[held], kind="stable")]
    if not len(held):
        nothing = Curves.flat(np.full(at.shape, np.nan))
        return Between(nothing, nothing, np.full(at.shape, np.nan))
    known = years[held]
    with np.errstate(invalid="ignore"):
        inside = (at > 0) & (at <= known[-1])
    clipped = np.where(inside, at, known[-1])
    right = np.searchsorted(known, clipped, side="left")
    left = np.maximum(right - 1, 0)
    exact = (known[right] == clipped) | (right == 0)
    early, late = curves.pick(held[np.where(exact, right, left)]), curves.pick(held[right])
    part = np.where(clipped < known[0], clipped / known[0], 1.0)
    early, late = shrink(early, part), shrink(late, part)
    first, last = total_variance(early, 0.0).w, total_variance(late, 0.0).w
    span = np.where(exact, 1.0, known[right] - known[left])
    wanted = first + (last - first) * np.where(exact, 0.0, (clipped - known[left]) / span)
    low, high, mean = (_at_money(w) for w in (first, last, wanted))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(high > low, (high - mean) / (high - low), 1.0)
    refuse = np.where(inside, 1.0, np.nan)
    early, late = (Curves(*(field * refuse for field in side)) for side in (early, late))
    return Between(early, late, np.asarray(share * refuse))


def _at_money(w: Floats) -> Floats:
    """Call over the forward, struck at it."""
    return np.asarray(2.0 * ndtr(0.5 * np.sqrt(w)) - 1.0)


def call(mixture: Between, k: ArrayLike) -> Floats:
    """Undiscounted call over the forward of that time, struck at F e^k."""
    early, late, share = mixture
    first, second = slice_density.call(early, k), slice_density.call(late, k)
    return np.asarray(share * first + (1 - share) * second)


def cdf(mixture: Between, k: ArrayLike) -> Floats:
    """Probability of ending at or below F e^k."""
    early, late, share = mixture
    first, second = slice_density.cdf(early, k), slice_density.cdf(late, k)
    return np.asarray(share * first + (1 - share) * second)


def density(mixture: Between, k: ArrayLike) -> Floats:
    """Density of ln(S / F)."""
    early, late, share = mixture
    first, second = slice_density.density(early, k), slice_density.density(late, k)
    return np.asarray(share * first + (1 - share) * second)


def variance(mixture: Between, k: ArrayLike) -> Floats:
    """Total variance at ``k``; NaN where the value of the option underflows."""
    early, late, share = mixture
    at = np.asarray(k, dtype=np.float64)
    above = at >= 0
    side = [
        np.where(above, slice_density.call(c, at), slice_density.put(c, at)) for c in (early, late)
    ]
    price = share * side[0] + (1 - share) * side[1]
    vol, _ = implied_vol(price, 1.0, np.exp(at), 1.0, above)
    # one slice alone needs no prices
    alone = total_variance(early, at).w
    return np.asarray(np.where(share == 1, alone, vol * vol))
