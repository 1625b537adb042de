"""Proofs that smiles are free of arbitrage on the whole line, not on a grid (kernels).

A slice is an array of five: level, left, right, centre, width as in ``smile.Curves``.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]

#: Least value of Durrleman's function a slice is accepted with; room for rounding.
LEAST_G = 1e-6
_DEGREE = 10
_DEPTH = 40
_PIECES = 20000
_BINOMIAL = np.array([1.0, 10.0, 45.0, 120.0, 210.0, 252.0, 210.0, 120.0, 45.0, 10.0, 1.0])


@compiled
def variance_at(c: Floats, k: float) -> float:
    """Total variance of one slice."""
    x = k - c[3]
    root = sqrt(x * x + c[4] * c[4])
    if x > 0:
        up = root + x
        down = c[4] * c[4] / up
    else:
        down = root - x
        up = c[4] * c[4] / down
    return float(c[0] + 0.5 * (c[2] * up + c[1] * down))


@compiled
def _times(a: Floats, b: Floats) -> Floats:
    out = np.zeros(len(a) + len(b) - 1)
    for i in range(len(a)):
        for j in range(len(b)):
            out[i + j] += a[i] * b[j]
    return out


@compiled
def _durrleman_polynomial(c: Floats) -> Floats:
    """Coefficients of 4 w^2 root^3 (g - least g) z^5 in z, where k = centre + width sinh(ln z).

    Then k, root = sqrt(x^2 + width^2), w and w' root are all of the form p / z + q + r z, so
    the sign of g over the line is the sign of a polynomial of degree 10 over z > 0.
    """
    half = 0.5 * c[4]
    k = np.array([-half, c[3], half])
    root = np.array([half, 0.0, half])
    w = np.array([c[1] * half, c[0], c[2] * half])
    lean = np.array([-c[1] * half, 0.0, c[2] * half])
    lead = 2.0 * _times(w, root) - _times(k, lean)
    w2, lean2 = _times(w, w), _times(lean, lean)
    inner = _times(lead, lead) - 0.25 * _times(lean2, w2)
    inner[1:8] -= _times(lean2, w)
    inner -= 4.0 * LEAST_G * _times(w2, _times(root, root))
    out = _times(root, inner)
    out[3:8] += (c[1] + c[2]) * c[4] * c[4] * w2
    return out


@compiled
def no_butterfly(c: Floats) -> bool:
    """Whether total variance is positive and Durrleman's function exceeds ``LEAST_G`` everywhere.

    The polynomial is positive on an interval where all its Bernstein coefficients are; the
    interval is halved until they are, or one end is proved not to be.
    """
    if not np.all(np.isfinite(c)) or c[4] <= 0 or c[1] < 0 or c[2] < 0 or max(c[1], c[2]) >= 2:
        return False
    if c[0] + c[4] * sqrt(c[1] * c[2]) <= 0:
        return False
    if c[1] == 0 and c[2] == 0:
        return True
    stack = np.empty((_DEPTH + 2, _DEGREE + 1))
    depths = np.zeros(_DEPTH + 2, dtype=np.int64)
    stack[0] = _durrleman_polynomial(c) / _BINOMIAL
    count = 1
    while count > 0:
        count -= 1
        depth = depths[count]
        b = stack[count].copy()
        if b.min() > 0:
            continue
        if b[0] <= 0 or b[_DEGREE] <= 0 or depth >= _DEPTH:
            return False
        for i in range(_DEGREE + 1):  # de Casteljau at the middle
            stack[count + 1, i] = b[0]
            for j in range(_DEGREE - i):
                b[j] = 0.5 * (b[j] + b[j + 1])
            stack[count, _DEGREE - i] = b[_DEGREE - i]
        depths[count] = depth + 1
        depths[count + 1] = depth + 1
        count += 2
    return True


@compiled
def _tail_from(low: Floats, high: Floats, side: int, start: float) -> float:
    """Distance from zero beyond which ``high`` stays above ``low`` on one side; NaN if unproved.

    A hyperbola lies above its asymptote, by less than mean slope x width^2 / 2x at x.
    """
    slope_low, slope_high = (low[2], high[2]) if side > 0 else (low[1], high[1])
    gap = (high[0] - side * slope_high * high[3]) - (low[0] - side * slope_low * low[3])
    rise = slope_high - slope_low
    bend = 0.25 * (low[1] + low[2]) * low[4] * low[4]
    reach = start
    for _ in range(60):
        x = reach - side * low[3]
        if x > 0 and gap + rise * reach - bend / x > 0:
            return reach
        reach *= 2.0
    return np.nan


@compiled
def no_crossing(low: Floats, high: Floats) -> bool:
    """Whether ``high`` is nowhere below ``low``.

    Both are convex, so on an interval ``high`` is above its tangent and ``low`` below its
    chord; intervals are halved until the tangent clears the chord. Beyond them the wings
    decide. Slices of the same centre and width have a closed form, which also allows equality.
    """
    if high[1] < low[1] or high[2] < low[2]:
        return False
    if high[3] == low[3] and high[4] == low[4]:
        least = high[0] - low[0] + high[4] * sqrt((high[1] - low[1]) * (high[2] - low[2]))
        return bool(least >= 0)
    scale = abs(low[3]) + low[4] + abs(high[3]) + high[4]
    right = _tail_from(low, high, 1, scale)
    left = _tail_from(low, high, -1, scale)
    if not (right > 0 and left > 0):
        return False
    ends = np.empty(200)
    ends[0] = right
    at, count = -left, 1
    for _ in range(_PIECES):
        to = ends[count - 1]
        middle = 0.5 * (at + to)
        x = middle - high[3]
        value = variance_at(high, middle)
        slope = 0.5 * (high[2] - high[1]) + 0.5 * (high[2] + high[1]) * x / sqrt(
            x * x + high[4] * high[4]
        )
        half = to - middle
        clear = value - slope * half > variance_at(low, at) and value + slope * half > variance_at(
            low, to
        )
        if clear:
            at, count = to, count - 1
            if count == 0:
                return True
            continue
        if value <= variance_at(low, middle) or count >= 199:
            return False
        ends[count] = middle
        count += 1
    return False
