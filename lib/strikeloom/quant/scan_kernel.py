"""Scan margin of one candidate structure after another, compiled: the sums of ``risk.margin``.

Imported by ``risk.candidates`` alone. A candidate is rows of a table of contracts and their units,
so that every scenario of a contract is priced once, however many candidates hold it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled
from strikeloom.quant.scans import Scans

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SCENARIOS, _PAIRS = 16, 7
_MOVES = _PAIRS + 2


@compiled
def scan_margins(rows: Ints, units: Floats, scans: Scans, margin: Floats, cash: Floats) -> None:
    """Write margin and cash settled of each candidate in each state.

    Parameters
    ----------
    rows, units : ndarray, shape (n, L)
        Row of each leg's contract, -1 for none, and signed units.
    scans : Scans
    margin, cash : ndarray, shape (n, S)
        Filled; rupees.
    """
    group, kind, change, value, exposure, forward, delta, variation, last_day, rules = scans
    groups = len(last_day)
    moves = np.zeros((groups, _SCENARIOS))
    worth, net = np.zeros(groups), np.zeros(groups)
    held = np.zeros(groups, dtype=np.bool_)
    for number in range(len(rows)):
        for state in range(len(rules)):
            moves[:], worth[:], net[:], held[:] = 0.0, 0.0, 0.0, False
            exposed = bought = sold = ending = settled = 0.0
            short = False
            for leg in range(rows.shape[1]):
                row, amount = rows[number, leg], units[number, leg]
                if row < 0 or amount == 0 or kind[row] == 2:
                    continue
                at = group[row]
                held[at] = True
                for scenario in range(_SCENARIOS):
                    moves[at, scenario] += amount * change[state, row, scenario]
                worth[at] += amount * value[state, row]
                net[at] += amount * delta[state, row]
                settled += amount * variation[state, row]
                if kind[row] == 1:
                    short = True
                    if amount > 0:
                        bought += amount * forward[state, row]
                    else:
                        sold -= amount * forward[state, row]
                elif amount < 0:
                    short = True
                    exposed -= amount * exposure[state, row]
                    if last_day[at]:
                        ending -= amount * forward[state, row]
            cash[number, state] = settled
            if not short:
                margin[number, state] = 0.0
                continue
            least, spread, extra, lowest, charge, offsets = rules[state]
            exposed += least * (abs(bought - sold) + spread * min(bought, sold))
            scan, calendar = _scanned(moves, worth, net, held, last_day, charge, offsets)
            lacking = max(0.0, lowest * ending - scan - exposed)
            margin[number, state] = scan + exposed + calendar + max(extra * ending, lacking)


@compiled
def _scanned(
    moves: Floats,
    worth: Floats,
    net: Floats,
    held: Bools,
    last_day: Bools,
    charge: float,
    offsets: float,
) -> tuple[float, float]:
    """Scan margin and calendar charge, with or without offsets between expiries."""
    joint = np.zeros(_MOVES)
    separate = alone = joint_worth = long = short = 0.0
    expiries = 0
    for at in range(len(held)):
        if not held[at]:
            continue
        expiries += 1
        lone = last_day[at] and offsets == 0
        worst = 0.0
        for move in range(_MOVES):
            if move < _PAIRS:
                change = min(moves[at, 2 * move], moves[at, 2 * move + 1])
            else:
                change = moves[at, _PAIRS + move]
            worst = min(worst, change)
            if not lone:
                joint[move] += change
        need = max(0.0, -worst - worth[at])
        separate += need
        if lone:
            alone += need
            continue
        joint_worth += worth[at]
        long += max(net[at], 0.0)
        short += max(-net[at], 0.0)
    if expiries < 2:
        return separate, 0.0
    worst = 0.0
    for move in range(_MOVES):
        worst = min(worst, joint[move])
    together = alone + max(0.0, -worst - joint_worth)
    paid = charge * min(long, short)
    if together + paid < separate:
        return together, paid
    return separate, 0.0
