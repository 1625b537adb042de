"""Search for arbitrage on a dense grid, independent of the fit and of its proofs.

The oracle of the smile tests and of ``benchmarks/smiles.py``; stages rely on the proofs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.smile.curves import Curves, durrleman, total_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_POINTS = 1001
_REACH = 9.0  # sinh of it: four thousand widths away from a centre
_ROUNDING = 1e-12


class Arbitrage(NamedTuple):
    """Result of the search, one row a slice.

    Attributes
    ----------
    butterfly : ndarray of bool
        Somewhere the density is negative, total variance is not positive, or a wing is as
        steep as 2.
    calendar : ndarray of bool
        Somewhere total variance is below that of the expiry before, of the same underlying.
    least_g : ndarray
        Least value of Durrleman's function seen.
    least_step : ndarray
        Least of (variance / variance of the expiry before - 1); NaN for the first.
    """

    butterfly: Bools
    calendar: Bools
    least_g: Floats
    least_step: Floats


def find_arbitrage(curves: Curves, years: Floats, surface: Ints) -> Arbitrage:
    """Search each slice, and each against the one before it in time.

    Places are dense around each slice's centres in units of their widths, and far into both wings;
    for a pair of slices, those of both. Refused slices have none and are skipped.

    Parameters
    ----------
    curves : Curves, shape (slices,)
    years, surface : ndarray, shape (slices,)
        As given to ``fit.fit_smiles``.
    """
    count = len(years)
    refused = np.isnan(curves.level)
    places = _places(curves)
    least_g, low = _least(curves, places)
    steep = np.maximum(curves.left, curves.right) >= 2
    with np.errstate(invalid="ignore"):
        butterfly = ~refused & ~((least_g > 0) & (low > 0) & ~steep)
    held = np.flatnonzero(~refused)
    order = held[np.lexsort((held, years[held], surface[held]))]
    before, after = order[:-1], order[1:]
    same = surface[before] == surface[after]
    before, after = before[same], after[same]
    step = np.full(count, np.nan)
    both = np.concatenate((places[before], places[after]), axis=1)
    earlier = total_variance(_column(curves.pick(before)), both).w
    later = total_variance(_column(curves.pick(after)), both).w
    if len(after):
        step[after] = (later / earlier - 1.0).min(axis=1)
        flatter = (curves.left[after] < curves.left[before]) | (
            curves.right[after] < curves.right[before]
        )
        step[after] = np.where(flatter, np.minimum(step[after], -1.0), step[after])
    with np.errstate(invalid="ignore"):
        calendar = step < -_ROUNDING
    return Arbitrage(butterfly, calendar, least_g, step)


def _column(curves: Curves) -> Curves:
    return Curves(*(field[:, None] for field in curves))


def _places(curves: Curves) -> Floats:
    """Moneyness to search, shape (slices, places)."""
    steps = np.sinh(np.linspace(-_REACH, _REACH, _POINTS))
    wings = [
        np.nan_to_num(centre)[:, None] + np.nan_to_num(width, nan=1.0)[:, None] * steps
        for centre, width in (
            (curves.left_centre, curves.left_width),
            (curves.right_centre, curves.right_width),
        )
    ]
    at_money = np.sqrt(np.nan_to_num(total_variance(curves, 0.0).w, nan=1.0))
    own = at_money[:, None] * np.linspace(-12, 12, _POINTS)
    return np.concatenate((*wings, own), axis=1)


def _least(curves: Curves, places: Floats) -> tuple[Floats, Floats]:
    """Least of g and of total variance over the places."""
    column = _column(curves)
    g, w = durrleman(column, places), total_variance(column, places).w
    return np.asarray(g.min(axis=1)), np.asarray(w.min(axis=1))
