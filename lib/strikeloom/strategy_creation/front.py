"""The Pareto front of a symbol, over all its structures and choices of strikes."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.market import MarketView
from strikeloom.domain.templates import StructurePurpose
from strikeloom.errors import NotBuildable
from strikeloom.quant.candidates.front import pareto_front
from strikeloom.strategy_creation.buildable import structure_at
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.search import ChainSearch, Searched

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def symbol_front(
    prepared: ChainSearch, view: MarketView, searched: Searched, names: Collection[str], most: int
) -> list[FrontRow]:
    """Front rows, highest expected value first; at most ``most`` of them, spread over the front.

    Those that pass the rules compete. Hedges are not on it: they earn nothing.

    Parameters
    ----------
    names : collection of str
        Templates that count.
    """
    valued = searched.valued
    purposes = [TEMPLATES[name].purpose for name in searched.names]
    counts = np.array(
        [
            name in names and purpose is not StructurePurpose.PROTECT
            for name, purpose in zip(searched.names, purposes, strict=True)
        ],
        dtype=bool,
    )
    kept = np.flatnonzero(counts[valued.owner] & (valued.misses.failed == 0))
    kept = kept[np.argsort(valued.owner[kept], kind="stable")]
    figures = valued.figures.row(kept)
    columns = _objectives(figures)
    front = pareto_front(columns)
    rows: list[FrontRow] = []
    for at in spread(columns[front], most).tolist():
        number = int(front[at])
        name = searched.names[valued.owner[kept[number]]]
        legs = valued.rows[kept[number], : len(TEMPLATES[name].legs)]
        row = _row(prepared, view, name, legs, figures.row(number))
        if row is not None:
            rows.append(row)
    return rows


def _objectives(figures: CandidateFigures) -> Floats:
    """What a front compares, more is better: shape (n, 4)."""
    return np.stack((figures.edge, figures.tail, figures.chance, -figures.funds), axis=-1)


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
    """``None`` where legs cannot be made of the rows."""
    template = TEMPLATES[name]
    try:
        made = structure_at(prepared, template, view, rows)
    except NotBuildable:  # stated in the template's own outcome where it is its best
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
