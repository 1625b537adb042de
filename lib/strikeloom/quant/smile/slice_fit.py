"""Fit of one slice from its quotes alone: start, robust weights, least squares (kernels)."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled
from strikeloom.quant.smile.certificate import variance_at
from strikeloom.quant.smile.least_squares import PRIOR, minimise, shape_of, solved

Floats = NDArray[np.float64]

#: Steepest wing: below 2, so that prices stay finite with room for rounding.
STEEPEST = 1.95
_LEFTS = np.array([-3.0, -1.5, -0.7, 0.0, 0.7])
_RIGHTS = np.array([-0.7, 0.0, 0.7, 1.5, 3.0])
_WIDTHS = np.array([0.2, 0.7, 2.0, 5.0])
_ROUNDS = 4
_WILD = 3.0  # robust scales at which a quote counts half


@compiled
def box_of(scale: float, full: bool) -> Floats:
    """Bounds of the parameters in units of the scale."""
    box = np.empty((2, 7 if full else 3))
    box[0, 0], box[1, 0] = 1e-3, 1e3
    box[0, 1:3], box[1, 1:3] = 1e-3, max(STEEPEST / scale, 2e-3)
    if full:
        for j in (3, 5):
            box[0, j], box[1, j] = -15.0, 15.0
            box[0, j + 1], box[1, j + 1] = log(0.02), log(40.0)
    return box


@compiled
def _linear(quotes: Floats, weight: Floats, left: float, right: float, width: float) -> Floats:
    """Level and slopes for given centres and width: linear unknowns, slopes at least 0."""
    a = np.zeros((3, 3))
    b = np.zeros(3)
    for i in range(quotes.shape[1]):
        x, y = quotes[0, i] - left, quotes[0, i] - right
        two = width * width
        f = (1.0, 0.5 * (sqrt(x * x + two) - x), 0.5 * (sqrt(y * y + two) + y))
        w = weight[i]
        for m in range(3):
            b[m] += w * f[m] * quotes[1, i] ** 2
            for j in range(3):
                a[m, j] += w * f[m] * f[j]
    total = a[0, 0]
    for m in range(1, 3):  # a very weak prior, so that no side is undetermined
        a[m, m] += 1e-4 * total
        b[m] += 1e-4 * total * PRIOR[m - 1]
    out = solved(a, b, np.ones(3, dtype=np.bool_))
    for m in range(1, 3):
        if out[m] < 1e-3:
            other = 3 - m
            held = 1e-3
            det = a[0, 0] * a[other, other] - a[0, other] ** 2
            b0, b1 = b[0] - a[0, m] * held, b[other] - a[other, m] * held
            out[m] = held
            out[0] = (b0 * a[other, other] - b1 * a[0, other]) / det
            out[other] = max((a[0, 0] * b1 - a[0, other] * b0) / det, 1e-3)
    return out


@compiled
def _try(quotes: Floats, weight: Floats, c: Floats) -> float:
    """Best level and slopes of the curve, into it, and the sum of absolute errors."""
    n = quotes.shape[1]
    total = 0.0
    for i in range(n):
        weight[i] = (0.5 * quotes[2, i] / quotes[1, i]) ** 2
    for _ in range(3):
        c[:3] = _linear(quotes, weight, c[3], c[5], c[4])
        total = 0.0
        for i in range(n):
            base = 0.5 * quotes[2, i] / quotes[1, i]
            error = base * abs(variance_at(c, quotes[0, i]) - quotes[1, i] ** 2)
            total += error
            weight[i] = base * base / max(error, 1e-3)
    return total


@compiled
def _start(quotes: Floats) -> Floats:
    """Best of a grid of centres and widths."""
    best = np.array([1.0, 1.0, 1.0, 0.0, 0.3, 0.0, 0.3])
    least = np.inf
    weight = np.empty(quotes.shape[1])
    c = np.empty(7)
    for left in _LEFTS:
        for right in _RIGHTS:
            for width in _WIDTHS:
                c[3], c[4], c[5], c[6] = left, width, right, width
                total = _try(quotes, weight, c)
                u = variance_at(c, 0.0)
                if total < least and u > 0:
                    least = total
                    best = np.array([u, c[1], c[2], left, log(width), right, log(width)])
    return best


@compiled
def median_of(values: Floats) -> float:
    """Median of a few values, by sorting them in."""
    v = values.copy()
    n = len(v)
    for i in range(1, n):
        held, j = v[i], i
        while j > 0 and v[j - 1] > held:
            v[j] = v[j - 1]
            j -= 1
        v[j] = held
    return float(0.5 * (v[n // 2] + v[(n - 1) // 2]))


@compiled
def spread_of(p: Floats, quotes: Floats) -> float:
    """Robust scale of the weighted errors, and the robust weights that follow from it."""
    c = shape_of(p)
    n = quotes.shape[1]
    error = np.empty(n)
    for i in range(n):
        w = max(variance_at(c, quotes[0, i]), 1e-12)
        error[i] = abs(quotes[2, i] * (sqrt(w) - quotes[1, i]))
    scale = max(1.4826 * median_of(error), 1e-7)
    for i in range(n):
        quotes[3, i] = 1.0 / sqrt(1.0 + (error[i] / (_WILD * scale)) ** 2)
    return scale


@compiled
def fit_slice(quotes: Floats, scale: float, full: bool) -> Floats:
    """Parameters of the best slice regardless of arbitrage; sets the robust weights."""
    walls = np.empty((3, 0))
    box = box_of(scale, full)
    terms = np.array([scale, 0.0, 0.0, 0.0, 1e-5, 12.0, 0.0])
    n = quotes.shape[1]
    # with few quotes more parameters can follow any noise: there the prior counts more
    faint = 0.02 * max(0.0, 1.0 - (n - 5) / 8.0)
    if full:
        p = _start(quotes)
    else:
        p = np.array([1.0, 1.0, 1.0])
        p[0] = median_of(quotes[1]) ** 2
    noise = 0.02
    for _ in range(_ROUNDS):
        terms[1] = max(noise, faint)
        p = minimise(p, quotes, walls, box, terms)
        if n > 5:
            noise = spread_of(p, quotes)
    terms[1], terms[4], terms[5] = max(noise, faint), 1e-9, 40.0
    return minimise(p, quotes, walls, box, terms)
