"""What a figure of a structure shows: its profit by price and date, and where prices may end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.domain.money import rupees
from strikeloom.domain.proposals import Proposal
from strikeloom.quant.payoff import Legs
from strikeloom.quant.probability.value import LegTerms, profit_before_expiry
from strikeloom.quant.smile.curves import Curves, total_variance
from strikeloom.quant.smile.density import cdf
from strikeloom.strategy_creation.choose import Chosen
from strikeloom.strategy_creation.horizon import (
    StructureColumns,
    later_curves,
    structure_columns,
)
from strikeloom.strategy_creation.real_world import expiry_densities
from strikeloom.strategy_creation.structure import Structure

Floats = NDArray[np.float64]

_REACH = 3.0  # expected moves to each side of the forward
_PRICES = 181
_DATES = 8  # lines before the horizon, at most
_CELL = 0.4  # expected moves over which a density is averaged
_GRID = np.linspace(-6.0, 6.0, 241)  # expected moves at which the mean of a later leg is taken


@dataclass(frozen=True)
class PayoffPicture:
    """One unit of a structure; rupees.

    Attributes
    ----------
    deviation : float
        Expected move until the horizon, a standard deviation of the logarithm of the price.
    prices, profit : ndarray, shape (k,)
        Prices of the underlying, ascending, and the profit at the horizon there.
    before : tuple of (date, ndarray)
        Profit on days before the horizon, from the day of the prices on.
    smile, real : ndarray, shape (k,)
        Probability per rupee that the price is there at the horizon: by the options' prices and
        in the real world (NaN without a forecast).
    max_profit, max_loss : float
        Infinite is unlimited.
    """

    title: str
    symbol: str
    day: date
    horizon: date
    spot: float
    forward: float
    deviation: float
    strikes: tuple[float, ...]
    breakevens: tuple[float, ...]
    max_profit: float
    max_loss: float
    prices: Floats
    profit: Floats
    before: tuple[tuple[date, Floats], ...]
    smile: Floats
    real: Floats


def picture(chosen: Chosen, proposal: Proposal | None, rate: float) -> PayoffPicture | None:
    """Picture of a proposal of these picks; ``None`` without one.

    Parameters
    ----------
    rate : float
        Interest a year, continuously compounded.
    """
    if proposal is None:
        return None
    (structure,) = (
        pick.structure
        for pick in chosen.picks
        if (pick.structure.view.symbol, pick.name) == (proposal.symbol, proposal.template)
    )
    risk = proposal.risk
    return structure_picture(
        structure,
        risk.breakevens,
        np.inf if risk.max_profit is None else rupees(risk.max_profit),
        np.inf if risk.max_loss is None else rupees(risk.max_loss),
        rate,
    )


def structure_picture(
    structure: Structure,
    breakevens: tuple[float, ...],
    max_profit: float,
    max_loss: float,
    rate: float,
) -> PayoffPicture:
    """Picture of a structure whose risk is known, rupees."""
    chain, horizon = structure.chain, structure.horizon
    columns = structure_columns([structure])
    strikes = tuple(sorted({x for x in columns.strikes[0].tolist() if x > 0}))
    prices = _prices(structure, strikes, breakevens)
    days = (horizon.expiry - chain.day).days

    def profit(gone: float) -> Floats:
        return profit_by_price(structure, prices, gone, rate)

    step = max(1, -(-days // _DATES))
    before = tuple(
        (chain.day + timedelta(days=day), profit(day / days)) for day in range(0, days, step)
    )
    curves = horizon.smile.curves
    real = expiry_densities([(horizon, chain.underlying.kind)])
    return PayoffPicture(
        title=f"{chain.underlying.symbol} {structure.template.title.lower()}",
        symbol=chain.underlying.symbol,
        day=chain.day,
        horizon=horizon.expiry,
        spot=chain.spot,
        forward=horizon.forward,
        deviation=horizon.deviation,
        strikes=strikes,
        breakevens=breakevens,
        max_profit=max_profit,
        max_loss=max_loss,
        prices=prices,
        profit=profit(1.0),
        before=before,
        smile=_per_rupee(prices, horizon.forward, horizon.deviation, lambda k: cdf(curves, k)),
        real=_per_rupee(prices, horizon.forward, horizon.deviation, real.cdf),
    )


def profit_by_price(structure: Structure, prices: Floats, gone: float, rate: float) -> Floats:
    """Profit of one unit at prices of the underlying, rupees, shape (k,).

    Between the day and the horizon time runs evenly, forwards grow evenly, and the smile of a leg
    that ends later moves evenly to the level at which it is worth its price in the mean.

    Parameters
    ----------
    prices : ndarray, shape (k,)
    gone : float
        Share of the time until the horizon that is gone: 0 is the day of the closes, 1 the horizon.
    rate : float
        Interest a year, continuously compounded.
    """
    columns = structure_columns([structure])
    legs = Legs(columns.strikes, columns.is_call, columns.units, columns.paid + columns.owed)
    spot, forward = structure.chain.spot, structure.horizon.forward
    terms = _terms(columns, spot, gone, rate)
    found = profit_before_expiry(prices[None, :], legs, terms)[0]
    futures = float(np.where(columns.future, columns.units, 0.0).sum())
    # a future is worth the forward of that day, which the spot reaches at the horizon
    return np.asarray(found + futures * prices * ((forward / spot) ** (1 - gone) - 1))


def _prices(
    structure: Structure, strikes: tuple[float, ...], breakevens: tuple[float, ...]
) -> Floats:
    """Even grid with every kink on it, and a little beyond the outermost."""
    horizon = structure.horizon
    even = horizon.forward * np.exp(np.linspace(-_REACH, _REACH, _PRICES) * horizon.deviation)
    kinks = [x for x in (*strikes, *breakevens) if even[0] / 1.2 < x < even[-1] * 1.2]
    edge = np.array([0.98 * min(kinks, default=even[0]), 1.02 * max(kinks, default=even[-1])])
    ends = edge[(edge < even[0]) | (edge > even[-1])]
    return np.unique(np.concatenate((even, kinks, ends)))


def _terms(columns: StructureColumns, spot: float, gone: float, rate: float) -> LegTerms:
    """Terms of each leg when a share of the time until the horizon is gone."""
    table, near = columns.expiries, columns.horizon[:, None]
    own = columns.expiry
    left = np.maximum(table.years[own] - gone * table.years[near], 0.0) / table.years[own]
    calendar = np.maximum(table.calendar[own] - gone * table.calendar[near], 0.0)
    start, end = table.forward[own] / spot, table.forward[own] / table.forward[near]
    deviation = np.sqrt(total_variance(table.curves.pick(columns.horizon), 0.0).w)
    grid = table.forward[near] * np.exp(_GRID * deviation[:, None])
    at_horizon = later_curves(columns, np.arange(len(grid)), grid)
    today = table.curves.pick(own)
    curves = Curves(
        *(now + gone * (then - now) for now, then in zip(today, at_horizon, strict=True))
    )
    return LegTerms(curves, left, start ** (1 - gone) * end**gone, np.exp(-rate * calendar))


def _per_rupee(
    prices: Floats, forward: float, deviation: float, below: Callable[[ArrayLike], Floats]
) -> Floats:
    half = 0.5 * _CELL * deviation
    k = np.log(prices / forward)
    mass = np.ravel(below((k + half)[None, :])) - np.ravel(below((k - half)[None, :]))
    return np.asarray(mass / (prices * 2 * np.sinh(half)))
