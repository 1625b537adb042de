"""Margin of each structure, now and after named shocks; an estimate, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.quant.smile.curves import volatility
from strikeloom.risk.margin import margin_parts
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import SpanParameters, span_parameters
from strikeloom.risk.shocks import after_shock, shocks_named
from strikeloom.strategy_creation.horizon import StructureColumns
from strikeloom.strategy_creation.structure import Structure

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Requirement(NamedTuple):
    """Rupees of one unit, shape (n,).

    Attributes
    ----------
    margin : ndarray
        Now; of a cash-secured structure at least what it may have to pay.
    after : ndarray
        Funds: the most that is needed now or after one of the shocks. The margin then, what
        futures lost on the way less what they gained, and what was paid less what was received;
        NaN without shocks in force.
    shock : list of str
        Title of the shock after which the margin is the largest; empty without, and where nothing
        is needed beyond what was paid.
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
    option = (columns.strikes > 0) & (columns.units != 0)
    legs = MarginLegs(
        np.where(columns.strikes > 0, columns.strikes, table.forward[columns.expiry]),
        columns.is_call,
        np.where(columns.share, 0.0, columns.units),
        forward=np.where(columns.future, columns.price, table.forward[columns.expiry]),
        vol=_volatilities(columns, option),
        years=np.where(columns.future, columns.future_years, table.years[columns.expiry]),
        value=np.where(option, columns.price, np.nan),
        delivery=np.zeros(columns.units.shape),
        is_future=columns.future,
    )
    futures = np.where(columns.future, columns.units * columns.price, 0.0).sum(axis=1)
    front = np.array([structure.chain.front.atm_iv for structure in structures])
    aside = np.array([_set_aside(structure) for structure in structures])
    margin, after = np.zeros(len(structures)), np.full(len(structures), np.nan)
    titles = [""] * len(structures)
    groups: dict[tuple[SpanParameters, InstrumentKind, date], list[int]] = {}
    for number, structure in enumerate(structures):
        underlying, day = structure.chain.underlying, structure.chain.day
        parameters = span_parameters(underlying.kind, underlying.symbol, day)
        groups.setdefault((parameters, underlying.kind, day), []).append(number)
    for (parameters, kind, day), rows in groups.items():
        mine = MarginLegs(*(getattr(legs, n)[rows] for n in MarginLegs.__dataclass_fields__))
        scan = np.fmax(front[rows], parameters.base_vol)
        margin[rows] = np.maximum(margin_parts(mine, scan, parameters).total, aside[rows])
        for shock in shocks_named(shocks, kind, day):
            lost = -futures[rows] * (float(shock.move()) - 1)
            then = after_shock(mine, scan, parameters, shock).margin.total
            needed = np.maximum(then, aside[rows]) + lost
            for place, row in enumerate(rows):
                if not needed[place] <= after[row]:  # true of NaN, before the first
                    after[row] = needed[place]
                    titles[row] = shock.title if needed[place] > 0 else ""
    return Requirement(margin, np.maximum(after, margin) - columns.paid, titles)


def _volatilities(columns: StructureColumns, option: Bools) -> Floats:
    """Of each option on its expiry's smile; of other legs at the money, which counts nowhere."""
    table, at = columns.expiries, columns.expiry
    strikes = np.where(option, columns.strikes, table.forward[at])
    found = volatility(table.curves.pick(at), np.log(strikes / table.forward[at]), table.years[at])
    return np.where(option & np.isfinite(found), found, table.atm_iv[at])


def _set_aside(structure: Structure) -> float:
    """Rupees of the shares that the sold puts of a cash-secured structure may bring; else 0."""
    if not structure.template.cash_secured:
        return 0.0
    sold = [
        (leg.instrument.strike, -leg.signed_units)
        for leg in structure.legs
        if isinstance(leg.instrument, OptionContract)
        and leg.instrument.right is Right.PUT
        and leg.side is Side.SELL
    ]
    return sum(strike * units for strike, units in sold) / 100
