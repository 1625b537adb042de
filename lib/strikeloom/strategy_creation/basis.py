"""The underlying as a leg: one rule for what it is worth, of the search and of the evaluation.

A share is bought at its close and a future agreed on at its own. Extremes, breakevens and
probabilities compare that price with the price at the horizon, as payoff diagrams do. Means and
tails are in today's money, and there the underlying is worth what it costs: a share that costs
more than its discounted forward is expected to pay the difference until the horizon (a dividend),
or the two closes are of different moments, or the rate is not the market's. None of these is a
gain or a loss of a structure. How far they differ, the basis, is an error of the leg's price.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.domain.instruments import FutureContract
from strikeloom.domain.outcomes import Rule
from strikeloom.errors import NotBuildable
from strikeloom.strategy_creation.chain import ChainExpiry

Floats = NDArray[np.float64]

#: Share of its price by which an underlying may differ from its discounted forward. For a dividend
#: from 2 % of the price on the exchange lowers every strike (SEBI, 2022-06-28), so that no forward
#: expects one: what is farther off is not explained by what a share pays.
MOST_BASIS = 0.02


def basis(
    price: ArrayLike, forward: ArrayLike, discount: ArrayLike, is_future: ArrayLike
) -> Floats:
    """What a unit costs beyond what its forward makes it worth, rupees of today.

    Parameters
    ----------
    price : array_like
        Paid for a share today, or agreed on of a future that ends at the horizon.
    forward, discount : array_like
        Of the horizon.
    is_future : array_like of bool
    """
    agreed, at_horizon = np.asarray(price, dtype=np.float64), np.asarray(forward)
    share = agreed - np.asarray(discount) * at_horizon
    future = np.asarray(discount) * (agreed - at_horizon)
    return np.asarray(np.where(is_future, future, share))


def basis_of(horizon: ChainExpiry, rate: float) -> float:
    """Basis of the underlying that a structure of a horizon is built with, rupees a unit.

    0 of a future that ends later, which is counted at the forward of the horizon, and where there
    is no underlying to trade.

    Parameters
    ----------
    rate : float
        Interest a year, continuously compounded.
    """
    quote = horizon.underlying
    if quote is None:
        return 0.0
    future = isinstance(quote.instrument, FutureContract)
    if future and ends_later(quote.years, horizon.calendar):
        return 0.0
    discount = float(np.exp(-rate * horizon.calendar))
    return float(basis(quote.price, horizon.forward, discount, future))


def ends_later(years: float, horizon: float) -> bool:
    """Whether a future ends after a horizon; both in years by the calendar."""
    return years > horizon + 1e-6


def check_basis(horizon: ChainExpiry, rate: float) -> None:
    """Check that the underlying and the forward at which its options are valued go together.

    Raises
    ------
    NotBuildable
        When they are farther apart than a dividend explains.
    """
    quote, apart = horizon.underlying, basis_of(horizon, rate)
    if quote is None or abs(apart) <= MOST_BASIS * quote.price:
        return
    share = abs(apart) / quote.price
    above = "above" if apart > 0 else "below"
    raise NotBuildable(
        f"{quote.instrument.label} at {quote.price:,.2f} is {share:.1%} {above} its discounted "
        f"forward of {horizon.expiry}, {quote.price - apart:,.2f}, by which its options are "
        f"valued; a dividend explains {MOST_BASIS:.0%} at most",
        rule=Rule.UNDERLYING,
        value=share,
        threshold=MOST_BASIS,
        remedy=f"passes up to {MOST_BASIS:.0%}",
    )
