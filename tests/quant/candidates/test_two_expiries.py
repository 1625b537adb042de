"""Later legs against QuantLib on flat smiles, and the rule of their volatility on steep ones."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

from quant.candidates.cases import (
    DISCOUNT,
    FORWARD,
    LATER,
    LATER_DISCOUNT,
    LATER_FORWARD,
    LATER_YEARS,
    NEAR,
    REAL_DEVIATION,
    REAL_MEAN,
    STRIKES,
    YEARS,
    Market,
    flat,
    market,
)
from strikeloom.quant.candidates.value import Candidates, value_candidates

NEAR_VOL, LATER_VOL = 0.25, 0.22
FLAT = market(flat(NEAR_VOL, YEARS), flat(LATER_VOL, LATER_YEARS))
STEEP = market(NEAR, LATER)
#: strike, right, later, units
CASES = {
    "call calendar": [(100, "C", False, -1), (100, "C", True, 1)],
    "put calendar": [(97.5, "P", False, -1), (97.5, "P", True, 1)],
    "sold calendar": [(100, "C", False, 1), (100, "C", True, -1)],
    "diagonal": [(105, "C", False, -1), (95, "C", True, 1)],
    "double calendar": [
        (95, "P", False, -1), (95, "P", True, 1), (105, "C", False, -1), (105, "C", True, 1),
    ],
    "double diagonal": [
        (95, "P", False, -1), (90, "P", True, 1), (105, "C", False, -1), (110, "C", True, 1),
    ],
    "ratio calendar": [(105, "C", False, -2), (105, "C", True, 1)],
    "covered by a later put": [(0, "U", False, 1), (95, "P", True, 1)],
}  # fmt: skip


def candidates(market: Market, names: list[str] | None = None) -> Candidates:
    structures = [CASES[name] for name in names or CASES]
    width = max(map(len, structures))
    rows = [[market.row(k, r, later=late) for k, r, late, _ in legs] for legs in structures]
    rows = [row + row[:1] * (width - len(row)) for row in rows]
    units = [[u for *_, u in legs] + [0.0] * (width - len(legs)) for legs in structures]
    return Candidates(np.array(rows), np.array(units, dtype=float))


def quantlib_profit(market: Market, name: str, spot: float) -> float:
    """At the near expiry; the later volatility is what the near one leaves of the total."""
    left = LATER_VOL**2 * LATER_YEARS - NEAR_VOL**2 * YEARS
    total = 0.0
    for strike, right, late, units in CASES[name]:
        price = market.contracts.price[market.row(strike, right, later=late)]
        if right == "U":
            worth = spot
        elif late:
            kind = ql.Option.Call if right == "C" else ql.Option.Put
            forward = spot * LATER_FORWARD / FORWARD
            discount = LATER_DISCOUNT / DISCOUNT
            worth = ql.BlackCalculator(
                ql.PlainVanillaPayoff(kind, float(strike)), forward, left**0.5, discount
            ).value()
        else:
            worth = max(0.0, (spot - strike) if right == "C" else (strike - spot))
        total += units * (worth - price)
    return total


@pytest.mark.parametrize("place", range(len(CASES)), ids=list(CASES))
def test_two_expiries_agree_with_quantlib(place: int) -> None:
    name = list(CASES)[place]
    values = value_candidates(candidates(FLAT, [name]), FLAT.tables)

    def profit(spot: float) -> float:
        return quantlib_profit(FLAT, name, spot)

    spots = np.append(np.linspace(45, 230, 1851), STRIKES)
    spots.sort()
    profits = np.array([profit(x) for x in spots.tolist()])
    calls = sum(u for _, right, _, u in CASES[name] if right in "CU")
    for sign, figure in ((1, values.max_profit[0]), (-1, values.max_loss[0])):
        if sign * calls > 0:
            assert figure == np.inf
            continue
        top = int(np.argmax(sign * profits))
        ends = (spots[max(top - 1, 0)], spots[min(top + 1, len(spots) - 1)])
        best = minimize_scalar(
            lambda x, sign=sign: -sign * profit(x), bounds=ends, method="bounded",
            options={"xatol": 1e-9},
        )  # fmt: skip
        found = max(-best.fun, sign * profits[top], sign * profit(1e-6), 0.0)
        assert figure == pytest.approx(found, abs=2e-4), (name, sign)
    turns = np.flatnonzero(np.diff(np.sign(profits)))
    roots = [brentq(profit, spots[k], spots[k + 1], xtol=1e-12) for k in turns]
    known = values.breakevens[0][~np.isnan(values.breakevens[0])]
    np.testing.assert_allclose(known, roots, rtol=1e-5)

    # under the real density, by evenly probable prices
    even = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    prices = REAL_MEAN * np.exp(REAL_DEVIATION * even - 0.5 * REAL_DEVIATION**2)
    outcome = np.array([profit(x) for x in prices.tolist()])
    chance = (outcome > 0).mean()
    assert values.real.chance[0] == pytest.approx(chance, abs=3e-4)
    cash = values.premium[0]
    mean = cash + DISCOUNT * (outcome.mean() - cash)
    assert values.real.mean[0] == pytest.approx(mean, abs=1e-3)
    tail = cash + DISCOUNT * (np.sort(outcome)[:1000].mean() - cash)
    assert values.real.tail[0] == pytest.approx(tail, abs=4e-3)


@pytest.mark.parametrize("made", [FLAT, STEEP], ids=["flat", "steep"])
def test_a_world_priced_by_its_smiles_pays_nothing(made: Market) -> None:
    values = value_candidates(candidates(made), made.tables)
    np.testing.assert_allclose(values.smile.mean, 0, atol=2e-5)


def test_every_later_contract_has_the_mean_of_its_price() -> None:
    """On steep smiles too, in the money and out of it."""
    count = len(STRIKES)
    rows = np.arange(2 * count, 4 * count)[:, None]
    values = value_candidates(Candidates(rows, np.ones(rows.shape)), STEEP.tables)
    np.testing.assert_allclose(values.smile.mean, 0, atol=2e-5)


def test_an_unmoved_later_smile_is_the_same_smile_with_less_time() -> None:
    """At the forward a straddle has the variance that the near expiry leaves; parity is exact."""
    grids = STEEP.tables.grids
    nodes = grids.grid[0, 0, : grids.size[0]]
    call, put = (STEEP.row(100, r, later=True) for r in "CP")
    worth = [grids.worth[grids.offset[row] :][: len(nodes)] for row in (call, put)]
    carried = nodes * LATER_FORWARD / FORWARD
    parity = LATER_DISCOUNT / DISCOUNT * (carried - 100)
    np.testing.assert_allclose(worth[0] - worth[1], parity, atol=1e-10)
    left = np.sqrt(0.20**2 * LATER_YEARS - 0.22**2 * YEARS)  # the levels of both smiles
    near = np.searchsorted(nodes, FORWARD)
    straddle = worth[0][near] + worth[1][near]
    assert straddle == pytest.approx(2 * 0.4 * nodes[near] * left, rel=0.05)


@given(
    strikes=st.lists(st.sampled_from(STRIKES.tolist()), min_size=2, max_size=2),
    right=st.sampled_from("CP"),
    units=st.integers(1, 5),
)
@settings(max_examples=40, deadline=None)
def test_figures_grow_with_the_units(strikes: list[float], right: str, units: int) -> None:
    rows = np.array([[STEEP.row(strikes[0], right), STEEP.row(strikes[1], right, later=True)]] * 2)
    one = np.array([[-1.0, 1.0]])
    values = value_candidates(Candidates(rows, np.concatenate((one, units * one))), STEEP.tables)
    for name in ("premium", "max_profit", "max_loss", "delta", "gamma", "vega", "decay", "error"):
        first, second = getattr(values, name)
        assert second == pytest.approx(units * first, rel=1e-9, abs=1e-9), name
    for part in (values.smile, values.real):
        assert part.chance[1] == pytest.approx(part.chance[0], abs=1e-9)
        assert part.mean[1] == pytest.approx(units * part.mean[0], abs=1e-9)
        assert part.tail[1] == pytest.approx(units * part.tail[0], rel=1e-4, abs=1e-6)


def test_a_later_smile_below_the_near_one_leaves_intrinsic_worth() -> None:
    """Even without any variance left the later option would be too dear on average."""
    made = market(flat(0.30, YEARS), flat(0.15, LATER_YEARS))
    row = made.row(100, "C", later=True)
    grids = made.tables.grids
    nodes = grids.grid[0, 0, : grids.size[0]]
    worth = grids.worth[grids.offset[row] :][: len(nodes)]
    carried = nodes * LATER_FORWARD / FORWARD
    expected = LATER_DISCOUNT / DISCOUNT * np.maximum(carried - 100, 0)
    np.testing.assert_allclose(worth, expected, atol=1e-12)
