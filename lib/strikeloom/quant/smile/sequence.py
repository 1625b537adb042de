"""Slices of one underlying fitted so that no arbitrage is left in or between them (kernels).

Each slice is fitted alone. Then, the best known first, it is settled between its neighbours in
time that are settled already.
"""

from __future__ import annotations

from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled
from strikeloom.quant.smile.certificate import no_crossing
from strikeloom.quant.smile.least_squares import shape_of
from strikeloom.quant.smile.settle import allowed, anchor_of, level_of, scaled, settle, stretched
from strikeloom.quant.smile.slice_fit import fit_slice, median_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# kinds of fit; fit.Kind names them
REFUSED, FLAT, BORROWED, REDUCED, FULL = 0, 1, 2, 3, 4
_TOUCH = 1e-4  # relative, of the deviation, to a neighbour
_FAR = 6.0  # deviations from the forward at which a quote counts half
_ROOM = 4e-3  # relative, of the variance, for each slice still to be settled in between


@compiled
def _nearest(kinds: Ints, years: Floats, i: int) -> int:
    """Fitted slice nearest in the logarithm of time; -1 where there is none."""
    best, least = -1, np.inf
    for j in range(len(kinds)):
        distance = abs(log(years[j] / years[i]))
        if kinds[j] >= REDUCED and distance < least:
            best, least = j, distance
    return best


@compiled
def _neighbour(settled: NDArray[np.bool_], kinds: Ints, i: int, step: int) -> tuple[int, int]:
    """Settled slice next in time (-1 where there is none), and how many wait in between."""
    j, waiting = i + step, 0
    while 0 <= j < len(settled):
        if settled[j]:
            return j, waiting
        waiting += 1 if kinds[j] != REFUSED else 0
        j += step
    return -1, 0


@compiled
def _times(c: Floats, factor: float) -> Floats:
    """The slice with its variance times the factor at every strike; empty stays empty."""
    moved = c.copy()
    moved[:3] *= factor
    return moved


@compiled
def _settled_between(
    quotes: Floats, c: Floats, scale: float, low: Floats, high: Floats, waiting: tuple[int, int]
) -> Floats:
    """The slice settled between its neighbours, with room for those that wait in between.

    Neighbours that touch would leave one to be settled later no choice. Where there is no such
    room, the slice may touch them.
    """
    if waiting[0] + waiting[1] > 0:
        above = _times(low, 1.0 + _ROOM * waiting[0])
        below = _times(high, 1.0 / (1.0 + _ROOM * waiting[1]))
        if len(low) == 0 or len(high) == 0 or no_crossing(above, below):
            found = settle(quotes, c, scale, above, below, _TOUCH)
            if allowed(found, above, below):
                return found
    return settle(quotes, c, scale, low, high, _TOUCH)


@compiled
def _kind_of(quotes: Floats) -> int:
    """Kind of fit that the quotes of a slice allow; the slope needs quotes on both sides."""
    n = quotes.shape[1]
    if n == 0:
        return REFUSED
    if n < 3 or quotes[0, 0] > 0 or quotes[0, n - 1] < 0:
        return FLAT
    return FULL if n >= 5 else REDUCED


@compiled
def _to_scale(quotes: Floats) -> tuple[float, float]:
    """Bring a slice to units of its own deviation near the forward; that, and the weight in all.

    Far out prices are certain and volatilities so high that no smile of seven numbers passes
    through them and the options around the forward: there a quote counts less and less,
    whatever was traded in it.
    """
    n = quotes.shape[1]
    first = 0
    for i in range(n):
        if abs(quotes[0, i]) < abs(quotes[0, first]):
            first = i
    last = first + 1
    while last - first < min(5, n):
        if last >= n or (first > 0 and -quotes[0, first - 1] < quotes[0, last]):
            first -= 1
        else:
            last += 1
    scale = median_of(quotes[1, first:last])
    total = 0.0
    for i in range(n):
        quotes[2, i] /= 1.0 + (quotes[0, i] / (_FAR * scale)) ** 8
        total += quotes[2, i]
    for i in range(n):
        quotes[0, i] /= scale
        quotes[1, i] /= scale
        quotes[2, i] = sqrt(quotes[2, i] / (total / n))
        quotes[3, i] = 1.0
    return scale, total


@compiled
def _best_known(information: Floats, kinds: Ints) -> int:
    """Best known slice with a fit of its own; when there is none left, of the others; else -1."""
    best = -1
    for i in range(len(information)):
        if information[i] > 0:
            own = kinds[i] >= REDUCED
            if best < 0 or (own, information[i]) > (kinds[best] >= REDUCED, information[best]):
                best = i
    return best


@compiled
def fit_surface(
    quotes: Floats, starts: Ints, years: Floats, free: Floats, curves: Floats, kinds: Ints
) -> None:
    """Fit the slices of one underlying.

    Parameters
    ----------
    quotes : ndarray, shape (4, n)
        Moneyness, deviation (root of total variance), weight, and room for the robust weight;
        sorted by slice, then moneyness.
    starts : ndarray of int, shape (slices + 1,)
        First row of each slice.
    years : ndarray, shape (slices,)
        Positive, ascending.
    free, curves, kinds : ndarray, shape (slices, 7) twice and (slices,)
        NaN, then filled: slices by their quotes alone, slices without arbitrage, kinds of fit.
    """
    count = len(years)
    information = np.zeros(count)
    scales = np.ones(count)
    for i in range(count):
        mine = quotes[:, starts[i] : starts[i + 1]]
        size = mine.shape[1]
        kinds[i] = _kind_of(mine)
        if size == 0:
            continue
        scales[i], heavy = _to_scale(mine)
        information[i] = max(heavy / years[i], 1e-300)
        if kinds[i] >= REDUCED:
            shape = shape_of(fit_slice(mine, scales[i], kinds[i] == FULL))
            free[i] = scaled(shape, scales[i])
    settled = np.zeros(count, dtype=np.bool_)
    none = np.empty(0)
    for _ in range(count):
        i = _best_known(information, kinds)
        if i < 0:
            break
        information[i] = 0.0
        mine = quotes[:, starts[i] : starts[i + 1]]
        before, first = _neighbour(settled, kinds, i, -1)
        after, last = _neighbour(settled, kinds, i, 1)
        low = curves[before].copy() if before >= 0 else none
        high = curves[after].copy() if after >= 0 else none
        if kinds[i] == FLAT:
            source = _nearest(kinds, years, i)
            if source >= 0:
                kinds[i] = BORROWED
                c = curves[source].copy()
                free[i] = stretched(c, level_of(c, mine, scales[i], 1e-6, 1e6))
            else:
                free[i] = anchor_of(mine, scales[i], none, none)
        curves[i] = _settled_between(mine, free[i], scales[i], low, high, (first, last))
        settled[i] = True
