"""One slice made free of arbitrage between its neighbours in time, near its quotes (kernels).

Least squares with walls of increasing strength; where arbitrage is left, a final move towards
a curve known to be free of it, no further than needed. Neighbours are curves in
the order of ``curves.Curves``, empty where there is none.
"""

from __future__ import annotations

from math import exp, log, sinh, sqrt

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled
from strikeloom.quant.smile.certificate import no_butterfly, no_crossing, variance_at
from strikeloom.quant.smile.least_squares import minimise, shape_of
from strikeloom.quant.smile.slice_fit import box_of

Floats = NDArray[np.float64]

_REACH = 81
_LEAST_G = 0.004  # asked for on a grid, so that it is positive everywhere
_TIGHTER = ((1.0, 1.0), (4.0, 4.0), (20.0, 4.0), (60.0, 16.0))


@compiled
def stretched(c: Floats, share: float) -> Floats:
    """The slice with its variance times ``share`` and the same shape in deviations."""
    moved = c * sqrt(share)
    moved[0] = c[0] * share
    return moved


@compiled
def allowed(c: Floats, low: Floats, high: Floats) -> bool:
    """Whether a slice is free of arbitrage and stays between two (empty where there is none)."""
    if len(low) > 0 and not no_crossing(low, c):
        return False
    if len(high) > 0 and not no_crossing(c, high):
        return False
    return no_butterfly(c)


@compiled
def scaled(c: Floats, scale: float) -> Floats:
    """Curve in units of ``scale`` to natural units; with 1 / scale back."""
    return stretched(c, scale * scale)


@compiled
def parameters_of(c: Floats, scale: float) -> Floats:
    """Parameters of the full form, of a curve in natural units."""
    s = scaled(c, 1.0 / scale)
    return np.array([variance_at(s, 0.0), s[1], s[2], s[3], log(s[4]), s[5], log(s[6])])


@compiled
def _walls(low: Floats, high: Floats, scale: float, room: float) -> Floats:
    """Deviations of the neighbours on a grid that is denser near the forward, with room left."""
    size = _REACH if len(low) + len(high) > 0 else 0
    walls = np.empty((3, size))
    for j in range(size):
        x = (j - _REACH // 2) / 8.0
        k = scale * x * (1.0 + x * x)
        walls[0, j] = k / scale
        walls[1, j] = 0.0
        walls[2, j] = np.inf
        if len(low) > 0:
            walls[1, j] = sqrt(variance_at(low, k)) / scale * (1.0 + room)
        if len(high) > 0:
            walls[2, j] = sqrt(variance_at(high, k)) / scale * (1.0 - room)
    return walls


@compiled
def level_of(c: Floats, quotes: Floats, scale: float, least: float, most: float) -> float:
    """Share by which a curve has to be stretched to pass through the quotes, by bisection."""
    low, high = log(least), log(most)
    for _ in range(60):
        middle = 0.5 * (low + high)
        moved = stretched(c, exp(middle))
        total = 0.0
        for i in range(quotes.shape[1]):
            root = sqrt(variance_at(moved, scale * quotes[0, i])) / scale
            total += (quotes[2, i] * quotes[3, i]) ** 2 * (root - quotes[1, i])
        if total > 0:
            high = middle
        else:
            low = middle
    return exp(low)


@compiled
def _misfit(c: Floats, quotes: Floats, scale: float) -> float:
    """Weighted mean square distance from the quotes, in units of the scale."""
    total, weights = 0.0, 0.0
    for i in range(quotes.shape[1]):
        weight = (quotes[2, i] * quotes[3, i]) ** 2
        root = sqrt(max(variance_at(c, scale * quotes[0, i]), 0.0)) / scale
        total += weight * (root - quotes[1, i]) ** 2
        weights += weight
    return total / weights


@compiled
def _above(quotes: Floats, scale: float, low: Floats) -> Floats:
    """A free slice of the family of the one below: stretched or lifted towards the quotes."""
    share = level_of(low, quotes, scale, 1.0, 1e4)
    none = np.empty(0)
    for _ in range(12):
        c = stretched(low, share)
        if allowed(c, low, none):
            return c
        c = low.copy()
        c[0] += (share - 1.0) * variance_at(low, 0.0)
        if allowed(c, low, none):
            return c
        share = sqrt(share)
    return low.copy()


@compiled
def _amid(quotes: Floats, scale: float, low: Floats, high: Floats) -> Floats:
    """The free slice nearest to the quotes on the straight way from one neighbour to the other."""
    best, least = low.copy(), _misfit(low, quotes, scale)
    for j in range(1, 17):
        c = low + j / 16.0 * (high - low)
        off = _misfit(c, quotes, scale)
        if off < least and allowed(c, low, high):
            best, least = c, off
    return best


@compiled
def anchor_of(quotes: Floats, scale: float, low: Floats, high: Floats) -> Floats:
    """A slice known to be free between the neighbours, near the quotes."""
    if len(low) > 0 and len(high) > 0:
        return _amid(quotes, scale, low, high)
    if len(low) > 0:
        return _above(quotes, scale, low)
    if len(high) > 0:
        return stretched(high, level_of(high, quotes, scale, 1e-4, 1.0))
    total, level = 0.0, 0.0
    for i in range(quotes.shape[1]):
        weight = (quotes[2, i] * quotes[3, i]) ** 2
        total += weight
        level += weight * quotes[1, i]
    return np.array([(scale * level / total) ** 2, 0.0, 0.0, 0.0, scale, 0.0, scale])


@compiled
def _lifted(c: Floats, low: Floats, high: Floats) -> Floats:
    """The slice moved up or down as a whole until it clears its neighbours.

    By what it lacks on a grid, and where that proves too little, by a trace more.
    """
    up, down = 0.0, 0.0
    reach = 0.5 * (abs(c[3]) + abs(c[5]) + c[4] + c[6])
    for j in range(-120, 121):
        k = 0.5 * (c[3] + c[5]) + reach * sinh(j * 0.06)
        w = variance_at(c, k)
        if len(low) > 0:
            up = max(up, variance_at(low, k) - w)
        if len(high) > 0:
            down = max(down, w - variance_at(high, k))
    moved = c.copy()
    trace = 1e-6 * abs(variance_at(c, 0.0))
    for _ in range(5):
        moved[0] = c[0]
        moved[0] += up + trace if up > 0 else 0.0
        moved[0] -= down + trace if down > 0 else 0.0
        if (up > 0) == (down > 0) or allowed(moved, low, high):
            break
        trace *= 8.0
    return moved


@compiled
def _towards(c: Floats, anchor: Floats, low: Floats, high: Floats) -> Floats:
    """First free slice on the straight way to the anchor, which is free itself."""
    fails, holds = 0.0, 1.0
    for j in range(1, 17):
        part = (j / 16.0) ** 3
        if allowed((1 - part) * c + part * anchor, low, high):
            holds = part
            break
        fails = part
    for _ in range(6):
        middle = 0.5 * (fails + holds)
        if allowed((1 - middle) * c + middle * anchor, low, high):
            holds = middle
        else:
            fails = middle
    return (1 - holds) * c + holds * anchor if holds < 1 else anchor


@compiled
def _bounded(
    quotes: Floats,
    start: Floats,
    scale: float,
    low: Floats,
    high: Floats,
    room: float,
    least_g: float,
) -> Floats:
    """Least squares between the neighbours, with walls that harden until the slice is free."""
    walls = _walls(low, high, scale, room)
    box = box_of(scale, True)
    for j in range(2):
        if len(low) > 0:
            box[0, 1 + j] = max(box[0, 1 + j], low[1 + j] / scale * (1 + room))
        if len(high) > 0:
            most = high[1 + j] / scale * (1 - room)
            box[1, 1 + j] = max(box[0, 1 + j], min(box[1, 1 + j], most))
    terms = np.array([scale, 0.01, 0.0, 0.0, 1e-4, 40.0, least_g])
    p = parameters_of(start, scale)
    c = start
    for hardness in (10.0, 100.0, 1000.0):
        terms[2], terms[3] = hardness, hardness
        p = minimise(p, quotes, walls, box, terms)
        c = _lifted(scaled(shape_of(p), scale), low, high)
        if allowed(c, low, high):
            return c
    return c


@compiled
def settle(
    quotes: Floats, c: Floats, scale: float, low: Floats, high: Floats, room: float
) -> Floats:
    """The slice made free of arbitrage between its neighbours, near its quotes.

    Least squares starts from the slice itself and, where that ends far off, from the anchor.
    Its walls and its conditions hold on a grid: where a trace of arbitrage is left in between,
    it is repeated further inside them, for the way to the anchor leads away from the quotes.
    """
    if allowed(c, low, high):
        return c
    anchor = anchor_of(quotes, scale, low, high)
    best, least = anchor, _misfit(anchor, quotes, scale)
    near = 1.3 * _misfit(c, quotes, scale) + 2e-5
    few = quotes.shape[1] < 3
    hoped = np.inf
    for tight, denser in _TIGHTER:
        for start in (c, anchor):
            if few:
                found = _lifted(start, low, high)
            else:
                found = _bounded(quotes, start, scale, low, high, room * tight, _LEAST_G * denser)
            if not allowed(found, low, high):
                hoped = min(hoped, _misfit(found, quotes, scale))
                found = _towards(found, anchor, low, high)
            off = _misfit(found, quotes, scale)
            if off < least:
                best, least = found, off
            if least < near:
                return best
        if few or least < 1.3 * hoped:
            break
    return best
