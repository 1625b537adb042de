"""Worth of contracts on the grid of their horizon, and the level of later smiles, compiled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates.later import NODE, Grids
from strikeloom.quant.compiled import compiled
from strikeloom.quant.probability.odds_kernel import normal_below, variance_at

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEPS = 30
_ENOUGH = 1e-8  # of the forward: how near a mean must come to the price today
_FAINT = 1e-11  # weight of a node that is left out
_ROOT_TWO_PI = math.sqrt(2 * math.pi)


@compiled
def _outside(c: Floats, level: float, forward: float, strike: float) -> tuple[float, float]:
    """Out-of-the-money value on a smile whose variance is scaled; its slope by that scale."""
    k = math.log(strike / forward)
    w = level * variance_at(c, k)[0]
    if not w > 0.0:
        return 0.0 * w, 0.0
    s = math.sqrt(w)
    sign = 1.0 if k >= 0 else -1.0
    d = sign * (-k / s + 0.5 * s)
    value = sign * (forward * normal_below(d) - strike * normal_below(d - sign * s))
    slope = forward * math.exp(-0.5 * d * d) / _ROOT_TWO_PI * 0.5 * s / level
    return max(value, 0.0), slope


@compiled
def _level(
    nodes: Floats, weights: Floats, c: Floats, carry: float, strike: float, today: float,
    start: float,
) -> float:  # fmt: skip
    """Scale of the variance at which the mean of the worth is today's out-of-the-money price."""
    low, high, level = 0.0, math.inf, start
    # ``today`` is of the side that is out of the money at today's forward: negative for a put
    is_call, price = today >= 0, abs(today)
    for _ in range(_STEPS):
        mean, slope = 0.0, 0.0
        for j in range(1, len(nodes)):
            if abs(weights[j]) < _FAINT:
                continue
            forward = carry * nodes[j]
            value, rise = _outside(c, level, forward, strike)
            if (strike >= forward) != is_call:
                value += abs(forward - strike)
            mean += weights[j] * value
            slope += weights[j] * rise
        if not is_call:
            mean += weights[0] * strike
        gap = price - mean
        if not abs(gap) > _ENOUGH * carry * nodes[len(nodes) // 2]:
            break
        if gap > 0:
            low = level
        else:
            high = level
        step = level + gap / slope if slope > 0 else math.inf
        if not low < step < high:
            step = 2.0 * level if high == math.inf else 0.5 * (low + high)
        level = step
        if high < 1e-6:
            return 0.0
    return level


@compiled
def fill_worth(
    grids: Grids, law: Ints, twin: Ints, terms: Floats, live: Floats, weights: Floats
) -> None:
    """Fill ``grids.worth`` and ``grids.means``.

    ``twin``, shape (c,): an earlier later option of the same horizon, strike and expiry, from
    which call or put follows by parity; -1 for none.
    ``terms``, shape (c, 6): strike, whether a call, forward over the horizon's, discount factor
    from the horizon, whether later, undiscounted out-of-the-money price today, negative for a
    put. ``live``, shape (c, 7): smiles with the time left at the horizon. ``weights``, shape
    (m, 2, k): of the nodes in a mean.
    """
    before, start = -1, 1.0  # neighbouring strikes have nearly the same level
    for i in range(len(law)):
        begin = grids.offset[i]
        if begin < 0:
            continue
        size = grids.size[law[i]]
        nodes, weight = grids.grid[law[i], NODE, :size], weights[law[i], :, :size]
        strike, is_call, carry, discount = terms[i, 0], terms[i, 1] > 0, terms[i, 2], terms[i, 3]
        level, later, other = 0.0, terms[i, 4] > 0, twin[i]
        same = other >= 0 and (terms[other, 1] > 0) == is_call
        if later and other < 0:
            start = start if before == law[i] and start > 0.0 else 1.0
            level = _level(nodes, weight[0], live[i], carry, strike, terms[i, 5], start)
            before, start = law[i], level
        if later:
            grids.means[i, 0] = grids.means[i, 1] = 0.0
        for j in range(size):
            forward = carry * nodes[j]
            worth = forward - strike if is_call else strike - forward
            worth = max(worth, 0.0)
            if later and level > 0 and j > 0:
                worth += _outside(live[i], level, forward, strike)[0]
            if later or strike == 0:
                worth *= discount
            if other >= 0:
                worth = grids.worth[grids.offset[other] + j]
                if not same:
                    worth += discount * (forward - strike if is_call else strike - forward)
                    worth = max(worth, 0.0)
            grids.worth[begin + j] = worth
            if later:
                grids.means[i, 0] += weight[0, j] * worth
                grids.means[i, 1] += weight[1, j] * worth
