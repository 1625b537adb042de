"""Fit of one slice from its quotes alone: start, robust weights, least squares (kernels)."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled
from strikeloom.quant.smile_certificate import variance_at
from strikeloom.quant.smile_least_squares import PRIOR, minimise, shape_of, solved

Floats = NDArray[np.float64]

#: Steepest wing: below 2, so that prices stay finite with room for rounding.
STEEPEST = 1.95
_CENTRES = np.array([-3.0, -1.5, -0.7, -0.2, 0.2, 0.7, 1.5, 3.0])
_WIDTHS = np.array([0.15, 0.5, 1.2, 2.5, 6.0])
_ROUNDS = 4
_WILD = 3.0  # robust scales at which a quote counts half


@compiled
def box_of(scale: float, full: bool) -> Floats:
    """Bounds of the parameters in units of the scale."""
    box = np.empty((2, 5 if full else 3))
    box[0, 0], box[1, 0] = 1e-3, 1e3
    box[0, 1:3], box[1, 1:3] = 1e-3, max(STEEPEST / scale, 2e-3)
    if full:
        box[0, 3], box[1, 3] = -15.0, 15.0
        box[0, 4], box[1, 4] = log(0.02), log(40.0)
    return box


@compiled
def _linear(quotes: Floats, weight: Floats, centre: float, width: float) -> Floats:
    """Level and slopes for a given centre and width: three linear unknowns, slopes at least 0."""
    a = np.zeros((3, 3))
    b = np.zeros(3)
    for i in range(quotes.shape[1]):
        x = quotes[0, i] - centre
        root = sqrt(x * x + width * width)
        f = (1.0, 0.5 * (root - x), 0.5 * (root + x))
        w = weight[i]
        for m in range(3):
            b[m] += w * f[m] * quotes[1, i] ** 2
            for j in range(3):
                a[m, j] += w * f[m] * f[j]
    total = a[0, 0]
    for m in range(1, 3):  # a whisper of a prior, so that no side is undetermined
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
def _start(quotes: Floats) -> Floats:
    """Best of a grid of centres and widths by the sum of absolute errors."""
    n = quotes.shape[1]
    best = np.array([1.0, 1.0, 1.0, 0.0, 0.3])
    least = np.inf
    weight = np.empty(n)
    for centre in _CENTRES:
        for width in _WIDTHS:
            base = 0.5 * quotes[2] / quotes[1]
            for i in range(n):
                weight[i] = base[i] * base[i]
            c = np.empty(5)
            for _ in range(3):
                found = _linear(quotes, weight, centre, width)
                c[0], c[1], c[2], c[3], c[4] = found[0], found[1], found[2], centre, width
                total = 0.0
                for i in range(n):
                    error = base[i] * abs(variance_at(c, quotes[0, i]) - quotes[1, i] ** 2)
                    total += error
                    weight[i] = base[i] * base[i] / max(error, 1e-3)
            u = variance_at(c, 0.0)
            if total < least and c[0] + c[4] * sqrt(c[1] * c[2]) > 0 and u > 0:
                least = total
                best = np.array([u, c[1], c[2], centre, log(width)])
    return best


@compiled
def spread_of(p: Floats, quotes: Floats) -> float:
    """Robust scale of the weighted errors, and the robust weights that follow from it."""
    c = shape_of(p)
    n = quotes.shape[1]
    error = np.empty(n)
    for i in range(n):
        w = max(variance_at(c, quotes[0, i]), 1e-12)
        error[i] = quotes[2, i] * (sqrt(w) - quotes[1, i])
    scale = max(1.4826 * float(np.median(np.abs(error))), 1e-7)
    for i in range(n):
        quotes[3, i] = 1.0 / sqrt(1.0 + (error[i] / (_WILD * scale)) ** 2)
    return scale


@compiled
def fit_slice(quotes: Floats, scale: float, full: bool) -> Floats:
    """Parameters of the best slice regardless of arbitrage; sets the robust weights."""
    walls = np.empty((3, 0))
    box = box_of(scale, full)
    terms = np.array([scale, 0.0, 0.0, 0.0])
    n = quotes.shape[1]
    # with few quotes more parameters can follow any noise: there the prior speaks up
    faint = 0.02 * max(0.0, 1.0 - (n - 5) / 8.0)
    if full:
        p = _start(quotes)
    else:
        p = np.array([1.0, 1.0, 1.0])
        p[0] = float(np.median(quotes[1])) ** 2
    noise = 0.02
    for _ in range(_ROUNDS):
        terms[1] = max(noise, faint)
        p = minimise(p, quotes, walls, box, terms, 12)
        if n > 5:
            noise = spread_of(p, quotes)
    terms[1] = max(noise, faint)
    return minimise(p, quotes, walls, box, terms, 40)
