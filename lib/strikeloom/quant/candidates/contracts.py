"""Contracts of many chains as rows, and all that a candidate's value takes from each.

A horizon is an expiry of an underlying, on which the candidates of its rows are valued. An option
that is a near leg of one candidate and a later leg of another is a row of both horizons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError
from strikeloom.quant import black76
from strikeloom.quant.candidates import columns as at
from strikeloom.quant.candidates.densities import (
    MEAN,
    Densities,
    DensityTable,
    below_and_put,
    density_table,
)
from strikeloom.quant.candidates.later import Grids, grid_means, later_grids
from strikeloom.quant.smile.curves import Curves, volatility

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_SAME_TIME = 1e-9  # years


class Horizons(NamedTuple):
    """m expiries on which candidates are valued; arrays of shape (m,).

    Attributes
    ----------
    spot, forward : ndarray
        Price of the underlying now, and for delivery at the horizon.
    years : ndarray
        To the horizon, on the year of the volatilities.
    discount : ndarray
        Discount factor to the horizon.
    holding : ndarray
        Planned holding in years; longer than ``years`` is until the horizon.
    densities : Densities
        Two at each: the smile's and the real world's. A real world that is not known is NaN.
    moved : Densities, optional
        The real world's with its width one error narrower, and wider, on the same nodes; without
        them the error of the width is not known.
    """

    spot: Floats
    forward: Floats
    years: Floats
    discount: Floats
    holding: Floats
    densities: Densities
    moved: Densities | None = None


class Contracts(NamedTuple):
    """c contracts; arrays of shape (c,), money in rupees a unit.

    Attributes
    ----------
    strike : ndarray
        0 for the underlying itself (a share, a future).
    is_call : ndarray of bool
        True for the underlying.
    years, forward, discount : ndarray
        Of its own expiry, which is the horizon's or later. A share has the horizon's.
    curves : Curves
        Smile of its own expiry; NaN for the underlying.
    horizon : ndarray of int64
        Row of ``Horizons``, ascending.
    price : ndarray
        What a unit is worth in the market today. Of a future: its level times its discount
        factor; of a share: less what it pays until the horizon, with which it is ``forward``
        times ``discount``. Means and tails count it.
    price_error : ndarray
        Standard error of that price.
    bought_cost, sold_cost : ndarray
        What a unit loses against its price when it is bought or sold: half spread, slippage,
        taxes; for the whole way that is planned, so twice where it is also closed.
    order_cost : ndarray
        Rupees of a leg whatever its size (brokerage), likewise.
    agreed : ndarray, optional
        What payoffs compare with the price at the horizon: what is paid for a unit, or agreed on
        of a future. Without it ``price``.
    """

    strike: Floats
    is_call: Bools
    years: Floats
    forward: Floats
    discount: Floats
    curves: Curves
    horizon: Ints
    price: Floats
    price_error: Floats
    bought_cost: Floats
    sold_cost: Floats
    order_cost: Floats
    agreed: Floats | None = None


class ValueTables(NamedTuple):
    """Everything that the kernels read, calculated once a chain.

    Attributes
    ----------
    figures : ndarray, shape (c, CONTRACT_FIGURES)
        Of each contract, by ``columns``.
    horizon : ndarray of int64, shape (c,)
    discount : ndarray, shape (m,)
    tail_share : float
    table : DensityTable
    grids : Grids
        Worth of later legs at each horizon.
    """

    figures: Floats
    horizon: Ints
    discount: Floats
    tail_share: float
    table: DensityTable
    grids: Grids


def value_tables(
    contracts: Contracts, horizons: Horizons, *, tail_share: float = 0.05
) -> ValueTables:
    """Tables of the contracts.

    Parameters
    ----------
    contracts : Contracts
        c rows, in ascending order of their horizon.
    horizons : Horizons
        m rows.
    tail_share : float, default 0.05
        Share of outcomes in the tail.

    Raises
    ------
    DataError
        When rows are not in the order of their horizon, end before it, or lack a density.
    """
    _check(contracts, horizons)
    table = density_table(horizons.densities, tail_share)
    law = contracts.horizon
    is_later = contracts.years > horizons.years[law] + _SAME_TIME
    grids = later_grids(contracts, horizons, table, is_later)
    figures = np.zeros((len(law), at.CONTRACT_FIGURES))
    figures[:, at.STRIKE], figures[:, at.IS_CALL] = contracts.strike, contracts.is_call
    is_option = contracts.strike > 0
    # the underlying of another date moves with that date's forward
    carry = contracts.forward / horizons.forward[law]
    worth = contracts.discount / horizons.discount[law] * carry
    figures[:, at.SCALE] = np.where(is_option, 1.0, worth)
    figures[:, at.IS_LATER] = is_later & is_option
    figures[:, at.PRICE] = contracts.price
    figures[:, at.AGREED] = contracts.price if contracts.agreed is None else contracts.agreed
    figures[:, at.ERROR_SQUARED] = contracts.price_error**2
    figures[:, at.BOUGHT_COST], figures[:, at.SOLD_COST] = (
        contracts.bought_cost,
        contracts.sold_cost,
    )
    figures[:, at.ORDER_COST] = contracts.order_cost
    _fill_sensitivities(figures, contracts, horizons)
    below, put = below_and_put(table, law, contracts.strike)
    mean = table.ends[law, MEAN : MEAN + 2]
    here = _at_horizon(contracts, put, mean) * figures[:, at.SCALE, None]
    figures[:, [at.SMILE_WORTH, at.REAL_WORTH]] = np.where(
        (is_later & is_option)[:, None], grids.means, here
    )
    figures[:, [at.NARROWER, at.WIDER]] = _moved(figures, contracts, horizons, grids, is_later)
    figures[:, [at.SMILE_BELOW, at.REAL_BELOW]] = below
    figures[:, [at.SMILE_PUT, at.REAL_PUT]] = put
    return ValueTables(figures, law, horizons.discount, tail_share, table, grids)


def _at_horizon(contracts: Contracts, put: Floats, mean: Floats) -> Floats:
    """Mean worth of contracts that end there, of undiscounted puts; shape (c, 2)."""
    return np.where(contracts.is_call[:, None], put + mean - contracts.strike[:, None], put)


def _moved(
    figures: Floats, contracts: Contracts, horizons: Horizons, grids: Grids, is_later: Bools
) -> Floats:
    """What a unit is worth more where the width is an error narrower, and wider; shape (c, 2).

    A later leg keeps the worth at each price that the smile's density gave it.
    """
    law = contracts.horizon
    if horizons.moved is None:
        return np.full((len(law), 2), np.nan)
    table = density_table(horizons.moved, 0.5)
    _, put = below_and_put(table, law, contracts.strike)
    here = (
        _at_horizon(contracts, put, table.ends[law, MEAN : MEAN + 2]) * figures[:, at.SCALE, None]
    )
    later = is_later & (contracts.strike > 0)
    if later.any():
        here[later] = grid_means(grids, law, table)[later]
    return here - figures[:, at.REAL_WORTH, None]


def _check(contracts: Contracts, horizons: Horizons) -> None:
    law = contracts.horizon
    if np.any(np.diff(law) < 0) or np.any(law < 0) or np.any(law >= len(horizons.spot)):
        raise DataError("contracts are not in the order of their horizons; sort them by it")
    if np.any(contracts.years < horizons.years[law] - _SAME_TIME):
        row = int(np.argmax(contracts.years < horizons.years[law] - _SAME_TIME))
        raise DataError(
            f"contract {row} ends {contracts.years[row]:.4f} years from now, before its horizon "
            f"at {horizons.years[law[row]]:.4f}; give it a horizon that it lives to see"
        )
    if len(horizons.densities.cdf) != 2:
        raise DataError(
            f"{len(horizons.densities.cdf)} densities; give the smile's and the real world's, "
            "NaN where it is not known"
        )


def _fill_sensitivities(figures: Floats, contracts: Contracts, horizons: Horizons) -> None:
    """Greeks of a unit today, to the spot, each at its own volatility on its smile."""
    law = contracts.horizon
    option = contracts.strike > 0
    lift = contracts.forward / horizons.spot[law]  # of the forward by the spot
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.log(np.where(option, contracts.strike, np.nan) / contracts.forward)
    vol = volatility(contracts.curves, k, contracts.years)
    strike = np.where(option, contracts.strike, np.nan)
    common = (strike, contracts.years, vol, contracts.is_call, contracts.discount)
    found = black76.greeks(contracts.forward, *common)
    left = contracts.years - np.clip(horizons.holding, 0.0, horizons.years)[law]
    later = black76.price(contracts.forward, strike, left, *common[2:])
    decay = later - black76.price(contracts.forward, *common)
    for place, greek, plain in (
        (at.DELTA, found.delta * lift, contracts.discount * lift),
        (at.GAMMA, found.gamma * lift * lift, 0.0),
        (at.THETA, found.theta, 0.0),
        (at.VEGA, found.vega / 100, 0.0),
        (at.DECAY, decay, 0.0),
    ):
        figures[:, place] = np.where(option, greek, plain)
