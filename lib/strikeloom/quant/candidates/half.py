"""Probability that chosen candidates reach half of their maximum profit before the horizon.

It is solved on a grid of price and time (``probability.reach``), about a millisecond each: for
those that are shown, not for all of a search. Under the smile's density; there is no
path of prices behind the real world's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates import columns as at
from strikeloom.quant.candidates.contracts import ValueTables
from strikeloom.quant.candidates.later import NODE
from strikeloom.quant.candidates.value import Candidates
from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.probability.reach import end_prices, reach_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def half_profit_chance(
    candidates: Candidates, max_profit: Floats, tables: ValueTables, law: Law
) -> Floats:
    """Probability of a profit of half the maximum at some time until the horizon, shape (n,).

    Parameters
    ----------
    candidates : Candidates
        n rows.
    max_profit : ndarray, shape (n,)
        Of ``CandidateValues``. Infinite, missing or not positive: NaN, there is no half.
    tables : ValueTables
    law : Law
        Forward and near smile of each horizon of the tables.
    """
    row = tables.horizon[candidates.rows[:, 0]]
    target = np.where((max_profit > 0) & np.isfinite(max_profit), 0.5 * max_profit, np.nan)
    return reach_of(profit_at_horizon(candidates, tables, end_prices(law, row)), target, law, row)


def profit_at_horizon(candidates: Candidates, tables: ValueTables, prices: Floats) -> Floats:
    """Profit of each candidate at prices of its horizon, premium included.

    Parameters
    ----------
    candidates : Candidates
        n rows.
    tables : ValueTables
    prices : ndarray, shape (n, k)
        Positive.

    Returns
    -------
    ndarray, shape (n, k)
        Near legs exactly; later ones along straight lines between the nodes of their grid.
    """
    figures, grids = tables.figures, tables.grids
    rows, units = candidates.rows, candidates.units
    cash = -(units * np.where(units == 0, 0.0, figures[rows, at.AGREED])).sum(axis=1)
    profit = np.repeat(cash[:, None], prices.shape[1], axis=1)
    for leg in range(rows.shape[1]):
        held = figures[rows[:, leg]]
        call = held[:, at.IS_CALL, None] > 0
        away = prices - held[:, at.STRIKE, None]
        worth = held[:, at.SCALE, None] * np.maximum(np.where(call, away, -away), 0.0)
        for i in np.flatnonzero(held[:, at.IS_LATER] > 0).tolist():
            row = rows[i, leg]
            law = tables.horizon[row]
            size = int(grids.size[law])
            figure = grids.worth[grids.offset[row] :][:size]
            worth[i] = np.interp(prices[i], grids.grid[law, NODE, :size], figure)
        profit += np.where(units[:, leg, None] == 0, 0.0, units[:, leg, None] * worth)
    return np.asarray(profit)
