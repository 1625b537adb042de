"""Value of candidates: payoff, both densities, costs, Greeks, in one compiled pass.

Everything is for one unit of each leg times its units, in rupees, of the candidate's horizon: the
nearest expiry among its options. With one expiry all figures are exact: extremes, breakevens and
means to rounding, probabilities to the table's 1e-6, tails likewise. With later legs
(``later`` states the rule) payoff means worth on the grid of the horizon, refined between its
nodes by cubics.

Payoff, breakevens and probability of profit compare the premium of today with the payoff of the
horizon, as payoff diagrams do; means and tails are in today's money. None of them has the costs
in: the mean after costs is the mean less ``costs``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError
from strikeloom.quant.candidates import columns as at
from strikeloom.quant.candidates.contracts import ValueTables
from strikeloom.quant.kernel_cache import import_kernels

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_SOURCES = ["payoff_kernel", "grid_kernel", "curve_kernel", "tail_kernel", "density_kernel"]
_SOURCES += ["columns", "densities", "contracts", "later"]
_KERNELS = (*(f"candidates.{name}" for name in _SOURCES), "compiled")
_ROWS_A_THREAD = 2048


class Candidates(NamedTuple):
    """n structures of up to L legs.

    Attributes
    ----------
    rows : ndarray of int64, shape (n, L)
        Contracts, all of one horizon. With fewer legs any row of it again, with 0 units.
    units : ndarray, shape (n, L)
        Positive bought, negative sold.
    """

    rows: Ints
    units: Floats


class DensityValues(NamedTuple):
    """Under one density, shape (n,); NaN where it is not known.

    Attributes
    ----------
    chance : ndarray
        Probability of a profit at the horizon.
    mean : ndarray
        Expected profit, today's money.
    tail : ndarray
        Mean of the worst ``tail_share`` of outcomes, signed as profit, today's money.
    """

    chance: Floats
    mean: Floats
    tail: Floats


class CandidateValues(NamedTuple):
    """One row a candidate, shape (n,); NaN where a price is missing.

    Attributes
    ----------
    premium : ndarray
        Received (+) or paid (-).
    max_profit, max_loss : ndarray
        ``inf`` is unlimited; a loss is positive. With later legs: unlimited where calls and
        underlying do not cancel in units, else the extremes on the grid.
    breakevens : ndarray, shape (n, L + 1)
        Ascending, NaN beyond the last.
    smile, real : DensityValues
    costs : ndarray
        Of the contracts' costs, positive.
    error : ndarray
        Standard error of the means from the prices', independent by contract.
    width_error : ndarray
        Error of the real-world mean from that of the density's width: root mean square of what a
        width one error narrower and one error wider change it by; NaN where those densities are
        not known.
    delta, gamma : ndarray
        Today, to the spot.
    theta : ndarray
        A calendar day.
    vega : ndarray
        A point of volatility, of every expiry alike.
    decay : ndarray
        Over the planned holding, at unchanged forwards, volatilities and discount factors.
    """

    premium: Floats
    max_profit: Floats
    max_loss: Floats
    breakevens: Floats
    smile: DensityValues
    real: DensityValues
    costs: Floats
    error: Floats
    width_error: Floats
    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    decay: Floats


def value_candidates(
    candidates: Candidates, tables: ValueTables, *, threads: int = 1
) -> CandidateValues:
    """Figures of every candidate; they do not depend on the number of threads.

    Raises
    ------
    DataError
        When a row does not exist, or legs of a candidate are of different horizons.
    """
    rows = np.ascontiguousarray(candidates.rows, dtype=np.int64)
    units = np.ascontiguousarray(candidates.units, dtype=np.float64)
    later = _later(rows, units, tables)
    count, legs = rows.shape
    out = np.empty((at.CANDIDATE_FIGURES + legs + 1, count))
    work = []
    for is_later, kernel in ((False, "payoff"), (True, "grid")):
        chosen = np.flatnonzero(later == is_later)
        parts = max(1, min(threads, len(chosen) // _ROWS_A_THREAD))
        if len(chosen):
            work += [(_kernel(kernel), part) for part in np.array_split(chosen, parts)]
    if threads == 1 or len(work) < 2:
        for fill, part in work:
            fill(part, rows, units, tables, out)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(fill, part, rows, units, tables, out) for fill, part in work]:
                done.result()
    return _named(out)


def _kernel(name: str) -> Callable[..., None]:
    module = f"candidates.{name}_kernel"
    if find_spec("numba") is None:
        found = importlib.import_module(f"strikeloom.quant.{module}")
    else:
        found = import_kernels(module, _KERNELS)
    return cast("Callable[..., None]", getattr(found, f"value_{name}s"))


def _later(rows: Ints, units: Floats, tables: ValueTables) -> Bools:
    """Which candidates have a later option; legs without units do not count."""
    if rows.shape != units.shape:
        raise DataError(f"rows of shape {rows.shape} have units of shape {units.shape}")
    if rows.size and not (rows.min() >= 0 and rows.max() < len(tables.horizon)):
        raise DataError(
            f"rows {rows.min()} to {rows.max()} of {len(tables.horizon)} contracts; "
            "pad short candidates with one of their own rows and 0 units"
        )
    law = tables.horizon[rows]
    mixed = (law != law[:, :1]).any(axis=1)
    if mixed.any():
        raise DataError(
            f"candidate {int(np.argmax(mixed))} has legs of different horizons; take its later "
            "legs from the rows of its nearest expiry"
        )
    return np.asarray(((tables.figures[rows, at.IS_LATER] > 0) & (units != 0)).any(axis=1))


def _named(out: Floats) -> CandidateValues:
    first = at.FIRST_DENSITY
    return CandidateValues(
        out[at.PREMIUM],
        out[at.MAX_PROFIT],
        out[at.MAX_LOSS],
        out[at.CANDIDATE_FIGURES :].T,
        DensityValues(*out[first : first + 3]),
        DensityValues(*out[first + 3 : first + 6]),
        out[at.COSTS],
        out[at.ERROR],
        out[at.WIDTH_ERROR],
        *out[at.FIRST_GREEK : at.FIRST_GREEK + 5],
    )
