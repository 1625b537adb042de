"""Probability that a structure reaches a profit at some time before expiry.

Half of the maximum profit is the usual target. There is no closed form: the value of
a structure moves with price and time. Both its value V and the probability U are solved backwards
from expiry on one grid of moneyness and time,

    dX/dt + (sigma^2 / 2) (d2X/dk2 - dX/dk) = 0,  U held at 1 where V has reached the target,

with the local variance sigma(k, t) that B. Dupire ("Pricing with a smile", 1994) gives for the
smile shrinking with its time (``curves.shrink``): at expiry it has the smile's own distribution,
and value and probability follow one law. Implicit steps, short near expiry; the edge of the
region is placed between nodes by its distance (G. H. Shortley and R. Weller, 1938); runs of one
and of two halved steps are extrapolated. ``benchmarks/probability.py`` has the error.

Values are undiscounted and at the model's price: no spread, no charges.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.kernel_cache import import_kernels
from strikeloom.quant.payoff import Legs, profit_at
from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.smile.curves import Curves, total_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_REACH = 6.0  # standard deviations at the forward to each side
_FARTHEST = 9.0  # where the smile is read, in the same: a local variance of the far wing
_KERNELS = ("probability.reach_kernel", "compiled")
_NEAREST = 1e-3  # of a step: how near to a node the edge may lie


def reach(
    legs: Legs,
    target: Floats,
    law: Law,
    row: Ints,
    *,
    today: Floats | None = None,
    nodes: int = 161,
    steps: int = 48,
) -> Floats:
    """Probability that profit reaches a target on or before expiry.

    Parameters
    ----------
    legs : Legs
        n structures whose legs expire together.
    target : ndarray, shape (n,)
        Rupees of profit, premium included. NaN or infinite: NaN.
    law : Law
        m laws. A start on the grid is at the forward: the small carry from the spot is left out.
    row : ndarray of int64, shape (n,)
        Law of each structure.
    today : ndarray, shape (n,), optional
        The target now, moving evenly to ``target`` at expiry; the same when not given.
    nodes, steps : int
        Of the grid; ``steps`` is of the finer run.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN as well for a refused smile or missing legs.
    """
    with np.errstate(invalid="ignore"):
        profit = profit_at(end_prices(law, row, nodes=nodes), legs)
    return reach_of(profit, target, law, row, today=today, steps=steps)


def end_prices(law: Law, row: Ints, *, nodes: int = 161) -> Floats:
    """Prices at the end for which ``reach_of`` takes profits, shape (n, nodes), ascending.

    Parameters
    ----------
    law : Law
        m laws.
    row : ndarray of int64, shape (n,)
        Law of each structure.
    nodes : int
        Odd: the middle one is the forward.
    """
    unit = np.sqrt(total_variance(law.curves, 0.0).w)[row, None]
    return np.asarray(law.forward[row, None] * np.exp(np.linspace(-_REACH, _REACH, nodes) * unit))


def reach_of(
    profit: Floats,
    target: Floats,
    law: Law,
    row: Ints,
    *,
    today: Floats | None = None,
    steps: int = 48,
) -> Floats:
    """Probability that profit reaches a target by the end, of any profit at the end.

    Parameters
    ----------
    profit : ndarray, shape (n, nodes)
        At ``end_prices``, premium included; legs that go on are worth what they are worth then.
    target, law, row, today, steps
        As in ``reach``.
    """
    goals = (target, target if today is None else today)
    fine = _solve(profit, goals, law, row, steps)
    coarse = _solve(profit, goals, law, row, steps // 2)
    # the error of implicit steps is proportional to their length
    return np.asarray(np.clip(2 * fine - coarse, 0.0, 1.0))


def _solve(profit: Floats, goals: tuple[Floats, Floats], law: Law, row: Ints, steps: int) -> Floats:
    unit = np.sqrt(total_variance(law.curves, 0.0).w)
    nodes = profit.shape[1]
    places = np.linspace(-_REACH, _REACH, nodes)[:, None]
    h = 2 * _REACH / (nodes - 1) * unit[row]
    value, step = np.ascontiguousarray(profit.T), _kernel()
    with np.errstate(invalid="ignore"):
        bad = ~np.isfinite(goals[0] + goals[1]) | ~np.isfinite(value).all(axis=0)
        last, first = (np.where(bad, 1.0, goal) for goal in goals)
        value = np.where(bad, 0.0, value)
        h = np.where(bad, 1.0, h)
        chance = (value >= last).astype(np.float64)
        even = np.tile(h, (nodes, 1))
        left_over = 1 - (np.arange(steps + 1) / steps) ** 2
        for later, now in pairwise(left_over.tolist()):
            half = 0.5 * _local_variance(law.curves, places * unit, 0.5 * (later + now))[:, row]
            half = np.where(bad, 1.0, half) * (later - now)
            value = step(value, half, even, even)
            goal = last + (first - last) * (1 - now)
            inside = value >= goal
            before, after = _distances(value, goal, inside, even)
            chance = np.where(inside, 1.0, chance)
            chance = step(chance, np.where(inside, 0.0, half), before, after)
    found = chance[nodes // 2]
    return np.asarray(np.where(bad, np.nan, found))


def _local_variance(curves: Curves, k: Floats, time: float) -> Floats:
    """Variance a whole life at moneyness k, shape (nodes, m), and a share of life gone."""
    unit = np.sqrt(total_variance(curves, 0.0).w)
    y = np.clip(k / np.sqrt(time), -_FARTHEST * unit, _FARTHEST * unit)
    u, du, d2u = total_variance(curves, y)
    lead = 1 - 0.5 * y * du / u
    g = lead * lead - 0.25 * du * du * (1 / u + 0.25 * time) + 0.5 * d2u
    return np.asarray(u * lead / g)


def _distances(
    value: Floats, goal: Floats, inside: NDArray[np.bool_], h: Floats
) -> tuple[Floats, Floats]:
    """From each node to its neighbours, or to the edge of the region where that is nearer."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step = value[1:] - value[:-1]
        up = np.clip((goal - value[:-1]) / step, _NEAREST, 1.0)
        down = np.clip((value[1:] - goal) / step, _NEAREST, 1.0)
    before, after = np.array(h), np.array(h)
    enters, leaves = ~inside[:-1] & inside[1:], inside[:-1] & ~inside[1:]
    after[:-1] = np.where(enters, up * h[:-1], h[:-1])
    before[1:] = np.where(leaves, down * h[1:], h[1:])
    return before, after


@cache
def _kernel() -> Callable[[Floats, Floats, Floats, Floats], Floats]:
    name = "probability.reach_kernel"
    if find_spec("numba") is None:
        module = importlib.import_module(f"strikeloom.quant.{name}")
    else:
        module = import_kernels(name, _KERNELS)
    return cast("Callable[[Floats, Floats, Floats, Floats], Floats]", module.implicit_step)
