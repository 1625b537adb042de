"""Margin of many candidate structures of one underlying, now and after named shocks.

The estimate of ``risk.margin``, for thousands of structures over the same contracts: each contract
is priced once in every scenario, before and after each shock, and a candidate is a sum.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError
from strikeloom.quant.black76 import greeks
from strikeloom.quant.kernel_cache import import_kernels
from strikeloom.quant.scans import Scans
from strikeloom.risk.margin import least_exposure, unit_figures
from strikeloom.risk.margin_legs import SHORTEST, Bools, Floats, MarginLegs, checked
from strikeloom.risk.parameters import SpanParameters
from strikeloom.risk.shocks import Shock, widened

Ints = NDArray[np.int64]

OPTION, FUTURE, SHARE = 0, 1, 2
_KERNELS = ("scan_kernel", "scans", "compiled")


@dataclass(frozen=True)
class ContractTable:
    """What candidates of one underlying are made of; arrays of shape (r,), rupees.

    Attributes
    ----------
    kind : ndarray of int
        ``OPTION``, ``FUTURE`` or ``SHARE``.
    strikes, is_call : ndarray
        Of options; ignored of others.
    forward, vol, years : ndarray
        Of the contract's expiry; ``years`` 0 means that it expires today. Of a share the level,
        any volatility, and 0.
    value : ndarray
        Of a unit now; NaN uses the model's value.
    """

    kind: Ints
    strikes: Floats
    is_call: Bools
    forward: Floats
    vol: Floats
    years: Floats
    value: Floats


@dataclass(frozen=True)
class ScanTable:
    """Every scenario of every contract, now (state 0) and after each shock."""

    states: tuple[str, ...]
    scans: Scans


class CandidateMargins(NamedTuple):
    """Rupees, shape (n, 1 + shocks); column 0 is now.

    Attributes
    ----------
    margin : ndarray
        Estimate in each state.
    variation : ndarray
        Settled in cash on the way to the state: what futures gain or lose. Options and shares
        change in value only, which the margin contains of options sold.
    """

    margin: Floats
    variation: Floats


def scan_table(
    contracts: ContractTable,
    scan_vol: float,
    parameters: SpanParameters,
    shocks: Sequence[Shock] = (),
    beta: float = 1.0,
) -> ScanTable:
    """Price every scenario of each contract, now and after each shock.

    Parameters
    ----------
    scan_vol : float
        Volatility of the underlying from which the price scan is measured.
    beta : float
        Of the underlying to the market; counts in shocks of the market.

    Raises
    ------
    DataError
        When a figure of a contract is not finite or a level not positive.
    """
    legs = _single_legs(contracts)
    scan = np.full(len(contracts.kind), scan_vol)
    states = [_state(legs, scan, parameters)]
    for shock in shocks:
        factor = float(shock.move(beta))
        moved = replace(
            legs,
            forward=legs.forward * factor,
            vol=legs.vol * shock.volatility,
            value=np.full_like(legs.value, np.nan),
        )
        states.append(_state(moved, scan, widened(parameters, shock)))
    columns = {
        name: np.ascontiguousarray(np.stack([state[name] for state in states]))
        for name in states[0]
    }
    future = contracts.kind == FUTURE
    variation = np.where(future, columns["forward"] - columns["forward"][0], 0.0)
    expiries, group = np.unique(contracts.years, return_inverse=True)
    scans = Scans(
        group.astype(np.int64),
        contracts.kind.astype(np.int64),
        last_day=expiries <= 0,
        variation=np.ascontiguousarray(variation),
        **columns,
    )
    return ScanTable(("now", *(shock.name for shock in shocks)), scans)


def candidate_margins(
    table: ScanTable, rows: Ints, units: Floats, *, threads: int = 1
) -> CandidateMargins:
    """Margin of each candidate in each state.

    Parameters
    ----------
    rows, units : ndarray, shape (n, L)
        Row of each leg's contract, -1 for none, and signed units.
    threads : int, default 1

    Raises
    ------
    DataError
        When a row is not in the table, or units are not finite.
    """
    if rows.size and (rows.max() >= len(table.scans.kind) or rows.min() < -1):
        raise DataError(
            f"rows of candidates reach from {rows.min()} to {rows.max()}; the table has "
            f"{len(table.scans.kind)} contracts"
        )
    if not np.isfinite(units).all():
        raise DataError("units of candidates are not finite")
    count, states = len(rows), len(table.states)
    margin, variation = np.empty((count, states)), np.empty((count, states))
    rows = np.ascontiguousarray(rows, dtype=np.int64)
    units = np.ascontiguousarray(units, dtype=np.float64)
    kernel = _kernel()

    def fill(first: int, last: int) -> None:
        part = slice(first, last)
        kernel(rows[part], units[part], table.scans, margin[part], variation[part])

    if threads <= 1:
        fill(0, count)
        return CandidateMargins(margin, variation)
    edges = np.linspace(0, count, threads + 1).astype(np.int64).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, edges[:-1], edges[1:]))
    return CandidateMargins(margin, variation)


def _kernel() -> Callable[..., None]:
    try:
        module: Any = import_kernels("scan_kernel", _KERNELS)
    except ImportError:  # no numba: the same figures, slower
        module = importlib.import_module("strikeloom.quant.scan_kernel")
    found: Callable[..., None] = module.scan_margins
    return found


def _single_legs(contracts: ContractTable) -> MarginLegs:
    """Each contract as a structure of one unit bought; a share as a future, which is not used."""
    one = np.ones((len(contracts.kind), 1))
    option = (contracts.kind == OPTION)[:, None]
    return MarginLegs(
        np.where(option, contracts.strikes[:, None], one),
        contracts.is_call[:, None],
        one,
        contracts.forward[:, None],
        contracts.vol[:, None],
        contracts.years[:, None],
        np.where(option, contracts.value[:, None], np.nan),
        np.zeros_like(one),
        ~option,
    )


def _state(legs: MarginLegs, scan_vol: Floats, parameters: SpanParameters) -> dict[str, Floats]:
    legs = checked(legs, scan_vol)
    unit = unit_figures(legs, scan_vol, parameters)
    time = np.maximum(legs.years, SHORTEST)
    found = greeks(legs.forward, legs.strikes, time, legs.vol, legs.is_call)
    rules = [
        float(least_exposure(scan_vol, parameters)[0]),
        parameters.spread_exposure,
        parameters.expiry_extra,
        parameters.expiry_least,
        parameters.calendar_charge,
        parameters.calendar_last_day,
    ]
    return {
        "change": unit.change[:, 0],
        "value": unit.value[:, 0],
        "exposure": unit.exposure[:, 0],
        "forward": legs.forward[:, 0],
        "delta": (found.delta * legs.forward)[:, 0],
        "rules": np.array(rules),
    }
