"""What each structure can gain and lose: exact extremes, probability, margin, charges.

All structures at once, in columns. Money of one unit: every leg at its ratio, one lot each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from strikeloom.domain.instruments import Kind, Right
from strikeloom.domain.proposals import RiskSummary
from strikeloom.nse.charges import trade_charges
from strikeloom.quant.black76 import greeks
from strikeloom.quant.payoff import Legs, payoffs
from strikeloom.quant.probability import Law, expected_value, probability_of_profit
from strikeloom.quant.smile import Curves
from strikeloom.risk.margin import HOW, margins
from strikeloom.risk.parameters import span_parameters
from strikeloom.strategy_creation.build import Structure


def evaluate(structures: Sequence[Structure]) -> list[RiskSummary]:
    """Risk of each structure, in their order.

    Probability and expected value are under a lognormal of the chain's forward and
    at-the-money volatility; expected value is after the charges of opening.
    """
    if not structures:
        return []
    legs = _columns(structures)
    strikes, is_call, units, _ = legs
    forward = np.array([s.chain.forward for s in structures])
    vol = np.array([s.chain.atm_iv for s in structures])
    years = np.array([s.chain.years for s in structures])
    law = Law(forward, Curves.flat(vol * vol * years))
    shape = payoffs(legs)
    chance = probability_of_profit(shape, law)
    mean = expected_value(legs, law)
    sensitivity = greeks(forward[:, None], strikes, years[:, None], vol[:, None], is_call)
    delta, gamma, vega, theta, *_ = (np.asarray((units * g).sum(axis=1)) for g in sensitivity)
    blocked = _margins(structures, strikes, is_call, units, forward, vol, years)
    summaries = []
    for row, structure in enumerate(structures):
        costs = _charges(structure, structure.chain.day)
        roots = shape.breakevens[row]
        summaries.append(
            RiskSummary(
                net_premium=sum(leg.cash for leg in structure.legs),
                max_profit=_paise(shape.max_profit[row]),
                max_loss=_paise(shape.max_loss[row]),
                breakevens=tuple(round(x, 4) for x in roots[~np.isnan(roots)].tolist()),
                probability_of_profit=float(chance[row]),
                expected_value=round(float(mean[row]) * 100) - costs,
                delta=float(delta[row]),
                gamma=float(gamma[row]),
                theta=round(float(theta[row]) * 100),
                vega=round(float(vega[row])),
                margin=round(float(blocked[row]) * 100),
                margin_how=HOW,
                charges=costs,
            )
        )
    return summaries


def _columns(structures: Sequence[Structure]) -> Legs:
    """Strikes, rights and signed units, padded with units of 0, and the premium, in rupees."""
    width = max(len(s.legs) for s in structures)
    strikes = np.empty((len(structures), width))
    is_call = np.zeros((len(structures), width), dtype=bool)
    units = np.zeros((len(structures), width))
    for row, structure in enumerate(structures):
        strikes[row] = structure.legs[0].contract.strike / 100
        for column, leg in enumerate(structure.legs):
            strikes[row, column] = leg.contract.strike / 100
            is_call[row, column] = leg.contract.right is Right.CALL
            units[row, column] = leg.signed_units
    cash = np.array([sum(leg.cash for leg in s.legs) / 100 for s in structures])
    return Legs(strikes, is_call, units, cash)


def _margins(
    structures: Sequence[Structure],
    strikes: np.ndarray,
    is_call: np.ndarray,
    units: np.ndarray,
    forward: np.ndarray,
    vol: np.ndarray,
    years: np.ndarray,
) -> np.ndarray:
    found = np.zeros(len(structures))
    for kind in Kind:
        rows = np.array([s.chain.underlying.kind is kind for s in structures])
        if rows.any():
            found[rows] = margins(
                strikes[rows],
                is_call[rows],
                units[rows],
                forward[rows],
                vol[rows],
                years[rows],
                span_parameters(kind, structures[0].chain.day),
            )
    return found


def _charges(structure: Structure, day: date) -> int:
    return sum(
        trade_charges(leg.side, abs(leg.signed_units), leg.price, day).total
        for leg in structure.legs
    )


def _paise(rupees: float) -> int | None:
    return None if np.isinf(rupees) else round(float(rupees) * 100)
