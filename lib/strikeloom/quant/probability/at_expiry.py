"""Probabilities and means of a payoff at expiry under a density: closed form, no grid.

Between two neighbouring kinks a payoff is c + d S, so its mean there is c times the probability
of the zone plus d times the mean of S in it; both are closed form on a smile
(``smile.density``), and on past moves (``real_world``). A lognormal law is ``lognormal``. All
figures are undiscounted, at expiry; all legs of a structure expire together.

Rows: structures. A refused smile, a forward that is not positive or a payoff that is missing
gives NaN.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.errors import DataError
from strikeloom.quant.payoff import Legs, Payoffs, payoffs, roots
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.density import call, cdf, mean_below, put, quantile

Floats = NDArray[np.float64]

_STEPS = 40  # halvings: the quantile of a payoff to 1e-12 of its range


class Density(Protocol):
    """Distributions of n underlyings at expiry. Levels are moneyness k = ln(S / F)."""

    @property
    def forward(self) -> Floats:
        """Means of S, shape (n,)."""
        ...

    def pick(self, index: ArrayLike) -> Self:
        """Distributions at an index of the first axis; any integer shape."""
        ...

    def cdf(self, k: ArrayLike) -> Floats:
        """Probability of ending at or below F e^k."""
        ...

    def mean_below(self, k: ArrayLike) -> Floats:
        """Mean of S / F counted only where S ends at or below F e^k."""
        ...

    def call(self, k: ArrayLike) -> Floats:
        """Mean of max(S / F - e^k, 0)."""
        ...

    def put(self, k: ArrayLike) -> Floats:
        """Mean of max(e^k - S / F, 0)."""
        ...

    def quantile(self, probability: ArrayLike) -> Floats:
        """Moneyness below which the price ends with a probability."""
        ...


class Law(NamedTuple):
    """Distribution behind a smile (a ``Density``): forwards and smiles, shape (n,) each."""

    forward: Floats
    curves: Curves

    def pick(self, index: ArrayLike) -> Law:
        """As in ``Density``."""
        return Law(self.forward[np.asarray(index)], self.curves.pick(index))

    def cdf(self, k: ArrayLike) -> Floats:
        """As in ``Density``."""
        return cdf(self.curves, k)

    def mean_below(self, k: ArrayLike) -> Floats:
        """As in ``Density``."""
        return mean_below(self.curves, k)

    def call(self, k: ArrayLike) -> Floats:
        """As in ``Density``."""
        return call(self.curves, k)

    def put(self, k: ArrayLike) -> Floats:
        """As in ``Density``."""
        return put(self.curves, k)

    def quantile(self, probability: ArrayLike) -> Floats:
        """As in ``Density``."""
        return quantile(self.curves, probability)


def lognormal(forward: ArrayLike, variance: ArrayLike) -> Law:
    """Lognormal law around forwards; a variance until expiry that is not positive is refused."""
    return Law(np.asarray(forward, dtype=np.float64), Curves.flat(variance))


def zone_probability(low: Floats, high: Floats, law: Density) -> Floats:
    """Probability that the price ends between ``low`` and ``high``, shape (n, m) each.

    The zones of a row must not overlap when their sum is used. 0 and ``inf`` are valid ends.
    """
    column = _column(law)
    return np.asarray(column.cdf(_moneyness(high, column)) - column.cdf(_moneyness(low, column)))


def profit_zones(shape: Payoffs) -> tuple[Floats, Floats]:
    """Lower and upper ends of the stretches of profit, shape (n, L + 2); empty ones are 0, 0."""
    edges = np.where(np.isnan(shape.breakevens), np.inf, shape.breakevens)
    first = np.zeros((len(edges), 1))
    low = np.concatenate((first, edges), axis=1)
    high = np.concatenate((edges, first + np.inf), axis=1)
    # profit keeps its sign between breakevens: look at it once inside each stretch
    with np.errstate(invalid="ignore"):
        inside = np.where(np.isinf(high), low + 1.0 + shape.points[:, -1:], 0.5 * (low + high))
        inside = np.where(np.isinf(low), 0.0, inside)
    profit = (_along(shape, inside) > 0) & np.isfinite(low)
    return np.where(profit, low, 0.0), np.where(profit, high, 0.0)


def probability_of_profit(shape: Payoffs, law: Density) -> Floats:
    """Probability that the payoff ends above zero, shape (n,)."""
    found = zone_probability(*profit_zones(shape), law).sum(axis=1)
    return np.asarray(np.where(np.isnan(shape.max_profit), np.nan, found))


def expected_value(legs: Legs, law: Density) -> Floats:
    """Mean payoff at expiry, premium included, shape (n,): one option price a leg."""
    column = _column(law)
    k = _moneyness(legs.strikes, column)
    prices = np.where(legs.is_call, column.call(k), column.put(k))
    return np.asarray((legs.units * column.forward * prices).sum(axis=1) + legs.cash)


def expected_loss(shape: Payoffs, law: Density) -> Floats:
    """Mean of the payoff where it is below zero, 0 elsewhere: 0 or negative, shape (n,).

    For analysts; proposals use ``tail_mean``.
    """
    return np.asarray(_below_zero(shape, law)[1])


def tail_mean(legs: Legs, law: Density, share: float) -> Floats:
    """Mean payoff of the worst ``share`` of outcomes (expected shortfall, signed as profit).

    q - E[max(q - payoff, 0)] / share at the payoff's own quantile q, which is exact also where
    a whole stretch has one payoff (R. T. Rockafellar and S. Uryasev, "Optimization of
    conditional value-at-risk", 2000). q is found by halving.

    Raises
    ------
    DataError
        When ``share`` is not above 0 and at most 0.5.
    """
    if not 0 < share <= 0.5:
        raise DataError(
            f"a tail of {share:g} of outcomes is not valid; give a share above 0 and at most 0.5"
        )
    shape = payoffs(legs)
    far = law.forward * np.exp(law.quantile(1 - 1e-3 * share))
    beyond = _along(shape, np.maximum(far, shape.points[:, -1])[:, None])[:, 0]
    low = np.minimum(shape.values.min(axis=1), beyond)
    low = low - 1e-9 * (1 + np.abs(low))
    high = np.maximum(shape.values.max(axis=1), beyond)
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        enough = _below_zero(_less(shape, middle), law)[0] >= share
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    short = -_below_zero(_less(shape, high), law)[1]
    found = high - short / share
    return np.asarray(np.where(np.isnan(shape.max_profit), np.nan, found))


def _less(shape: Payoffs, amount: Floats) -> Payoffs:
    """The same payoff less an amount; extremes are left as they are."""
    values = shape.values - amount[:, None]
    return shape._replace(values=values, breakevens=roots(shape.points, values, shape.tail))


def _below_zero(shape: Payoffs, law: Density) -> tuple[Floats, Floats]:
    """Probability of a payoff of zero or less, and the mean of what lies below zero."""
    count = len(shape.points)
    edges = np.concatenate((shape.points, shape.breakevens), axis=1)
    edges = np.sort(np.where(np.isnan(edges), np.inf, edges), axis=1)
    edges = np.concatenate((edges, np.full((count, 1), np.inf)), axis=1)
    low, high = edges[:, :-1], edges[:, 1:]
    column = _column(law)
    k = _moneyness(edges, column)
    mass = np.diff(column.cdf(k), axis=1)
    mean = np.diff(column.mean_below(k), axis=1) * column.forward
    with np.errstate(invalid="ignore"):
        width = np.where(np.isinf(high), 1.0 + shape.points[:, -1:], high - low)
        width = np.where(np.isinf(low) | (width <= 0), 1.0, width)
        start = np.where(np.isinf(low), 0.0, low)
        at_low, at_middle = _along(shape, start), _along(shape, start + 0.5 * width)
        slope = (at_middle - at_low) / (0.5 * width)
    part = (at_low - slope * start) * mass + slope * mean
    counts = np.isfinite(low) & (high > low)
    chance = np.where(counts & (at_middle <= 0), mass, 0.0).sum(axis=1)
    short = np.where(counts & (at_middle < 0), part, 0.0).sum(axis=1)
    bad = np.isnan(mass).any(axis=1)
    return np.where(bad, np.nan, chance), np.where(bad, np.nan, np.minimum(short, 0.0))


def _column(law: Density) -> Density:
    """One row a structure, shaped for broadcasting with several levels each."""
    return law.pick(np.arange(len(law.forward))[:, None])


def _moneyness(level: Floats, column: Density) -> Floats:
    """Missing where the forward is not positive."""
    forward = np.where(column.forward > 0, column.forward, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(level / forward))


def _along(shape: Payoffs, spots: Floats) -> Floats:
    """Profit at spots, shape (n, m), along the straight lines of the payoff."""
    place = (spots[:, :, None] >= shape.points[:, None, :]).sum(axis=2) - 1
    place = np.clip(place, 0, shape.points.shape[1] - 1)
    after = np.clip(place + 1, 0, shape.points.shape[1] - 1)
    left = np.take_along_axis(shape.points, place, axis=1)
    right = np.take_along_axis(shape.points, after, axis=1)
    at_left = np.take_along_axis(shape.values, place, axis=1)
    at_right = np.take_along_axis(shape.values, after, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(right > left, (at_right - at_left) / (right - left), shape.tail[:, None])
    return np.asarray(at_left + slope * (spots - left))
