"""The structures of a symbol that none other betters: what an allocation chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.legs import Leg


@dataclass(frozen=True, slots=True)
class FrontRow:
    """One structure on the Pareto front of a symbol, one unit of it; money in paise.

    No other structure of the symbol is at least as good in expected value, tail, probability and
    funds together.

    Attributes
    ----------
    horizon : datetime.date
        The nearest expiry of its options, at which it is valued.
    expected_value, error : int
        Real-world mean after a round trip, and its standard error by the quotes and the width of
        the density.
    tail_mean : int
        Real-world mean of the worst 5 % of outcomes, signed as profit, before costs.
    probability : float
        Of a profit at the horizon, real world.
    costs : int
        Of a round trip.
    margin, margin_after : int
        Now, and the funds needed after the worst of the named shocks; both as in a proposal's
        ``RiskSummary``. Rows of an earlier version count what was paid in ``margin`` too.
    """

    symbol: str
    template: str
    legs: tuple[Leg, ...]
    horizon: date
    expected_value: int
    error: int
    tail_mean: int
    probability: float
    costs: int
    margin: int
    margin_after: int
