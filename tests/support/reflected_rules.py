"""What a market goes by that knows a share of the price or a logarithm, reflected with it.

Named shocks, the clearing corporation's shares, Black's delta, and what is left of a later option
are not symmetric about a forward, whatever chain they meet. In a reflected market they are those of
its twin: so many rupees, at the reflected price.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from importlib import import_module

import numpy as np
import pytest
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.quant.candidates.contracts import Contracts, Horizons
from strikeloom.quant.candidates.densities import DensityTable, density_table
from strikeloom.quant.candidates.later import NODE, Grids, later_grids
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.delta import delta_to_strike, strike_to_delta
from strikeloom.risk.parameters import SpanParameters
from strikeloom.risk.shocks import Shock, shocks_named, widened
from strikeloom.strategy_creation.tradable import TradableStrikes
from support.worlds import FORWARD, World, horizons_of, options, rows_of

Floats = NDArray[np.float64]

_ROOM = "strikeloom.strategy_creation"
_SHARES = ("exposure", "exposure_sigmas", "far_exposure", "far_moneyness", "calendar_charge",
           "vol_scan")  # fmt: skip


def reflect_rules(patch: pytest.MonkeyPatch, whole: World) -> None:
    """Let a reflected market go by reflected rules."""
    assert whole.twin is not None
    reflect_shocks(patch)
    _reflect_deltas(patch, whole, whole.twin)
    _reflect_later_options(patch, whole.twin)


def reflect_shocks(patch: pytest.MonkeyPatch, *, rupees: bool = True) -> None:
    """Every shock moves the price the other way.

    Parameters
    ----------
    rupees : bool, default True
        What is a share of the price afterwards, volatility, scans and exposure, is as many rupees.
    """

    def turned(names: Iterable[str], kind: InstrumentKind, day: date) -> tuple[Shock, ...]:
        return tuple(_turned(shock, rupees) for shock in shocks_named(names, kind, day))

    def after(parameters: SpanParameters, shock: Shock) -> SpanParameters:
        found = widened(parameters, shock)
        factor = (1 - shock.price) / (1 + shock.price)
        return replace(found, **{name: getattr(found, name) * factor for name in _SHARES})

    patch.setattr(import_module(f"{_ROOM}.search"), "shocks_named", turned)
    if rupees:
        patch.setattr(import_module("strikeloom.risk.candidates"), "widened", after)


def _turned(shock: Shock, rupees: bool) -> Shock:
    factor = (1 + shock.price) / (1 - shock.price) if rupees else 1.0
    return replace(
        shock, price=-shock.price, volatility=shock.volatility * factor, scan=shock.scan * factor
    )


def _reflect_deltas(patch: pytest.MonkeyPatch, whole: World, twin: World) -> None:
    """The delta of a call is that of its put on the twin's smile."""
    pairs = list(zip(whole.chain.expiries, twin.chain.expiries, strict=True))
    others = {expiry.smile.curves.level[0]: other.smile.curves for expiry, other in pairs}

    def of_strike(curves: Curves, k: Floats, is_call: bool) -> Floats:
        back = np.log(np.maximum(2 - np.exp(k), 1e-6))
        return -strike_to_delta(others[curves.level[0]], back, not is_call)

    def solve(many: Sequence[TradableStrikes], wanted: Collection[tuple[Right, float]]) -> None:
        for strikes in many:
            for expiry, other in pairs:
                for right, size in wanted:
                    call = right is Right.PUT
                    k = delta_to_strike(other.smile.curves, size if call else -size, call)
                    strike = 2 * FORWARD - FORWARD * float(np.exp(k[0]))
                    strikes.know_delta(expiry, right, size, strike)

    patch.setattr(import_module(f"{_ROOM}.strikes"), "strike_to_delta", of_strike)
    patch.setattr(import_module(f"{_ROOM}.build"), "solve_deltas", solve)


def _reflect_later_options(patch: pytest.MonkeyPatch, twin: World) -> None:
    """A later option is worth at a price what the twin's is at the reflected one."""
    rows = rows_of(twin)
    others, there = rows.contracts, horizons_of(twin, rows.horizons)
    is_later = others.years > there.years[others.horizon] + 1e-9
    theirs = later_grids(others, there, density_table(there.densities, 0.05), is_later)
    place = {option: row for row, option in enumerate(options(others))}

    def grids(
        contracts: Contracts, horizons: Horizons, table: DensityTable, later: NDArray[np.bool_]
    ) -> Grids:
        found = later_grids(contracts, horizons, table, later)
        reflections = options(contracts, turned=True)
        for row in np.flatnonzero(later & (contracts.strike > 0)).tolist():
            other, law = place[reflections[row]], contracts.horizon[row]
            size, width = found.size[law], theirs.size[law]
            first, start = found.offset[row], theirs.offset[other]
            found.worth[first : first + size] = np.interp(
                2 * FORWARD - found.grid[law, NODE, :size],
                theirs.grid[law, NODE, :width],
                theirs.worth[start : start + width],
            )
            found.means[row] = theirs.means[other]
        return found

    patch.setattr(import_module("strikeloom.quant.candidates.contracts"), "later_grids", grids)
