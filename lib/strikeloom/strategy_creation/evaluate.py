"""Risk of each structure: exact extremes, probabilities, margin, charges.

All structures at once, in columns. Money is of one unit: one lot times each leg's ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from strikeloom.domain.instruments import Right, as_option
from strikeloom.domain.proposals import RiskSummary
from strikeloom.errors import DataError
from strikeloom.nse.charges import trade_charges
from strikeloom.nse.edges import ending
from strikeloom.nse.sessions import years_array
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
from strikeloom.quant.smile.curves import Curves, volatility
from strikeloom.risk.margin import HOW, margins
from strikeloom.risk.parameters import SpanParameters, span_parameters
from strikeloom.strategy_creation.build import Structure
from strikeloom.strategy_creation.real_world import chain_densities

_WORST = 0.05  # share of outcomes in the tail mean


def evaluate(structures: Sequence[Structure], rate: float) -> list[RiskSummary]:
    """Risk of each structure, in their order.

    Probabilities come from each chain's own smile and, beside it, from its real-world density;
    expected values and tail means are after the charges of opening.

    Parameters
    ----------
    structures : sequence of Structure
    rate : float
        Interest a year, continuously compounded (``config/iv.yaml``).
    """
    if not structures:
        return []
    legs = _columns(structures)
    strikes, is_call, units, cash = legs
    law, row = _laws(structures)
    each = law.pick(row)
    years = np.array([s.chain.years for s in structures])
    # interest accrues in calendar time, whatever the year basis of the volatilities
    expiry = np.array([s.chain.expiry for s in structures], dtype="datetime64[D]")
    discount = np.exp(-rate * years_array(ending(structures[0].chain.day), expiry))
    shape = payoffs(legs)
    # the premium is paid today and the payoff at expiry: both in today's money
    mean = cash + discount * (expected_value(legs, each) - cash)
    columns = {
        "max_profit": shape.max_profit,
        "max_loss": shape.max_loss,
        "chance": probability_of_profit(shape, each),
        "mean": mean,
        "tail": tail_mean(legs, each, _WORST),
        "half": reach(legs, 0.5 * shape.max_profit, law, row),
        "touch": _touch_probability(structures, legs, law, row),
        **_sensitivities(legs, each, years, discount),
        **_real_world(structures, row, legs, shape, discount),
        "margin": _margins(structures, strikes, is_call, units, each.forward, years),
    }
    return [
        _summary(structure, shape.breakevens[place], {n: v[place] for n, v in columns.items()})
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
    costs = _charges(structure, structure.chain.day)
    for name in ("chance", "mean", "tail", "delta", "margin"):
        if not np.isfinite(figures[name]):
            raise DataError(
                f"{structure.chain.underlying.symbol} {structure.template.name}: {name} is "
                f"{figures[name]} on a smile of {structure.chain.smile.used} quotes"
            )
    return RiskSummary(
        net_premium=sum(leg.cash for leg in structure.legs),
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
        margin_how=HOW,
        charges=costs,
        half_profit=_float_or_none(figures["half"]),
        touch=_float_or_none(figures["touch"]),
        tail_mean=round(float(figures["tail"]) * 100) - costs,
        forecast_vol=_float_or_none(figures["forecast_vol"]),
        forecast_probability=_float_or_none(figures["real_chance"]),
        forecast_value=_net_paise(figures["real_mean"], costs),
        forecast_tail=_net_paise(figures["real_tail"], costs),
        past_windows=structure.chain.past.windows,
    )


def _laws(structures: Sequence[Structure]) -> tuple[Law, np.ndarray]:
    """One price distribution per chain, and the row of each structure's distribution."""
    chains = {s.chain.underlying.symbol: s.chain for s in structures}
    place = {symbol: number for number, symbol in enumerate(chains)}
    forward = np.array([chain.forward for chain in chains.values()])
    fields = zip(*(chain.smile.curves for chain in chains.values()), strict=True)
    curves = Curves(*(np.concatenate(field) for field in fields))
    return Law(forward, curves), np.array([place[s.chain.underlying.symbol] for s in structures])


def _touch_probability(
    structures: Sequence[Structure], legs: Legs, law: Law, row: np.ndarray
) -> np.ndarray:
    """Probability of touching the likeliest sold strike; NaN where nothing is sold."""
    spot = np.array([s.chain.spot for s in structures])
    place, leg = np.nonzero(legs.units < 0)
    likeliest = np.full(len(structures), np.nan)
    chances = touch_on_smile(legs.strikes[place, leg], spot[place], law, row[place])
    np.fmax.at(likeliest, place, chances)
    return likeliest


def _real_world(
    structures: Sequence[Structure],
    row: np.ndarray,
    legs: Legs,
    shape: Payoffs,
    discount: np.ndarray,
) -> dict[str, np.ndarray]:
    """Figures under the real-world density of each chain; NaN without a forecast."""
    chains = {s.chain.underlying.symbol: s.chain for s in structures}
    density = chain_densities(list(chains.values())).pick(row)
    years = np.array([s.chain.years for s in structures])
    variance = np.array([s.chain.forecast or np.nan for s in structures])
    return {
        "forecast_vol": np.sqrt(variance / years),
        "real_chance": probability_of_profit(shape, density),
        "real_mean": legs.cash + discount * (expected_value(legs, density) - legs.cash),
        "real_tail": tail_mean(legs, density, _WORST),
    }


def _sensitivities(
    legs: Legs, law: Law, years: np.ndarray, discount: np.ndarray
) -> dict[str, np.ndarray]:
    """Greeks of one unit, each leg at its own volatility on the smile."""
    k = np.log(legs.strikes / law.forward[:, None])
    smiles = law.curves.pick(np.arange(len(years))[:, None])
    vol = volatility(smiles, k, years[:, None])
    found = greeks(
        law.forward[:, None], legs.strikes, years[:, None], vol, legs.is_call, discount[:, None]
    )
    names = ("delta", "gamma", "theta", "vega")
    return {name: (legs.units * getattr(found, name)).sum(axis=1) for name in names}


def _columns(structures: Sequence[Structure]) -> Legs:
    """Strikes, rights and signed units, padded with units of 0, and the premium, in rupees."""
    width = max(len(s.legs) for s in structures)
    strikes = np.empty((len(structures), width))
    is_call = np.zeros((len(structures), width), dtype=bool)
    units = np.zeros((len(structures), width))
    for row, structure in enumerate(structures):
        strikes[row] = as_option(structure.legs[0].instrument).strike / 100
        for column, leg in enumerate(structure.legs):
            option = as_option(leg.instrument)
            strikes[row, column] = option.strike / 100
            is_call[row, column] = option.right is Right.CALL
            units[row, column] = leg.signed_units
    cash = np.array([sum(leg.cash for leg in s.legs) / 100 for s in structures])
    return Legs(strikes, is_call, units, cash)


def _margins(
    structures: Sequence[Structure],
    strikes: np.ndarray,
    is_call: np.ndarray,
    units: np.ndarray,
    forward: np.ndarray,
    years: np.ndarray,
) -> np.ndarray:
    vol = np.array([s.chain.atm_iv for s in structures])
    found = np.zeros(len(structures))
    groups: dict[SpanParameters, list[int]] = {}
    for number, structure in enumerate(structures):
        chain = structure.chain
        parameters = span_parameters(chain.underlying.kind, chain.underlying.symbol, chain.day)
        groups.setdefault(parameters, []).append(number)
    for parameters, rows in groups.items():
        found[rows] = margins(
            strikes[rows],
            is_call[rows],
            units[rows],
            forward[rows],
            vol[rows],
            years[rows],
            parameters,
        )
    return found


def _charges(structure: Structure, day: date) -> int:
    return sum(
        trade_charges(leg.side, abs(leg.signed_units), leg.price, day).total
        for leg in structure.legs
    )


def _float_or_none(chance: np.float64) -> float | None:
    return None if np.isnan(chance) else float(chance)


def _net_paise(mean: np.float64, costs: int) -> int | None:
    return None if np.isnan(mean) else round(float(mean) * 100) - costs


def _paise(rupees: float) -> int | None:
    return None if np.isinf(rupees) else round(float(rupees) * 100)
