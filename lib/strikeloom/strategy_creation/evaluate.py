"""Risk of each structure: exact extremes, probabilities, margin, charges.

All structures at once, in columns. Money is of one unit: one lot times each leg's ratio. A
structure whose legs end on different days is valued at the nearest expiry of its options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.proposals import RiskSummary
from strikeloom.errors import DataError
from strikeloom.nse.charges import segment_of, trade_charges
from strikeloom.quant.black76 import greeks
from strikeloom.quant.payoff import Legs, Payoffs, payoffs
from strikeloom.quant.probability.at_expiry import (
    Law,
    expected_value,
    probability_of_profit,
    tail_mean,
)
from strikeloom.quant.probability.reach import reach
from strikeloom.quant.probability.touch import touch_on_smile
from strikeloom.quant.smile.curves import volatility
from strikeloom.risk.margin import HOW
from strikeloom.strategy_creation.costs import contract_costs
from strikeloom.strategy_creation.horizon import (
    StructureColumns,
    horizon_legs,
    structure_columns,
)
from strikeloom.strategy_creation.real_world import expiry_densities
from strikeloom.strategy_creation.requirement import requirements
from strikeloom.strategy_creation.structure import Structure

_WORST = 0.05  # share of outcomes in the tail mean
_SET_ASIDE = "cash for the price of delivery"


def evaluate(
    structures: Sequence[Structure], rate: float, shocks: Sequence[str] = ()
) -> list[RiskSummary]:
    """Risk of each structure, in their order.

    Probabilities come from the smile of each structure's horizon and, beside it, from its
    real-world density; expected values and tail means are after the charges of opening.

    Parameters
    ----------
    structures : sequence of Structure
    rate : float
        Interest a year, continuously compounded (``config/iv.yaml``).
    shocks : sequence of str
        Named shocks after which the margin is estimated too (``config/creation.yaml``).
    """
    found: dict[int, RiskSummary] = {}
    # apart, because the columns of structures with later legs are much wider
    for later in (False, True):
        mine = {at: s for at, s in enumerate(structures) if s.has_later_legs is later}
        if mine:
            found.update(zip(mine, _evaluate(list(mine.values()), rate, shocks), strict=True))
    return [found[at] for at in range(len(structures))]


def _evaluate(
    structures: Sequence[Structure], rate: float, shocks: Sequence[str]
) -> list[RiskSummary]:
    columns = structure_columns(structures)
    legs = horizon_legs(columns, rate)
    table, row = columns.expiries, columns.horizon
    each = Law(table.forward[row], table.curves.pick(row))
    shape = payoffs(legs)
    needs = requirements(structures, columns, shocks)
    figures = {
        "max_profit": shape.max_profit,
        "max_loss": shape.max_loss,
        "premium": columns.paid,
        "chance": probability_of_profit(shape, each),
        "mean": columns.today(expected_value(legs, each), rate),
        "tail": columns.today(tail_mean(legs, each, _WORST), rate),
        "half": reach(legs, 0.5 * shape.max_profit, columns.law, row),
        "touch": _touch_probability(structures, columns),
        **_sensitivities(columns, rate),
        **_real_world(structures, columns, legs, shape, rate),
        "margin": needs.margin,
        "after": needs.after,
    }
    return [
        replace(
            _summary(structure, shape.breakevens[place], {n: v[place] for n, v in figures.items()}),
            shock=needs.shock[place],
        )
        for place, structure in enumerate(structures)
    ]


def _summary(
    structure: Structure, roots: np.ndarray, figures: dict[str, np.float64]
) -> RiskSummary:
    """Summary in paise, of one unit.

    Raises
    ------
    DataError
        When a figure is missing: a chain with a smile gives all of them.
    """
    costs, round_trip = _charges(structure, structure.chain.day), _round_trip(structure)
    for name in ("chance", "mean", "tail", "delta", "margin"):
        if not np.isfinite(figures[name]):
            raise DataError(
                f"{structure.chain.underlying.symbol} {structure.template.name}: {name} is "
                f"{figures[name]} on a smile of {structure.horizon.smile.used} quotes"
            )
    return RiskSummary(
        net_premium=round(float(figures["premium"]) * 100),
        max_profit=_paise(figures["max_profit"]),
        max_loss=_paise(figures["max_loss"]),
        breakevens=tuple(round(x, 4) for x in roots[~np.isnan(roots)].tolist()),
        probability_of_profit=float(figures["chance"]),
        expected_value=round(float(figures["mean"]) * 100) - costs,
        delta=float(figures["delta"]),
        gamma=float(figures["gamma"]),
        theta=round(float(figures["theta"]) * 100),
        vega=round(float(figures["vega"])),
        margin=round(float(figures["margin"]) * 100),
        margin_how=_SET_ASIDE if structure.template.cash_secured else HOW,
        charges=costs,
        half_profit=_float_or_none(figures["half"]),
        touch=_float_or_none(figures["touch"]),
        tail_mean=round(float(figures["tail"]) * 100) - costs,
        forecast_vol=_float_or_none(figures["forecast_vol"]),
        forecast_probability=_float_or_none(figures["real_chance"]),
        forecast_value=_net_paise(figures["real_mean"], costs),
        forecast_tail=_net_paise(figures["real_tail"], costs),
        past_windows=structure.horizon.past.windows,
        round_trip=round_trip,
        margin_after=_funds(figures["after"], round_trip),
    )


def _funds(after: np.float64, round_trip: int) -> int | None:
    """Paise of the funds, at least the costs; ``None`` without shocks."""
    return None if np.isnan(after) else max(round(float(after) * 100), round_trip)


def _touch_probability(structures: Sequence[Structure], columns: StructureColumns) -> np.ndarray:
    """Probability of touching the likeliest sold strike; NaN where no option is sold."""
    spot = np.array([s.chain.spot for s in structures])
    place, leg = np.nonzero((columns.units < 0) & (columns.strikes > 0))
    likeliest = np.full(len(structures), np.nan)
    sold = np.column_stack((columns.horizon[place], columns.strikes[place, leg]))
    # the structures of a chain share their strikes: each is solved once
    _, first, each = np.unique(sold, axis=0, return_index=True, return_inverse=True)
    place_of, level = place[first], sold[first, 1]
    chances = touch_on_smile(level, spot[place_of], columns.law, columns.horizon[place_of])
    np.fmax.at(likeliest, place, chances[each.ravel()])
    return likeliest


def _real_world(
    structures: Sequence[Structure],
    columns: StructureColumns,
    legs: Legs,
    shape: Payoffs,
    rate: float,
) -> dict[str, np.ndarray]:
    """Figures under the real-world density of each horizon; NaN without a forecast."""
    table = {id(s.horizon): (s.horizon, s.chain.underlying.kind) for s in structures}
    place = {key: number for number, key in enumerate(table)}
    row = np.array([place[id(s.horizon)] for s in structures])
    density = expiry_densities(list(table.values())).pick(row)
    years = columns.expiries.years[columns.horizon]
    variance = np.array([s.horizon.forecast or np.nan for s in structures])
    return {
        "forecast_vol": np.sqrt(variance / years),
        "real_chance": probability_of_profit(shape, density),
        "real_mean": columns.today(expected_value(legs, density), rate),
        "real_tail": columns.today(tail_mean(legs, density, _WORST), rate),
    }


def _sensitivities(columns: StructureColumns, rate: float) -> dict[str, np.ndarray]:
    """Greeks of one unit, each option at its own volatility on its expiry's smile.

    The underlying has a delta of 1 a unit and no other.
    """
    table, at = columns.expiries, columns.expiry
    option = (columns.strikes > 0) & (columns.units != 0)
    forward, years = table.forward[at], table.years[at]
    strikes = np.where(option, columns.strikes, forward)
    vol = volatility(table.curves.pick(at), np.log(strikes / forward), years)
    discount = np.exp(-rate * table.calendar[at])
    found = greeks(forward, strikes, years, vol, columns.is_call, discount)
    names = ("delta", "gamma", "theta", "vega")
    sums = {
        name: np.where(option, columns.units * getattr(found, name), 0.0).sum(axis=1)
        for name in names
    }
    sums["delta"] += np.where(option, 0.0, columns.units).sum(axis=1)
    return sums


def _charges(structure: Structure, day: date) -> int:
    return sum(
        trade_charges(
            leg.side,
            abs(leg.signed_units),
            leg.price,
            day,
            segment=segment_of(leg.instrument),
        ).total
        for leg in structure.legs
    )


def _round_trip(structure: Structure) -> int:
    """Paise of opening and closing at today's prices: charges, and the width of the quotes."""
    day, kind = structure.chain.day, structure.chain.underlying.kind
    total = 0.0
    for leg, lots in zip(structure.legs, structure.volumes, strict=True):
        price, traded = np.array([leg.price / 100]), np.array([lots])
        is_index = np.array([kind is InstrumentKind.INDEX])
        costs = contract_costs(price, traded, segment_of(leg.instrument), is_index, day)
        total += abs(leg.signed_units) * float(costs.width[0] + costs.charges[0])
        total += float(costs.order[0])
    return round(total * 100)


def _float_or_none(chance: np.float64) -> float | None:
    return None if np.isnan(chance) else float(chance)


def _net_paise(mean: np.float64, costs: int) -> int | None:
    return None if np.isnan(mean) else round(float(mean) * 100) - costs


def _paise(rupees: float) -> int | None:
    return None if np.isinf(rupees) else round(float(rupees) * 100)
