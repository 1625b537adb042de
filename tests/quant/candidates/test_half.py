"""Reaching half of the maximum profit, against the payoff's own grid and simulated paths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from quant.candidates.cases import (
    DISCOUNT,
    FORWARD,
    LATER_DISCOUNT,
    LATER_FORWARD,
    LATER_YEARS,
    NEAR,
    YEARS,
    flat,
    market,
)
from strikeloom.quant.candidates.half import half_profit_chance, profit_at_horizon
from strikeloom.quant.candidates.value import Candidates, value_candidates
from strikeloom.quant.payoff import Legs, profit_at
from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.probability.reach import reach

NEAR_VOL, LATER_VOL = 0.25, 0.22


def test_one_expiry_is_the_payoffs_own_grid() -> None:
    made = market()
    row = made.row
    rows = np.array([[row(95, "P"), row(90, "P")], [row(105, "C"), row(95, "P")],
                     [row(100, "C"), row(100, "C")], [row(0, "U"), row(110, "C")]])  # fmt: skip
    units = np.array([[-1.0, 1], [-1, -1], [1, 0], [1, -1]])
    values = value_candidates(Candidates(rows, units), made.tables)
    law = Law(np.array([FORWARD]), NEAR)
    found = half_profit_chance(Candidates(rows, units), values.max_profit, made.tables, law)
    c = made.contracts
    legs = Legs(c.strike[rows], c.is_call[rows], units, values.premium)
    place = np.zeros(4, dtype=np.int64)
    target = np.where(np.isinf(values.max_profit), np.nan, 0.5 * values.max_profit)
    np.testing.assert_allclose(found, reach(legs, target, law, place), atol=1e-9)
    assert np.isnan(found[2])
    prices = np.tile(np.linspace(60, 150, 91), (4, 1))
    np.testing.assert_allclose(
        profit_at_horizon(Candidates(rows, units), made.tables, prices),
        profit_at(prices, legs),
        atol=1e-12,
    )


def _black(price: np.ndarray, strike: float, s: float) -> np.ndarray:
    d = np.log(price / strike) / s + 0.5 * s
    return price * ndtr(d) - strike * ndtr(d - s)


def test_a_calendar_agrees_with_simulated_paths() -> None:
    """Both legs by Black along paths; at two rates of watching, extrapolated to every moment."""
    made = market(flat(NEAR_VOL, YEARS), flat(LATER_VOL, LATER_YEARS))
    rows = np.array([[made.row(100, "C"), made.row(100, "C", later=True)]])
    chosen = Candidates(rows, np.array([[-1.0, 1.0]]))
    values = value_candidates(chosen, made.tables)
    law = Law(np.array([FORWARD]), flat(NEAR_VOL, YEARS))
    found = half_profit_chance(chosen, values.max_profit, made.tables, law)[0]

    target = 0.5 * values.max_profit[0]
    draw = np.random.default_rng(8)
    paths, steps = 20_000, 256
    s = NEAR_VOL * np.sqrt(YEARS / steps)
    price = np.full(paths, FORWARD)
    reached = {1: np.zeros(paths, dtype=bool), 4: np.zeros(paths, dtype=bool)}
    for step in range(1, steps):
        price *= np.exp(s * draw.normal(size=paths) - 0.5 * s * s)
        gone = step / steps * YEARS
        near = _black(price, 100, NEAR_VOL * np.sqrt(YEARS - gone))
        left = np.sqrt(LATER_VOL**2 * LATER_YEARS - NEAR_VOL**2 * gone)
        later = _black(price * LATER_FORWARD / FORWARD, 100, left) * LATER_DISCOUNT / DISCOUNT
        profit = values.premium[0] + later - near
        for every, seen in reached.items():
            if step % every == 0:
                seen[profit >= target] = True
    chance = float(2 * reached[1].mean() - reached[4].mean())
    assert found == pytest.approx(chance, abs=0.012)
