"""Every template: what it must be by its legs, and extremes worked out by hand for many.

``cases/<family>.csv`` has a row a template: premium of its options, limits, number of breakevens
and stance, from the slopes of its payoff. ``cases/worked`` has figures in rupees.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from strikeloom.domain.instruments import (
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
    Underlying,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.domain.money import rupees_text
from strikeloom.domain.outcomes import Ending, Rule
from strikeloom.domain.proposals import RiskSummary
from strikeloom.domain.templates import (
    Family,
    Stance,
    VolatilityUse,
    inverse,
    mirrored,
)
from strikeloom.domain.volatility import IvRank, Regime
from strikeloom.errors import DataError
from strikeloom.quant.probability.past_moves import no_moves, past_moves
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.chain import Chain, ChainExpiry, Smile, UnderlyingQuote
from strikeloom.strategy_creation.choose import choose
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.explain import explain
from strikeloom.strategy_creation.flow import Flow
from strikeloom.strategy_creation.model_chain import LOT, VOL, model_chain, model_structure
from strikeloom.strategy_creation.sketch import shape_of
from strikeloom.strategy_creation.structure import Structure
from support.picks import built_on, made_desk, pick

FOLDER = Path(__file__).parent / "cases"
RATE = 0.065
DAY, EXPIRY = date(2026, 2, 10), date(2026, 2, 24)
_FLAT = 0.045  # delta a unit up to which a structure has no direction


def _rows(folder: Path) -> list[dict[str, str]]:
    return [
        {**row, "family": path.stem}
        for path in sorted(folder.glob("*.csv"))
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    ]


EXPECTED, WORKED = _rows(FOLDER), _rows(FOLDER / "worked")


def _chain() -> Chain:
    years = 14 / 365
    front = ChainExpiry(
        EXPIRY,
        years,
        years,
        100.2,
        0.3,
        pd.DataFrame(),
        Smile(Curves.flat([0.3**2 * years]), SmileKind.FLAT, 2, 0.0),
        0.25**2 * years,
        no_moves(10),
        UnderlyingQuote(Share("ACME"), 100.0, 0.0, None),
    )
    return Chain(
        Underlying("ACME", InstrumentKind.STOCK, "Looms"),
        DAY,
        100.0,
        IvRank("ACME", DAY, 0.3, 50.0, 50.0, Regime.NORMAL, 21, 20, 20),
        (front,),
        None,
        EXPIRY,
        {},
        Flow(1.0, 1.0, 1.0, 1.0, 110.0, 90.0, 100.0),
        5,
    )


def _structure(row: dict[str, str]) -> Structure:
    template, lot = TEMPLATES[row["template"]], int(row["lot"])
    legs = []
    for wanted, strike, price in zip(
        template.legs, row["strikes"].split(), row["prices"].split(), strict=True
    ):
        instrument: Instrument = Share("ACME")
        lots = wanted.ratio * lot
        if wanted.right is not None:
            paise, lots = round(float(strike) * 100), wanted.ratio
            instrument = OptionContract(
                "ACME", EXPIRY, paise, wanted.right, InstrumentKind.STOCK, lot, 5
            )
        legs.append(Leg(instrument, wanted.side, lots, round(float(price) * 100)))
    view = MarketView("ACME", DAY, Outlook.NEUTRAL, 0.1, ())
    return Structure(
        template, _chain(), view, tuple(legs), (float("nan"),) * len(legs), (100,) * len(legs)
    )


def _paise(text: str) -> int | None:
    return None if text == "unlimited" else round(float(text) * 100)


@pytest.mark.parametrize("row", WORKED, ids=[row["template"] for row in WORKED])
def test_extremes_and_breakevens_are_exact(row: dict[str, str]) -> None:
    structure = _structure(row)
    (risk,) = evaluate([structure], RATE)
    assert risk.net_premium == _paise(row["net_premium"])
    assert risk.max_profit == _paise(row["max_profit"])
    assert risk.max_loss == _paise(row["max_loss"])
    assert risk.breakevens == tuple(float(x) for x in row["breakevens"].split())
    assert 0 < risk.probability_of_profit < 1
    assert risk.charges > 0
    assert (risk.half_profit is None) == (risk.max_profit is None)
    assert risk.tail_mean < risk.expected_value
    assert risk.forecast_vol == pytest.approx(0.25)
    assert 0 < risk.forecast_probability < 1
    sold = any(leg.side is Side.SELL for leg in structure.legs)
    assert (risk.margin > 0) == sold
    assert (risk.touch is not None) == sold
    if not structure.template.cash_secured:
        assert "estimate" in risk.margin_how


@pytest.mark.parametrize("row", EXPECTED, ids=[row["template"] for row in EXPECTED])
def test_a_template_is_what_its_legs_make_it(row: dict[str, str]) -> None:
    template = TEMPLATES[row["template"]]
    assert template.family.value == row["family"]
    shape = shape_of(template)
    (risk,) = evaluate([model_structure(template)], 0.0)
    premium = {-1: "debit", 0: "either", 1: "credit"}[(shape.premium > 0) - (shape.premium < 0)]
    assert row["premium"] in (premium, "either")
    assert (risk.max_profit is None) == (row["max_profit"] == "unlimited")
    assert (risk.max_loss is None) == (row["max_loss"] == "unlimited")
    assert shape.profit_is_limited == (risk.max_profit is not None)
    assert shape.loss_is_limited == (risk.max_loss is not None)
    assert row["breakevens"] in (str(len(risk.breakevens)), "either")
    delta = risk.delta / LOT
    stance = Stance.FLAT if abs(delta) <= _FLAT else Stance.LONG if delta > 0 else Stance.SHORT
    assert row["stance"] == stance.value == template.stance.value
    uses = {VolatilityUse.SELL: risk.vega < 0, VolatilityUse.BUY: risk.vega > 0}
    # what is sold beside a longer option gains by the slower decay of that one, not by its vega
    if template.name != "poor_mans_covered_call":
        assert uses.get(template.volatility, True)


def _profit(structure: Structure, spot: float) -> float:
    """Profit at expiry in rupees, leg by leg."""
    total = 0.0
    for leg in structure.legs:
        it, worth = leg.instrument, spot
        if isinstance(it, OptionContract):
            sign = 1 if it.right is Right.CALL else -1
            worth = max(sign * (spot - it.strike / 100), 0.0)
        total += leg.signed_units * (worth - leg.price / 100)
    return total


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_figures_of_one_expiry_agree_with_a_dense_search(name: str) -> None:
    structure = model_structure(TEMPLATES[name])
    if structure.has_later_legs:
        return  # test_two_expiries has them
    (risk,) = evaluate([structure], 0.0)
    spots = np.arange(0, 300.001, 0.5)
    profit = np.array([_profit(structure, float(spot)) for spot in spots])
    rises, falls = profit[-1] > profit[-3] + 1e-9, profit[-1] < profit[-3] - 1e-9
    assert (risk.max_profit is None) == rises
    assert (risk.max_loss is None) == falls
    if risk.max_profit is not None:
        assert risk.max_profit == round(100 * profit.max())
    if risk.max_loss is not None:
        assert risk.max_loss == max(0, round(-100 * profit.min()))
    roots = [
        brentq(lambda spot: _profit(structure, spot), spots[at], spots[at + 1])
        for at in np.flatnonzero(profit[:-1] * profit[1:] < -1e-9)
    ]
    inside = [x for x in risk.breakevens if x not in spots]
    np.testing.assert_allclose(inside, [x for x in roots if x not in spots], atol=1e-3)
    w = VOL**2 * 28 / 365
    ends = 100 * np.exp(norm.ppf((np.arange(200_000) + 0.5) / 200_000, -w / 2, w**0.5))
    outcome = np.interp(ends, spots, profit)
    assert risk.probability_of_profit == pytest.approx((outcome > 1e-6).mean(), abs=5e-4)
    mean = (risk.expected_value + risk.charges) / 100
    assert mean == pytest.approx(outcome.mean(), abs=0.05)
    worst = np.sort(outcome)[: len(outcome) // 20].mean()
    assert (risk.tail_mean + risk.charges) / 100 == pytest.approx(worst, abs=0.5)


def test_every_template_has_one_expected_row_and_a_plan() -> None:
    names = [row["template"] for row in EXPECTED]
    assert sorted(names) == sorted(TEMPLATES)
    assert len(names) >= 45
    assert {template.family for template in TEMPLATES.values()} == set(Family)
    plans = load_settings().exits.plans
    for name, template in TEMPLATES.items():
        assert template.name == name
        assert template.exit_plan in plans
        assert template.legs
        assert template.outlooks
    assert len({template.title for template in TEMPLATES.values()}) == len(TEMPLATES)


@pytest.mark.parametrize("regime", list(Regime))
@pytest.mark.parametrize("outlook", list(Outlook))
def test_every_view_has_suitable_templates_in_every_regime(
    outlook: Outlook, regime: Regime
) -> None:
    suited = [t for t in TEMPLATES.values() if outlook in t.outlooks and not t.is_naked]
    assert len(suited) >= 10
    assert any(template.volatility.suits(regime) for template in suited)


def test_structures_in_one_batch_equal_each_alone() -> None:
    structures = [_structure(row) for row in WORKED]
    structures += [model_structure(TEMPLATES[n]) for n in ("call_calendar", "double_diagonal")]
    together = evaluate(structures, RATE)
    for structure, risk in zip(structures, together, strict=True):
        (alone,) = evaluate([structure], RATE)
        assert alone == risk


def test_a_margin_is_never_below_what_a_defined_risk_spread_can_lose() -> None:
    for row in WORKED:
        structure = _structure(row)
        (risk,) = evaluate([structure], RATE)
        defined = risk.max_loss is not None and risk.max_loss < 10_000_00
        if defined and risk.margin and not structure.template.has_underlying:
            if row["template"] in ("synthetic_long", "jade_lizard", "put_ratio_spread"):
                continue  # limited only because no price falls below 0
            bound = risk.margin + max(0, -risk.net_premium)
            assert bound >= 0.95 * risk.max_loss, row["template"]


def test_cash_for_the_delivery_is_set_aside() -> None:
    (row,) = [row for row in WORKED if row["template"] == "cash_secured_put"]
    (risk,) = evaluate([_structure(row)], RATE)
    assert risk.margin == 95_00 * 50
    naked = {**row, "template": "short_put"}
    (plain,) = evaluate([_structure(naked)], RATE)
    assert 0 < plain.margin < risk.margin
    assert "estimate" in plain.margin_how


def test_shares_are_charged_as_a_delivery() -> None:
    """STT of 0.1 % on bought shares; 5,000 rupees of them are more than an option's charges."""
    (row,) = [row for row in WORKED if row["template"] == "protective_put"]
    (risk,) = evaluate([_structure(row)], RATE)
    option = {"template": "long_put", "strikes": "95", "prices": "1.20", "lot": "50"}
    (alone,) = evaluate([_structure(option)], RATE)
    assert risk.charges - alone.charges >= 5_00


def test_rights_of_the_spreads_match_their_names() -> None:
    assert all(leg.right is Right.PUT for leg in TEMPLATES["bull_put_spread"].legs)
    assert all(leg.right is Right.CALL for leg in TEMPLATES["bear_call_spread"].legs)


def test_twins_and_inverses_return_to_themselves() -> None:
    for template in TEMPLATES.values():
        assert inverse(inverse(template)) == template
        if template.has_underlying:
            with pytest.raises(DataError, match="no twin"):
                mirrored(template)
        else:
            assert mirrored(mirrored(template)) == template


def test_only_those_that_sell_alone_are_naked() -> None:
    naked = {name for name, template in TEMPLATES.items() if template.is_naked}
    assert naked == {"short_call", "short_put", "short_straddle", "short_strangle", "short_guts"}
    for risk, stopped in (("moderate", naked), ("aggressive", set())):
        for outlook in Outlook:
            view = MarketView("MODEL", DAY, outlook, 0.1, ())
            refused = built_on(made_desk(), model_chain(), view, risk).refused
            reasons = {row.template: row.reason for row in refused if row.rule is Rule.NAKED}
            suited = {name for name in stopped if outlook in TEMPLATES[name].outlooks}
            assert set(reasons) == suited
            assert all("without cover" in reason for reason in reasons.values())


#: By hand: options sold beyond those bought in their right and beyond what covers them.
NET_SOLD = {
    Right.CALL: {
        "short_call", "short_straddle", "short_strangle", "short_guts", "call_ratio_spread",
        "call_ladder", "bearish_risk_reversal", "synthetic_short", "reverse_jade_lizard",
    },
    Right.PUT: {
        "short_put", "short_straddle", "short_strangle", "short_guts", "put_ratio_spread",
        "put_ladder", "risk_reversal", "synthetic_long", "jade_lizard",
        "covered_strangle",  # the share covers the call; no cash is set aside for the put
    },
}  # fmt: skip


def test_options_sold_without_cover_are_counted_on_both_sides() -> None:
    for right, names in NET_SOLD.items():
        found = {n: t.net_sold(right) for n, t in TEMPLATES.items() if t.net_sold(right)}
        assert found == dict.fromkeys(names, 1)
    ratio = TEMPLATES["call_ratio_spread"]
    bought, sold = ratio.legs
    three = replace(ratio, legs=(bought, replace(sold, ratio=3)))
    assert (three.net_sold(Right.CALL), three.net_sold(Right.PUT)) == (2, 0)
    assert (mirrored(three).net_sold(Right.CALL), mirrored(three).net_sold(Right.PUT)) == (0, 2)
    owed = inverse(TEMPLATES["protective_put"])
    assert (owed.net_sold(Right.CALL), owed.net_sold(Right.PUT)) == (1, 0)


@pytest.mark.parametrize("name", ["put_ratio_spread", "put_ladder", "risk_reversal"])
def test_a_loss_down_to_a_price_of_zero_is_ruled_like_one_without_limit(name: str) -> None:
    """Refused by the moderate profile with what is lost at 0, admitted by the aggressive one."""
    template = TEMPLATES[name]
    view = MarketView("MODEL", DAY, next(iter(template.outlooks)), 0.1, ())
    for risk in ("moderate", "aggressive"):
        desk = made_desk()
        chosen = choose(desk, built_on(desk, model_chain(), view, risk), risk)
        (row,) = [row for row in chosen.outcomes if row.template == name]
        assert (row.rule is Rule.UNHEDGED) == (risk == "moderate")
        if row.rule is Rule.UNHEDGED:
            at_zero = sum(leg.cash for leg in row.legs)
            for leg in row.legs:
                assert isinstance(leg.instrument, OptionContract)
                if leg.instrument.right is Right.PUT:
                    at_zero += leg.signed_units * leg.instrument.strike
            lost = rupees_text(-at_zero)
            assert f"1 net sold put: loses down to 0, {lost};" in row.reason


def test_a_structure_that_cannot_lose_is_refused() -> None:
    """A credit as large as the strike width: what it may cost at most is what it brings."""
    gift = {"template": "bull_put_spread", "strikes": "96 92", "prices": "5.00 1.00", "lot": "100"}
    structure = _structure(gift)
    (risk,) = evaluate([structure], RATE)
    assert risk.max_loss == 0
    rows = pd.DataFrame(
        {"strike": [92.0, 96.0], "right": "PE", "close": [1.0, 5.0], "settle": [1.0, 5.0],
         "lots_traded": 1000, "lot_size": 100}
    )  # fmt: skip
    chain = _chain()
    chain = replace(chain, expiries=(replace(chain.front, rows=rows),))
    desk = made_desk()
    built = built_on(desk, chain, replace(structure.view, outlook=Outlook.BULLISH), "aggressive")
    (found,) = [row for row in built.structures if row.template.name == "bull_put_spread"]
    assert [leg.price for leg in found.legs] == [5_00, 1_00]
    chosen = choose(desk, built, "aggressive")
    assert found.template.name not in {row.name for row in chosen.picks}
    (refused,) = [row for row in chosen.outcomes if row.template == found.template.name]
    assert (refused.ending, refused.rule) == (Ending.REFUSED, Rule.CANNOT_LOSE)
    assert "cannot lose" in refused.reason


def _with_past(structure: Structure, windows: int) -> Structure:
    """The same on moves that are half as wide as expected, from so many windows of 10 sessions."""
    level = np.exp(np.cumsum(0.005 * np.random.default_rng(2).normal(size=10 * windows + 10)))
    past = past_moves(level, np.full(len(level), 0.01 * np.sqrt(250)), 10, 250)
    assert past.windows == windows
    front = replace(structure.chain.front, past=past)
    return replace(structure, chain=replace(structure.chain, expiries=(front,)))


def test_past_moves_change_the_real_world_figures_and_no_other() -> None:
    row = next(row for row in WORKED if row["template"] == "iron_condor")
    plain = _structure(row)
    index = replace(plain.chain, underlying=Underlying("ACME", InstrumentKind.INDEX, "Index"))
    structures = [
        plain, _with_past(plain, 23), _with_past(replace(plain, chain=index), 300)
    ]  # fmt: skip
    alone, short, long = (evaluate([item], RATE)[0] for item in structures)
    assert replace(short, past_windows=0) == alone
    # a body half as wide as the smile expects: a condor keeps its credit more often
    assert long.forecast_probability > alone.forecast_probability + 0.1
    assert long.forecast_value > alone.forecast_value
    assert long.forecast_tail > alone.forecast_tail
    assert long.forecast_tail < long.forecast_value
    assert (long.probability_of_profit, long.expected_value) == (
        alone.probability_of_profit,
        alone.expected_value,
    )


def _real_world(structure: Structure, risk: RiskSummary) -> str:
    (found,) = (s for s in explain(pick(structure), risk, 0.0) if s.startswith("In the real world"))
    return found


def test_the_sentence_names_what_the_real_world_comes_from() -> None:
    plain = _structure(next(row for row in WORKED if row["template"] == "iron_condor"))
    short, long = _with_past(plain, 23), _with_past(plain, 569)
    (risk,) = evaluate([short], RATE)
    last = _real_world(short, risk)
    assert "have 23 separate windows of 10 sessions, and 24 are needed" in last
    assert "the forecast from daily bars, 25.0%, blended with what options at the money" in last
    assert "and by nothing else" in last
    (risk,) = evaluate([long], RATE)
    last = _real_world(long, risk)
    assert f"probability {risk.forecast_probability:.0%}" in last
    assert "569 separate windows of 10 sessions, without their skew, which counts 96%" in last
