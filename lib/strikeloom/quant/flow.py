"""Measures from open interest and volume of option chains, for many chains at once.

One row a contract, with the number of its chain in ``group``. Rows whose amount is not finite
or not positive are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Walls(NamedTuple):
    """Strikes with the largest open interest of each chain, NaN where there is none.

    ``call`` is the strike with most open calls, ``put`` with most open puts; of equal ones the
    strike nearest to the forward.
    """

    call: Floats
    put: Floats


def put_call(amount: Floats, is_call: Bools, group: Ints, groups: int) -> Floats:
    """Amount of puts over amount of calls (open interest, volume).

    Parameters
    ----------
    amount : ndarray, shape (n,)
        Of each contract, one unit of measure a chain.
    is_call : ndarray of bool, shape (n,)
    group : ndarray of int64, shape (n,)
        Chain of each contract, 0 to ``groups`` - 1.
    groups : int

    Returns
    -------
    ndarray, shape (groups,)
        NaN where no call has a positive amount.
    """
    rows = _counted(amount)
    puts = _total(amount, rows & ~is_call, group, groups)
    calls = _total(amount, rows & is_call, group, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(calls > 0, puts / calls, np.nan)


def walls(
    strike: Floats, amount: Floats, is_call: Bools, forward: Floats, group: Ints, groups: int
) -> Walls:
    """Strikes with the largest open interest, one for calls and one for puts.

    Parameters
    ----------
    strike, amount : ndarray, shape (n,)
    is_call : ndarray of bool, shape (n,)
    forward : ndarray, shape (groups,)
    group : ndarray of int64, shape (n,)
    groups : int
    """
    away = np.abs(np.log(strike / forward[group]))
    found = []
    for side in (is_call, ~is_call):
        rows = np.flatnonzero(side & _counted(amount))
        # ascending: the last of each chain is its largest, nearest to the forward
        order = rows[np.lexsort((-away[rows], amount[rows], group[rows]))]
        wall = np.full(groups, np.nan)
        wall[group[order]] = strike[order]
        found.append(wall)
    return Walls(*found)


def max_pain(strike: Floats, open_interest: Floats, is_call: Bools, group: Ints) -> Floats:
    """Level at which the open options of a chain have the least total value at expiry.

    The total value is convex and linear between strikes, so its least is at a strike: the first at
    which the calls open at or below it are as many as the puts open above it.

    Parameters
    ----------
    strike, open_interest : ndarray, shape (n,)
    is_call : ndarray of bool, shape (n,)
    group : ndarray of int64, shape (n,)
        Chains numbered from 0 without gaps.

    Returns
    -------
    ndarray, shape (highest group + 1,)
        The lowest such strike where several are equal. NaN without an open call or without
        an open put: the least then lies at an end of the list and is meaningless.
    """
    groups = int(group.max()) + 1 if len(group) else 0
    rows = np.flatnonzero(_counted(open_interest))
    order = rows[np.lexsort((strike[rows], group[rows]))]
    g, k, amount, call = group[order], strike[order], open_interest[order], is_call[order]
    calls, puts = np.where(call, amount, 0.0), np.where(call, 0.0, amount)
    all_calls, all_puts = (np.bincount(g, weights=x, minlength=groups) for x in (calls, puts))
    before_calls, before_puts = (
        np.concatenate(([0.0], np.cumsum(x)))[:-1] for x in (all_calls, all_puts)
    )
    below = np.cumsum(calls) - before_calls[g]
    above = all_puts[g] - (np.cumsum(puts) - before_puts[g])
    # the last row of a strike has counted all of its contracts
    last = np.ones(len(g), dtype=bool)
    last[:-1] = (g[1:] != g[:-1]) | (k[1:] != k[:-1])
    turned = np.flatnonzero(last & (below >= above - 1e-9 * all_puts[g]))
    found = np.full(groups, np.nan)
    found[g[turned[::-1]]] = k[turned[::-1]]
    return np.where((all_calls > 0) & (all_puts > 0), found, np.nan)


def _counted(amount: Floats) -> Bools:
    return np.asarray(np.isfinite(amount) & (amount > 0))


def _total(amount: Floats, rows: Bools, group: Ints, groups: int) -> Floats:
    return np.asarray(
        np.bincount(group[rows], weights=amount[rows], minlength=groups), dtype=np.float64
    )
