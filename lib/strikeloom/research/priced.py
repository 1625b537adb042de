"""A structure that is priced: its figures in rupees, its payoff by price and day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.errors import DataError
from strikeloom.research.known_chain import day_of
from strikeloom.research.shown import UNLIMITED, amount, page, percent, with_units
from strikeloom.strategy_creation.picture import (
    PayoffPicture,
    profit_by_price,
    structure_picture,
)
from strikeloom.strategy_creation.structure import Structure

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_UNITS = {
    "figure": "", "value": "", "unit": "", "date": "", "level": "rupees", "move": "% of spot",
    "profit": "rupees",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PricedStructure:
    """A structure at the closes of a day, for all its lots; rupees, probabilities in per cent.

    Extremes and breakevens are exact at ``horizon``, the nearest expiry of its options. What ends
    in ``_real`` is under the real-world density, else under the smile's; ``None`` where there is no
    forecast. Expected values and tails are after the charges of opening.

    Attributes
    ----------
    names, title : tuple of str, str
        Structures of the catalogue that it may be, none for legs that are in no chapter.
    lots : int
        By which the legs of a template are multiplied, or legs as they were written.
    premium : float
        Received (+) or paid (-) today.
    max_profit, max_loss : float
        Infinite is unlimited; a loss is positive.
    probability, probability_real : float, float or None
        Of any profit at the horizon, %.
    expected, expected_real, tail, tail_real
        Mean, and mean of the worst 5 % of outcomes.
    after_round_trip : float or None
        Real-world mean after opening and closing.
    half_profit, touch : float or None
        Probability of half the maximum profit at some time, and of touching a sold strike, %.
    delta, gamma, theta, vega
        Units, units a rupee, rupees a calendar day, rupees a volatility point.
    margin, margin_how, margin_after, shock
        An estimate now, and the funds needed after the worst of the named shocks, with what is
        paid; the broker's calculator decides.
    tried, possible : int
        Choices of strikes that were valued, and those in reach; 1 for legs as they were written.
    events, notes : tuple of str
        Known events before the horizon; what is old, missing or could not be checked.
    legs : DataFrame
    """

    symbol: str
    market: str
    day: str
    horizon: str
    names: tuple[str, ...]
    title: str
    lots: int
    premium: float
    max_profit: float
    max_loss: float
    breakevens: tuple[float, ...]
    probability: float
    probability_real: float | None
    expected: float
    expected_real: float | None
    tail: float | None
    tail_real: float | None
    after_round_trip: float | None
    half_profit: float | None
    touch: float | None
    charges: float
    round_trip: float | None
    margin: float
    margin_how: str
    margin_after: float | None
    shock: str
    delta: float
    gamma: float
    theta: float
    vega: float
    tried: int
    possible: int
    events: tuple[str, ...]
    notes: tuple[str, ...]
    legs: pd.DataFrame
    _structure: Structure = field(repr=False)
    _rate: float = field(repr=False)

    @property
    def figures(self) -> pd.DataFrame:
        """One row a figure with its unit; what is not known has no row."""
        import pandas as pd

        rows = [(name, value, unit) for name, value, unit in self._figures() if value is not None]
        shown = [
            (name, UNLIMITED if isinstance(value, float) and math.isinf(value) else value, unit)
            for name, value, unit in rows
        ]
        frame = pd.DataFrame(shown, columns=["figure", "value", "unit"])
        return with_units(frame, _UNITS)

    def payoff(
        self, levels: Sequence[float] = (), *, days: Sequence[str | date] = ()
    ) -> pd.DataFrame:
        """Profit by level of the underlying on each day, before charges.

        Parameters
        ----------
        levels : sequence of float
            Rupees; empty: three expected moves to each side, with every strike and breakeven.
        days : sequence of str or datetime.date
            From the day of the closes to the horizon; empty: the horizon. Before it each option has
            the price that its smile, shrinking with its time, gives it.

        Raises
        ------
        DataError
            When a level is not positive or a day is outside that range.
        """
        import pandas as pd

        prices = np.asarray(levels, dtype=np.float64) if len(levels) else self.picture.prices
        if not (np.isfinite(prices) & (prices > 0)).all():
            raise DataError(f"levels {prices.tolist()} must all be positive rupees")
        tables = []
        for day in [day_of(item, "day") for item in days] or [self._structure.horizon.expiry]:
            profit = profit_by_price(self._structure, prices, self._gone(day), self._rate)
            move = 100 * (prices / self._structure.chain.spot - 1)
            tables.append(
                pd.DataFrame(
                    {"date": f"{day}", "level": prices, "move": move, "profit": profit.round(2)}
                )
            )
        return with_units(pd.concat(tables, ignore_index=True), _UNITS)

    @property
    def picture(self) -> PayoffPicture:
        """What a figure shows: profit by price and date, and both densities."""
        found = self.breakevens, self.max_profit, self.max_loss
        return structure_picture(self._structure, *found, self._rate)

    def figure(self) -> go.Figure:
        """Payoff at the horizon and on a day before it, over both densities."""
        from strikeloom.views.figures import payoff_figure

        return payoff_figure(self.picture)

    def __repr__(self) -> str:
        """Legs and figures, for a person."""
        legs = [f"  {text}" for text in self._leg_lines()]
        rows = [(n, v, u) for n, v, u in self._figures() if v is not None]
        figures = [f"  {name:<34}{_value(value, unit):>18}" for name, value, unit in rows]
        return "\n".join((self._head(), *legs, *figures, *self._tail_lines()))

    def _repr_html_(self) -> str:
        figures = self.figures
        pairs = zip(figures["value"], figures["unit"], strict=True)
        figures["value"] = [_value(value, unit) for value, unit in pairs]
        return page((self._head(), *self._tail_lines()), self.legs, figures[["figure", "value"]])

    def _head(self) -> str:
        count = f", {self.lots} lots" if self.lots > 1 else ""
        return (
            f"{self.title} on {self.symbol}{count}: closes of {self.day}, valued at the close of "
            f"{self.horizon}, {self.market}"
        )

    def _leg_lines(self) -> list[str]:
        return [f"{leg.label} at {leg.price / 100:,.2f}" for leg in self._structure.legs]

    def _tail_lines(self) -> list[str]:
        tried = (
            [f"best of {self.tried:,} choices of strikes, {self.possible:,} in reach"]
            if self.possible > 1
            else []
        )
        tried.append(f"margin: {self.margin_how}")
        events = [f"event: {text}" for text in self.events]
        return [*tried, *events, *(f"note: {text}" for text in self.notes)]

    def _figures(self) -> list[tuple[str, float | str | None, str]]:
        roots = " and ".join(f"{level:,.2f}" for level in self.breakevens) or "none"
        return [
            ("premium", self.premium, "rupees"),
            ("maximum profit", self.max_profit, "rupees"),
            ("maximum loss", self.max_loss, "rupees"),
            ("breakevens", roots, ""),
            ("probability of profit, smile", self.probability, "%"),
            ("probability of profit, real world", self.probability_real, "%"),
            ("expected, smile", self.expected, "rupees"),
            ("expected, real world", self.expected_real, "rupees"),
            ("expected after a round trip", self.after_round_trip, "rupees"),
            ("worst 5 %, smile", self.tail, "rupees"),
            ("worst 5 %, real world", self.tail_real, "rupees"),
            ("reaches half its maximum profit", self.half_profit, "%"),
            ("touches a sold strike", self.touch, "%"),
            ("charges of opening", self.charges, "rupees"),
            ("costs of a round trip", self.round_trip, "rupees"),
            ("margin, an estimate", self.margin, "rupees"),
            (f"funds, after {self.shock or 'any shock'}", self.margin_after, "rupees"),
            ("delta", self.delta, "units"),
            ("theta", self.theta, "rupees a day"),
            ("vega", self.vega, "rupees a point"),
        ]

    def _gone(self, day: date) -> float:
        first, last = self._structure.chain.day, self._structure.horizon.expiry
        if not first <= day <= last:
            raise DataError(
                f"{day} is not between {first}, the day of the closes, and {last}, the horizon"
            )
        return (day - first).days / (last - first).days


def _value(value: float | str | None, unit: str) -> str:
    if isinstance(value, str):
        return value
    if unit == "rupees":
        return amount(value)
    if unit == "%":
        return percent(value)
    return f"{value:,.2f} {unit}".strip()
