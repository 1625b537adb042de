"""The Pareto front of a symbol, over all its structures and choices of strikes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.market import MarketView
from strikeloom.domain.templates import StructurePurpose
from strikeloom.errors import NotBuildable
from strikeloom.quant.candidates.front import pareto_front
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.search import Best, ChainSearch, choice_of, objectives
from strikeloom.strategy_creation.structure import structure_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def symbol_front(
    prepared: ChainSearch, view: MarketView, found: Mapping[str, Best], most: int
) -> list[FrontRow]:
    """Front rows, highest expected value first; at most ``most`` of them, spread over the front.

    Hedges are not on it: they earn nothing.
    """
    names = [name for name, best in found.items() if len(best.front_rows)]
    names = [name for name in names if TEMPLATES[name].purpose is not StructurePurpose.PROTECT]
    if not names:
        return []
    owner = np.repeat(np.arange(len(names)), [len(found[name].front_rows) for name in names])
    place = np.concatenate([np.arange(len(found[name].front_rows)) for name in names])
    figures = CandidateFigures(
        *(np.concatenate(column) for column in zip(*(found[n].front for n in names), strict=True))
    )
    columns = objectives(figures)
    front = pareto_front(columns)
    rows: list[FrontRow] = []
    for at in spread(columns[front], most).tolist():
        number = int(front[at])
        name = names[owner[number]]
        legs = found[name].front_rows[place[number]]
        row = _row(prepared, view, name, legs, figures.row(number))
        if row is not None:
            rows.append(row)
    return rows


def spread(columns: Floats, most: int) -> Ints:
    """Rows of a front that stay apart: the best in each column, then always the farthest.

    Parameters
    ----------
    columns : ndarray, shape (n, d)
        Distances count in ranges of the column.

    Returns
    -------
    ndarray of int64, shape (min(n, most),)
        Ascending.
    """
    count = len(columns)
    if count <= most:
        return np.arange(count)
    size = np.ptp(columns, axis=0)
    scaled = columns / np.where(size > 0, size, 1.0)
    kept = list(dict.fromkeys(np.argmax(columns, axis=0).tolist()))[:most]
    away = np.full(count, np.inf)
    for at in kept:
        away = np.minimum(away, np.abs(scaled - scaled[at]).max(axis=1))
    away[kept] = -1.0  # equal rows are 0 away
    while len(kept) < most:
        at = int(np.argmax(away))
        kept.append(at)
        away = np.minimum(away, np.abs(scaled - scaled[at]).max(axis=1))
        away[at] = -1.0
    return np.array(sorted(kept), dtype=np.int64)


def _row(
    prepared: ChainSearch, view: MarketView, name: str, rows: Ints, figures: CandidateFigures
) -> FrontRow | None:
    """``None`` where legs cannot be made of the rows, as of different lot sizes."""
    template = TEMPLATES[name]
    try:
        choice = choice_of(prepared, template, rows)
        made = structure_of(template, view, prepared.strikes, choice)
    except NotBuildable:  # the template's own outcome states it
        return None
    paise = {
        "expected_value": figures.edge,
        "error": figures.error,
        "tail_mean": figures.tail,
        "costs": figures.costs,
        "margin": figures.margin,
        "margin_after": figures.funds,
    }
    return FrontRow(
        symbol=view.symbol,
        template=name,
        legs=made.legs,
        horizon=made.horizon.expiry,
        probability=float(figures.chance),
        **{field: round(float(value) * 100) for field, value in paise.items()},
    )
