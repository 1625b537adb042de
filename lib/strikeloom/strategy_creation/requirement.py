"""Margin of each structure, now and after named shocks; an estimate, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.risk.margin import margin_parts
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import SpanParameters, span_parameters
from strikeloom.risk.shocks import after_shock, shocks_named
from strikeloom.strategy_creation.horizon import StructureColumns
from strikeloom.strategy_creation.structure import Structure

Floats = NDArray[np.float64]


class Requirement(NamedTuple):
    """Rupees of one unit, shape (n,).

    Attributes
    ----------
    margin : ndarray
        Now.
    after : ndarray
        The most that is needed after one of the shocks: margin then, and what futures lost on the
        way; NaN without shocks in force.
    shock : list of str
        Title of that shock; empty without.
    """

    margin: Floats
    after: Floats
    shock: list[str]


def requirements(
    structures: Sequence[Structure], columns: StructureColumns, shocks: Sequence[str] = ()
) -> Requirement:
    """Estimate of options and futures; a share is paid in full and gives no relief.

    Parameters
    ----------
    shocks : sequence of str
        Names in ``risk/data/shocks.csv``; those of another kind or of a later day do not count. A
        stock moves by itself or with a beta of 1.

    Raises
    ------
    DataError
        When the table has no shock of a name.
    """
    table = columns.expiries
    legs = MarginLegs(
        np.where(columns.strikes > 0, columns.strikes, table.forward[columns.expiry]),
        columns.is_call,
        np.where(columns.share, 0.0, columns.units),
        forward=np.where(columns.future, columns.price, table.forward[columns.expiry]),
        vol=table.atm_iv[columns.expiry],
        years=np.where(columns.future, columns.future_years, table.years[columns.expiry]),
        value=np.full(columns.units.shape, np.nan),
        delivery=np.zeros(columns.units.shape),
        is_future=columns.future,
    )
    futures = np.where(columns.future, columns.units * columns.price, 0.0).sum(axis=1)
    near = table.atm_iv[columns.horizon]
    margin, after = np.zeros(len(structures)), np.full(len(structures), np.nan)
    titles = [""] * len(structures)
    groups: dict[tuple[SpanParameters, InstrumentKind, date], list[int]] = {}
    for number, structure in enumerate(structures):
        underlying, day = structure.chain.underlying, structure.chain.day
        parameters = span_parameters(underlying.kind, underlying.symbol, day)
        groups.setdefault((parameters, underlying.kind, day), []).append(number)
    for (parameters, kind, day), rows in groups.items():
        mine = MarginLegs(*(getattr(legs, n)[rows] for n in MarginLegs.__dataclass_fields__))
        scan = np.fmax(near[rows], parameters.base_vol)
        margin[rows] = margin_parts(mine, scan, parameters).total
        for shock in shocks_named(shocks, kind, day):
            lost = -futures[rows] * (float(shock.move()) - 1)
            needed = after_shock(mine, scan, parameters, shock).margin.total + np.maximum(lost, 0.0)
            for place, row in enumerate(rows):
                if not needed[place] <= after[row]:  # true of NaN, before the first
                    after[row], titles[row] = needed[place], shock.title
    return Requirement(margin, after, titles)
