"""Weighted least squares of one slice (kernels).

Everything is in units of the slice's own deviation ``scale``: moneyness k / scale, deviation
s / scale, so all slices look alike, whatever their time and volatility. The parameters are
the variance at the forward, the two wing slopes, and for the full form the centre and the
logarithm of the width of each wing; the reduced form ties these as SSVI does (Gatheral and
Jacquier 2014, section 4).

Arrays of a problem:

- ``quotes`` (4, n): moneyness, deviation, root of the weight, root of the robust weight.
- ``walls`` (3, m): moneyness, deviation below and above which the slice has to stay.
- ``box`` (2, p): bounds of the parameters.
- ``terms`` (7,): ``scale``, strength of the prior, of the butterfly and of the wall terms, the
  relative gain below which no further step is taken, the most steps, and the least value of
  Durrleman's function that the butterfly terms ask for.
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled
from strikeloom.quant.smile.certificate import durrleman_at, variance_at

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Where a slice with too few quotes leans to: slopes in deviations, left centre, log width; and
#: the right wing's centre and width less the left's. Middles and half ranges of the liquid stock
#: slices of NSE in 2026.
PRIOR = np.array([1.0, 1.0, 0.0, 0.3, 0.0, 0.0])
_SPREAD = np.array([1.0, 1.0, 1.5, 1.0, 1.0, 0.7])
_TINY = 1e-6
_GRID = 50
_STEPS = np.sinh(0.15 * (np.arange(_GRID) - _GRID // 2))


@compiled
def shape_of(p: Floats) -> Floats:
    """Curve of parameters, in units of the scale."""
    u, left, right = p[0], p[1], p[2]
    if len(p) == 7:
        c = np.array([0.0, left, right, p[3], exp(p[4]), p[5], exp(p[6])])
    else:
        mean = 0.5 * (left + right)
        rho = (right - left) / (right + left)
        phi = 2.0 * mean / u
        centre, width = -rho / phi, sqrt(max(1.0 - rho * rho, 1e-8)) / phi
        c = np.array([0.0, left, right, centre, width, centre, width])
    c[0] = u - variance_at(c, 0.0)
    return c


@compiled
def _deviation(w: float) -> float:
    """Root of the variance, continued smoothly to nothing and below."""
    return sqrt(w) if w > _TINY else 0.5 * (sqrt(_TINY) + w / sqrt(_TINY))


@compiled
def _lean(c: Floats, strength: float, out: Floats) -> None:
    """Residuals of the prior."""
    values = (c[1], c[2], c[3], log(c[4]), c[5] - c[3], log(c[6] / c[4]))
    for j in range(6):
        out[j] = strength * (values[j] - PRIOR[j]) / _SPREAD[j]


@compiled
def _dents(c: Floats, terms: Floats, live: Flags, out: Floats) -> None:
    """Residuals where Durrleman's function is too low, on grids around both centres."""
    for j in range(_GRID):
        out[j] = 0.0
        if live[j]:
            wing = 3 + 2 * (j % 2)
            k = c[wing] + c[wing + 1] * _STEPS[j]
            w = variance_at(c, k)
            g = durrleman_at(c, k, terms[0]) if w > _TINY else -1.0 + w - _TINY
            out[j] = terms[2] * max(0.0, terms[6] - g)


@compiled
def residuals(
    p: Floats, quotes: Floats, walls: Floats, terms: Floats, live: Flags, out: Floats
) -> float:
    """Fill the residuals (n + 6 + grid + walls) and return half their sum of squares.

    Those of the grid and the walls are computed where ``live`` is set, else they are 0.
    """
    c = shape_of(p)
    n = quotes.shape[1]
    for i in range(n):
        root = _deviation(variance_at(c, quotes[0, i]))
        out[i] = quotes[2, i] * quotes[3, i] * (root - quotes[1, i])
    _lean(c, terms[1], out[n : n + 6])
    at = n + 6
    _dents(c, terms, live[at : at + _GRID], out[at : at + _GRID])
    at += _GRID
    for j in range(walls.shape[1]):
        out[at + j] = 0.0
        if live[at + j]:
            root = _deviation(variance_at(c, walls[0, j]))
            out[at + j] = terms[3] * max(0.0, walls[1, j] - root, root - walls[2, j])
    total = 0.0
    for j in range(len(out)):
        total += out[j] * out[j]
    return 0.5 * total


@compiled
def _triangle(a: Floats, free: Flags) -> Floats:
    """Lower triangle of Cholesky's over the free unknowns; a pivot that vanishes is a trace."""
    size = len(a)
    low = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            if free[i] and free[j]:
                total = a[i, j]
                for m in range(j):
                    total -= low[i, m] * low[j, m]
                low[i, j] = sqrt(max(total, 1e-300)) if i == j else total / low[j, j]
    return low


@compiled
def solved(a: Floats, b: Floats, free: Flags) -> Floats:
    """Normal equations on the free unknowns, the others 0; never raises."""
    size = len(b)
    low = _triangle(a, free)
    x = np.zeros(size)
    for i in range(size):
        if free[i]:
            total = b[i]
            for m in range(i):
                total -= low[i, m] * x[m]
            x[i] = total / low[i, i]
    for i in range(size - 1, -1, -1):
        if free[i]:
            total = x[i]
            for m in range(i + 1, size):
                total -= low[m, i] * x[m]
            x[i] = total / low[i, i]
    return x


@compiled
def _slopes(
    p: Floats, r: Floats, quotes: Floats, walls: Floats, box: Floats, terms: Floats
) -> Floats:
    """Derivatives of the residuals by the parameters, forward differences."""
    size = len(p)
    jacobian = np.empty((size, len(r)))
    moved = np.empty(len(r))
    live = r > 0  # a condition that holds has no slope
    for j in range(size):
        step = 1e-7 * max(abs(p[j]), 0.1)
        q = p.copy()
        q[j] += step if p[j] + step <= box[1, j] else -step
        residuals(q, quotes, walls, terms, live, moved)
        jacobian[j] = (moved - r) / (q[j] - p[j])
    return jacobian


@compiled
def _clipped(p: Floats, box: Floats) -> Floats:
    """The nearest parameters inside the box."""
    q = p.copy()
    for j in range(len(p)):
        q[j] = min(max(p[j], box[0, j]), box[1, j])
    return q


@compiled
def _normal(jacobian: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Gradient and normal matrix."""
    size = len(jacobian)
    gradient, normal = np.zeros(size), np.zeros((size, size))
    for i in range(size):
        for m in range(len(r)):
            gradient[i] += jacobian[i, m] * r[m]
        for j in range(i + 1):
            total = 0.0
            for m in range(len(r)):
                total += jacobian[i, m] * jacobian[j, m]
            normal[i, j] = normal[j, i] = total
    return gradient, normal


@compiled
def minimise(start: Floats, quotes: Floats, walls: Floats, box: Floats, terms: Floats) -> Floats:
    """Levenberg-Marquardt inside the box."""
    p = _clipped(start, box)
    size = len(p)
    r = np.empty(quotes.shape[1] + 6 + _GRID + walls.shape[1])
    trial = np.empty(len(r))
    live = np.full(len(r), terms[2] > 0)
    cost = residuals(p, quotes, walls, terms, live, r)
    free = np.ones(size, dtype=np.bool_)
    damping = 1e-3
    for _ in range(int(terms[5])):
        jacobian = _slopes(p, r, quotes, walls, box, terms)
        gradient, normal = _normal(jacobian, r)
        for j in range(size):
            pushed = (p[j] <= box[0, j] and gradient[j] > 0) or (
                p[j] >= box[1, j] and gradient[j] < 0
            )
            free[j] = not pushed
        better = False
        for _ in range(12):
            damped = normal.copy()
            for j in range(size):
                damped[j, j] += damping * normal[j, j] + 1e-14
            q = _clipped(p - solved(damped, gradient, free), box)
            found = residuals(q, quotes, walls, terms, live, trial)
            if found < cost:
                better = True
                break
            damping *= 5.0
        if not better:
            return p
        gain = cost - found
        p, cost, damping = q, found, max(damping * 0.2, 1e-12)
        r, trial = trial, r
        if gain <= terms[4] * cost or cost < 1e-26:
            return p
    return p
