"""What the figure of a structure shows, against payoffs by hand, QuantLib and the risk figures."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.model_chain import model_structure
from strikeloom.strategy_creation.picture import PayoffPicture, structure_picture

RATE = 0.06


def _picture(name: str) -> PayoffPicture:
    structure = model_structure(TEMPLATES[name])
    (risk,) = evaluate([structure], RATE)
    most, least = (
        np.inf if value is None else value / 100 for value in (risk.max_profit, risk.max_loss)
    )
    return structure_picture(structure, risk.breakevens, most, least, RATE)


@pytest.mark.parametrize("name", ["iron_condor", "bull_call_spread", "long_straddle", "collar"])
def test_profit_at_the_horizon_is_the_payoff_by_hand(name: str) -> None:
    structure, shown = model_structure(TEMPLATES[name]), _picture(name)
    for price, profit in zip(shown.prices[::17], shown.profit[::17], strict=True):
        total = 0.0
        for leg in structure.legs:
            it, worth = leg.instrument, price
            if isinstance(it, OptionContract):
                away = price - it.strike / 100
                worth = max(away if it.right is Right.CALL else -away, 0.0)
            total += leg.signed_units * (worth - leg.price / 100)
        assert profit == pytest.approx(total, abs=0.01)
    for level in shown.breakevens:
        assert np.interp(level, shown.prices, shown.profit) == pytest.approx(0.0, abs=0.05)


def test_profit_before_the_horizon_is_that_of_quantlib() -> None:
    structure, shown = model_structure(TEMPLATES["bull_call_spread"]), _picture("bull_call_spread")
    horizon, days = structure.horizon, (structure.horizon.expiry - structure.chain.day).days
    spot = structure.chain.spot
    for day, profits in shown.before[::3]:
        gone = (day - structure.chain.day).days / days
        deviation = horizon.deviation * np.sqrt(1 - gone)
        discount = np.exp(-RATE * horizon.calendar * (1 - gone))
        carry = (horizon.forward / spot) ** (1 - gone)
        for at in (30, 90, 150):
            price = shown.prices[at]
            total = 0.0
            for leg in structure.legs:
                assert isinstance(leg.instrument, OptionContract)
                strike = leg.instrument.strike / 100
                worth = ql.blackFormula(
                    ql.Option.Call, strike, price * carry, deviation, float(discount)
                )
                total += leg.signed_units * (worth - leg.price / 100)
            assert profits[at] == pytest.approx(total, abs=0.01)


@pytest.mark.parametrize("name", ["call_calendar", "double_diagonal"])
def test_later_legs_are_worth_what_the_risk_counts(name: str) -> None:
    shown = _picture(name)
    assert shown.profit.max() == pytest.approx(shown.max_profit, rel=2e-3)
    for level in shown.breakevens:
        at = np.interp(level, shown.prices, shown.profit)
        assert at == pytest.approx(0.0, abs=2e-3 * shown.max_profit)


def test_both_densities_hold_all_probability_that_is_shown() -> None:
    shown = _picture("iron_condor")
    for density in (shown.smile, shown.real):
        if np.isnan(density).any():  # the model chain has no forecast
            continue
        whole = np.trapezoid(density, shown.prices)
        mean = np.trapezoid(density * shown.prices, shown.prices)
        assert 0.99 < whole < 1.0005
        assert mean / whole == pytest.approx(shown.forward, rel=3e-3)


def test_every_structure_has_a_picture() -> None:
    for name in TEMPLATES:
        shown = _picture(name)
        assert np.isfinite(shown.profit).all(), name
        assert all(np.isfinite(line).all() for _, line in shown.before), name
        assert (np.diff(shown.prices) > 0).all(), name
        assert set(shown.strikes) <= set(shown.prices.round(9).tolist()), name
