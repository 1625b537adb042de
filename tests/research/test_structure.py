"""Structures against integrals of scipy's lognormal and payoffs by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import lognorm, norm

from strikeloom.domain.instruments import FutureContract
from strikeloom.errors import DataError, NotBuildable, WrongUsage
from strikeloom.research.known_chain import KnownChain
from strikeloom.research.priced import PricedStructure
from strikeloom.research.structure import structure_from
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.model_chain import LOT, SYMBOL, model_chain, model_structure
from strikeloom.strategy_creation.picture import profit_by_price
from support.known_chain import known_chain

VOL, YEARS, FRONT = 0.32, 28 / 365, "2026-03-10"
S = VOL * math.sqrt(YEARS)
LAW = lognorm(S, scale=100 * math.exp(-S * S / 2))


@pytest.fixture(scope="module")
def known() -> KnownChain:
    return known_chain()


@pytest.fixture(scope="module")
def spread(known: KnownChain) -> PricedStructure:
    return structure_from(known, "SELL 100 CE; BUY 105 CE")


def _price(strike: float, *, call: bool, years: float = YEARS, spot: float = 100.0) -> float:
    s = VOL * math.sqrt(years)
    d1 = math.log(spot / strike) / s + s / 2
    value = spot * norm.cdf(d1) - strike * norm.cdf(d1 - s)
    return float(value if call else value - spot + strike)


def test_a_spread_has_the_figures_of_a_payoff_by_hand(spread: PricedStructure) -> None:
    credit = round(_price(100, call=True), 2) - round(_price(105, call=True), 2)
    assert spread.title == "Bear call spread"
    assert (spread.day, spread.horizon) == ("2026-02-10", FRONT)
    assert spread.premium == pytest.approx(LOT * credit)
    assert spread.max_profit == pytest.approx(LOT * credit)
    assert spread.max_loss == pytest.approx(LOT * (5 - credit))
    assert spread.breakevens == pytest.approx((100 + credit,))
    assert spread.probability == pytest.approx(100 * LAW.cdf(100 + credit))
    assert spread.probability_real == pytest.approx(spread.probability)

    def profit(level: float) -> float:
        paid = max(level - 105, 0.0) - max(level - 100, 0.0)
        return LOT * (credit + paid)

    pieces = [(50.0, 100.0), (100.0, 105.0), (105.0, 200.0)]
    mean = sum(quad(lambda x: profit(x) * LAW.pdf(x), *ends)[0] for ends in pieces)
    assert spread.expected + spread.charges == pytest.approx(mean, abs=0.02)
    assert spread.expected_real == pytest.approx(spread.expected)
    after = spread.expected + spread.charges - (spread.round_trip or 0.0)
    assert spread.after_round_trip == pytest.approx(after, abs=0.011)


def test_the_tail_is_the_mean_of_the_worst_twentieth(known: KnownChain) -> None:
    sold = structure_from(known, ["sell 100 PE"])
    credit, end = round(_price(100, call=False), 2), LAW.ppf(0.05)
    worst = quad(lambda x: LOT * (credit - (100 - x)) * LAW.pdf(x), 20.0, end)[0] / 0.05
    assert sold.tail is not None
    assert sold.tail + sold.charges == pytest.approx(worst, abs=0.05)


def test_a_put_with_and_without_cash_for_its_delivery_are_apart(known: KnownChain) -> None:
    plain = structure_from(known, ["sell 100 PE"])
    assert plain.names == ("short_put", "cash_secured_put")
    assert plain.notes == (
        "margin is without cash for the price of delivery; 'cash_secured_put' has it",
    )
    secured = structure_from(known, "cash_secured_put")
    strike = secured.legs["strike"].iloc[0]
    assert (secured.margin, secured.margin_how) == (LOT * strike, "cash for the price of delivery")
    assert secured.notes == ()


def test_greeks_are_in_units_and_rupees(spread: PricedStructure) -> None:
    d1 = [math.log(100 / strike) / S + S / 2 for strike in (100, 105)]
    assert spread.delta == pytest.approx(LOT * (norm.cdf(d1[1]) - norm.cdf(d1[0])))
    vegas = [norm.pdf(x) * math.sqrt(YEARS) for x in d1]  # rupees a point at a level of 100
    assert spread.vega == pytest.approx(LOT * (vegas[1] - vegas[0]), abs=0.01)


def test_payoff_on_days_is_blacks_price_of_the_time_left(spread: PricedStructure) -> None:
    first, day = model_chain().day, model_chain().day + timedelta(days=14)
    levels = [90.0, 100.0, 103.0, 112.0]
    table = spread.payoff(levels, days=[f"{first}", day, FRONT])
    assert table["date"].unique().tolist() == [f"{first}", f"{day}", FRONT]
    for when, left in ((f"{first}", 28), (f"{day}", 14)):
        rows = table[table["date"] == when]
        expected = [
            spread.premium
            + LOT * (_price(105, call=True, years=left / 365, spot=level)
                     - _price(100, call=True, years=left / 365, spot=level))
            for level in levels
        ]  # fmt: skip
        np.testing.assert_allclose(rows["profit"], expected, atol=0.02)
    at_end = [spread.premium + LOT * (max(x - 105, 0) - max(x - 100, 0)) for x in levels]
    np.testing.assert_allclose(table[table["date"] == FRONT]["profit"], at_end, atol=0.01)
    np.testing.assert_allclose(table["move"].iloc[:4], [-10, 0, 3, 12], atol=1e-9)


def test_the_default_payoff_has_every_kink(spread: PricedStructure) -> None:
    table = spread.payoff()
    assert {100.0, 105.0, spread.breakevens[0]} <= set(table["level"])
    assert table["profit"].max() == pytest.approx(spread.max_profit)
    assert table["profit"].min() == pytest.approx(-spread.max_loss)
    title = spread.figure().layout.title.text
    assert "bear call spread" in title.lower()


def test_a_template_is_built_with_the_search_of_stage_02(known: KnownChain) -> None:
    found = structure_from(known, "iron_condor")
    assert found.names == ("iron_condor",)
    assert found.tried > 1
    legs = found.legs
    assert legs["right"].tolist().count("PE") == 2
    assert len(set(legs["strike"])) == 4
    assert set(legs["expiry"]) == {FRONT}
    assert (legs["units"].abs() == LOT).all()
    assert legs.attrs["units"]["price"] == "rupees a unit"


def test_lots_multiply_all_but_the_charges_of_an_order(known: KnownChain) -> None:
    one, three = (structure_from(known, "SELL 100 CE; BUY 105 CE", lots=n) for n in (1, 3))
    for name in ("premium", "max_profit", "max_loss", "delta", "margin"):
        assert getattr(three, name) == pytest.approx(3 * getattr(one, name), abs=0.02)
    assert three.breakevens == one.breakevens
    assert three.probability == pytest.approx(one.probability)
    assert one.charges < three.charges < 3 * one.charges
    assert three.legs["lots"].tolist() == [3, 3]


def test_legs_without_an_expiry_have_the_one_that_is_given(known: KnownChain) -> None:
    assert structure_from(known, "BUY 100 CE").horizon == FRONT
    assert structure_from(known, "BUY 100 CE", expiry="next").horizon == "2026-04-14"
    both = structure_from(known, [f"SELL 100 CE {FRONT}", "BUY 100 CE 2026-04-14"])
    assert (both.title, both.horizon) == ("Call calendar", FRONT)


def test_shares_beside_options_are_counted_by_the_unit(known: KnownChain) -> None:
    covered = structure_from(known, f"BUY {LOT} SHARE; SELL 105 CE")
    assert covered.names == ("covered_call",)
    credit = round(_price(105, call=True), 2)
    assert covered.max_profit == pytest.approx(LOT * (5 + credit))
    assert covered.breakevens == pytest.approx((100 - credit,))
    assert covered.legs["contract"].tolist()[0] == f"{SYMBOL} share"
    assert np.isnan(covered.legs["strike"].iloc[0])


def test_what_is_unlimited_is_a_word_and_unnamed_legs_are_own_ones(known: KnownChain) -> None:
    odd = structure_from(known, "BUY 3 100 CE; SELL 1 104 CE; BUY 2 90 PE")
    assert (odd.names, odd.title) == ((), "Own legs")
    assert math.isinf(odd.max_profit)
    figures = odd.figures.set_index("figure")
    assert figures.loc["maximum profit", "value"] == "unlimited"
    assert "reaches half its maximum profit" not in figures.index
    for text in (repr(odd), odd._repr_html_()):
        assert "unlimited" in text
        assert "nan" not in text.lower()


def test_without_a_forecast_real_figures_are_absent() -> None:
    chain = model_chain()
    front = replace(chain.front, forecast=None)
    found = structure_from(
        known_chain(replace(chain, expiries=(front, chain.expiries[1]))), "SELL 100 CE; BUY 105 CE"
    )
    assert (found.probability_real, found.expected_real, found.after_round_trip) == (None,) * 3
    assert not [name for name in found.figures["figure"] if "real" in name]


def test_an_old_close_is_noted(known: KnownChain) -> None:
    front = known.chain.front.expiry
    rows = known.listed[front].copy()
    rows.loc[(rows["strike"] == 105.0) & (rows["right"] == "CE"), "settle"] += 0.5
    older = replace(known, listed={**known.listed, front: rows})
    found = structure_from(older, "SELL 100 CE; BUY 105 CE")
    assert found.notes == (f"{SYMBOL} 10 Mar 105 CE last traded before the closing half hour",)


def test_a_future_carries_the_forward_before_the_horizon() -> None:
    """With the spot 1 % below the forward, today's value at the spot is still nothing."""
    structure = model_structure(TEMPLATES["covered_call"])
    future = FutureContract(SYMBOL, structure.horizon.expiry, lot_size=LOT)
    legs = tuple(
        replace(leg, instrument=future, lots=1) if leg.instrument.lot_size == 1 else leg
        for leg in structure.legs
    )
    moved = replace(structure, legs=legs, chain=replace(structure.chain, spot=99.0))
    assert profit_by_price(moved, np.array([99.0]), 0.0, 0.0)[0] == pytest.approx(0.0, abs=1.0)
    strike = max(leg.instrument.strike for leg in legs if leg.instrument != future) / 100
    credit = sum(leg.price for leg in legs if leg.instrument != future) / 100
    at_end = profit_by_price(moved, np.array([strike]), 1.0, 0.0)[0]
    assert at_end == pytest.approx(LOT * (strike - 100 + credit), abs=0.01)


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        ("iron_condors", WrongUsage, "neither a template nor legs; did you mean 'iron_condor'"),
        ("qqq", WrongUsage, "strikeloom strategies list shows all"),
        (" ; ", WrongUsage, "no legs are given"),
        ("BUY 100 XX", WrongUsage, "'BUY 100 XX' is no leg"),
        ("BUY 100 SHARE", WrongUsage, "have no option; write one at least"),
        ("BUY FUT; SELL 105 CE", WrongUsage, "a structure on MODEL holds its share"),
        ("BUY 100.5 CE", DataError, "MODEL 100.5 CE of 2026-03-10 is not listed; nearest strikes "
         "that traded: 99, 100, 101"),
        ("BUY 150 PE", DataError, "MODEL 150 PE of 2026-03-10 did not trade on 2026-02-10; nearest "
         "strikes that traded: 147, 148, 149"),
        ("BUY 100 CE 2026-03-12", DataError, "expiry 2026-03-12 of MODEL .* it is not listed"),
    ],
)  # fmt: skip
def test_what_cannot_be_priced_is_named_with_the_remedy(
    known: KnownChain, what: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        structure_from(known, what)


def test_a_template_that_cannot_be_built_names_where_and_why(known: KnownChain) -> None:
    creation = known.creation.model_copy(update={"min_lots_traded": 10**6})
    lacking = replace(known, creation=creation)
    with pytest.raises(NotBuildable, match=f"^Iron condor on {SYMBOL}, 2026-02-10: "):
        structure_from(lacking, "iron_condor")


def test_lots_days_and_levels_are_checked(known: KnownChain, spread: PricedStructure) -> None:
    with pytest.raises(WrongUsage, match="0 lots make no structure"):
        structure_from(known, "iron_condor", lots=0)
    with pytest.raises(DataError, match=f"2026-03-11 is not between 2026-02-10, .* and {FRONT}"):
        spread.payoff(days=["2026-03-11"])
    with pytest.raises(DataError, match="must all be positive"):
        spread.payoff([100.0, 0.0])
