"""Smiles of the whole exchange fitted in one batch, free of butterfly and calendar arbitrage.

Every slice results in a ``curves.Curves`` row. Its ``SmileKind`` shows how much of it comes from
its own quotes: few quotes fit fewer parameters, and a borrowed shape is always marked.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from importlib.util import find_spec
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.kernel_cache import import_kernels
from strikeloom.quant.smile.curves import Curves, total_variance, volatility

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

#: Quotes outside these bounds are rejected: largest moneyness either way, total variance.
_FARTHEST, _LEAST, _MOST = 20.0, 1e-10, 100.0
_FAINTEST, _HEAVIEST = 1e-12, 1e100  # of the heaviest quote of a slice; of all
_SHORTEST = 1e-7  # years, three seconds
_WILD = 0.1
_KERNELS = (
    "smile.sequence", "smile.settle", "smile.slice_fit", "smile.least_squares", "smile.certificate",
    "compiled",
)  # fmt: skip


class SmileKind(IntEnum):
    """How a slice was fitted."""

    REFUSED = 0
    """No usable quote or no time left: no smile."""
    FLAT = 1
    """As ``BORROWED``, with no better expiry to borrow from: their mean at every strike."""
    BORROWED = 2
    """1 or 2 quotes, or all on one side of the forward, so that the slope through it is unknown:
    their level, with the shape of the nearest better expiry."""
    REDUCED = 3
    """3 or 4 quotes: level and two slopes; the curvature follows from them (SSVI)."""
    FULL = 4
    """5 or more quotes: all seven parameters; below 13 a faint lean towards a common shape."""


class QuoteReason(IntEnum):
    """Whether a quote was used, and if not, why."""

    OK = 0
    MISSING = 1
    """Moneyness, variance or weight is not a finite number."""
    OUT_OF_RANGE = 2
    """Moneyness beyond 20 or total variance outside 1e-10 to 100."""
    NO_WEIGHT = 3
    """Weight zero, negative, or nothing beside the others."""
    NO_SLICE = 4
    """Its slice does not exist or has no time left."""
    WILD = 5
    """Used, but so far off the others that it counts less than a tenth."""


class Fit(NamedTuple):
    """Fitted smiles and diagnostics of the fit.

    Attributes
    ----------
    curves : Curves, shape (slices,)
        Free of butterfly and calendar arbitrage on the whole line; NaN where refused.
    kind : ndarray of int8, shape (slices,)
        ``SmileKind``.
    used : ndarray of int64, shape (slices,)
        Quotes used.
    lowest, highest : ndarray, shape (slices,)
        Range of their moneyness; beyond it the smile is extrapolated.
    error : ndarray, shape (slices,)
        Weighted root mean square of ``residual``.
    moved : ndarray, shape (slices,)
        Weighted root mean square of what freedom from arbitrage cost: the volatility of the
        final curve minus that of the slice fitted alone, at the quotes.
    residual : ndarray, shape (n,)
        Volatility of the curve minus that of the quote, as a fraction; NaN where not used.
    trust : ndarray, shape (n,)
        Robust weight, 1 for a quote in line with the others, near 0 for an outlier.
    reason : ndarray of int8, shape (n,)
        ``QuoteReason``.
    """

    curves: Curves
    kind: Codes
    used: Ints
    lowest: Floats
    highest: Floats
    error: Floats
    moved: Floats
    residual: Floats
    trust: Floats
    reason: Codes


def fit_smiles(
    k: Floats,
    w: Floats,
    weight: Floats,
    group: Ints,
    years: Floats,
    surface: Ints,
    *,
    threads: int = 1,
) -> Fit:
    """Fit all slices.

    Parameters
    ----------
    k, w : ndarray, shape (n,)
        Moneyness ln(strike / forward) and total variance of each quote.
    weight : ndarray, shape (n,)
        Precision of the quote's volatility: 1 / variance of its error. Within a slice only
        ratios count; between expiries the sums decide which one is moved.
    group : ndarray of int64, shape (n,)
        Slice of each quote, 0 to slices - 1, in any order.
    years : ndarray, shape (slices,)
        Time to expiry. Below 1e-7 (three seconds) or not finite refuses the slice.
    surface : ndarray of int64, shape (slices,)
        Slices of one underlying share a number and are kept free of calendar arbitrage.
    threads : int, default 1
        Underlyings fitted at the same time.

    Returns
    -------
    Fit
        Bad rows never raise; each has its reason.

    Notes
    -----
    Least squares on deviations (root of total variance) with robust weights, each slice alone;
    then the better known slices first, each between the ones already settled. Freedom from
    arbitrage is proved for the whole line (``certificate``), not penalised: a slice that
    cannot be proved is moved towards one that can until it is. The first call on a machine
    compiles the kernels (some twenty seconds of processor time); later ones read them from disk.
    """
    weight = np.minimum(weight, _HEAVIEST)
    reason = _reasons(k, w, weight, group, years)
    live, starts, order = _ordered(k, group, years, surface, reason)
    deviation = np.sqrt(w[order])
    quotes = np.stack([k[order], deviation, weight[order], np.ones(len(order))])
    free, found = np.full((2, len(live), 7), np.nan)
    kinds = np.zeros(len(live), dtype=np.int64)
    _fit(quotes, starts, years[live], surface[live], (free, found, kinds), threads)
    curves, alone = np.full((2, len(years), 7), np.nan)
    curves[live], alone[live] = found, free
    kind = np.zeros(len(years), dtype=np.int8)
    kind[live] = kinds
    trust = np.full(len(k), np.nan)
    trust[order] = quotes[3] ** 2
    reason[trust < _WILD] = QuoteReason.WILD
    used = np.flatnonzero(~np.isnan(trust))
    residual = np.full(len(k), np.nan)
    at, time = group[used], years[group[used]]
    fitted = volatility(Curves(*curves.T).pick(at), k[used], time)
    residual[used] = fitted - np.sqrt(w[used] / time)
    # alone, a slice may even be negative somewhere
    before = np.maximum(total_variance(Curves(*alone.T).pick(at), k[used]).w, 0.0)
    moved = fitted - np.sqrt(before / time)
    heavy = weight[used]

    def mean_square(values: Floats) -> Floats:
        totals = np.bincount(at, weights=heavy * values * values, minlength=len(years))
        sums = np.bincount(at, weights=heavy, minlength=len(years))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.sqrt(totals / sums))

    lowest, highest = np.full((2, len(years)), np.nan)
    np.fmin.at(lowest, at, k[used])
    np.fmax.at(highest, at, k[used])
    return Fit(
        Curves(*curves.T),
        kind,
        np.bincount(at, minlength=len(years)).astype(np.int64),
        lowest,
        highest,
        mean_square(residual[used]),
        mean_square(moved),
        residual,
        trust,
        reason,
    )


def _kernel() -> Callable[..., None]:
    """``fit_surface``, compiled from the current text of all its sources (``kernel_cache``)."""
    if find_spec("numba") is None:
        from strikeloom.quant.smile.sequence import fit_surface

        return fit_surface
    found: Callable[..., None] = import_kernels("smile.sequence", _KERNELS).fit_surface
    return found


def _reasons(k: Floats, w: Floats, weight: Floats, group: Ints, years: Floats) -> Codes:
    """Why quotes cannot be used; ``OK`` for the others."""
    reason = np.zeros(len(k), dtype=np.int8)
    with np.errstate(invalid="ignore"):
        outside = (np.abs(k) > _FARTHEST) | (w < _LEAST) | (w > _MOST)
        inside = (group >= 0) & (group < len(years))
        timed = np.isfinite(years) & (years > _SHORTEST)
        weightless = ~(weight > 0)
    slot = np.where(inside, group, 0)
    most = np.zeros(len(years) + 1)
    known = np.isfinite(k) & np.isfinite(w)
    ok = inside & ~outside & ~weightless & known
    np.maximum.at(most, slot[ok], weight[ok])
    reason[outside] = QuoteReason.OUT_OF_RANGE
    reason[weightless | (weight < _FAINTEST * most[slot])] = QuoteReason.NO_WEIGHT
    reason[~inside | ~np.append(timed, False)[slot]] = QuoteReason.NO_SLICE
    reason[~known | np.isnan(weight)] = QuoteReason.MISSING
    return reason


def _ordered(
    k: Floats, group: Ints, years: Floats, surface: Ints, reason: Codes
) -> tuple[Ints, Ints, Ints]:
    """Slices with time left by underlying and time; first row of each; usable rows in order."""
    known = np.flatnonzero(np.isfinite(years) & (years > _SHORTEST))
    live = known[np.lexsort((known, years[known], surface[known]))]
    place = np.zeros(len(years), dtype=np.int64)
    place[live] = np.arange(len(live))
    usable = np.flatnonzero(reason == QuoteReason.OK)
    row = place[group[usable]]
    order = np.lexsort((k[usable], row))
    starts = np.searchsorted(row[order], np.arange(len(live) + 1))
    return live, starts, usable[order]


def _fit(
    quotes: Floats,
    starts: Ints,
    years: Floats,
    surface: Ints,
    filled: tuple[Floats, Floats, Ints],
    threads: int,
) -> None:
    """One underlying after the other, the largest first, on as many threads as asked."""
    fit_surface = _kernel()
    free, found, kinds = filled
    changes = np.flatnonzero(np.diff(surface)) + 1
    edges = [0, *changes.tolist(), len(surface)] if len(surface) else [0]
    spans = sorted(pairwise(edges), key=lambda span: int(starts[span[0]] - starts[span[1]]))

    def work(span: tuple[int, int]) -> None:
        first, last = span
        rows = slice(int(starts[first]), int(starts[last]))
        mine = np.ascontiguousarray(quotes[:, rows])
        fit_surface(
            mine,
            starts[first : last + 1] - starts[first],
            years[first:last],
            free[first:last],
            found[first:last],
            kinds[first:last],
        )
        quotes[:, rows] = mine

    if threads <= 1 or len(spans) <= 1:
        for span in spans:
            work(span)
        return
    work(spans[0])  # compiled once, not once a thread
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, spans[1:]))
