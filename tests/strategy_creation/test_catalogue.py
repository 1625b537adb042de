"""Every template: extremes and breakevens worked out by hand, one row each in ``cases/``."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right, Underlying
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.domain.volatility import IvRank, Regime
from strikeloom.ports.desk import Desk
from strikeloom.quant.probability.past_moves import no_moves, past_moves
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.build import Structure
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.explain import explain
from strikeloom.strategy_creation.flow import Flow
from strikeloom.strategy_creation.load import Chain
from strikeloom.strategy_creation.score import score
from strikeloom.strategy_creation.smile import Smile

CASES = [
    row
    for path in sorted((Path(__file__).parent / "cases").glob("*.csv"))
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
]
RATE = 0.065
DAY, EXPIRY = date(2026, 2, 10), date(2026, 2, 24)


def _structure(row: dict[str, str]) -> Structure:
    template = TEMPLATES[row["template"]]
    legs = tuple(
        Leg(
            OptionContract(
                "ACME",
                EXPIRY,
                round(float(strike) * 100),
                wanted.right,
                InstrumentKind.STOCK,
                int(row["lot"]),
                5,
            ),
            wanted.side,
            wanted.ratio,
            round(float(price) * 100),
        )
        for wanted, strike, price in zip(
            template.legs, row["strikes"].split(), row["prices"].split(), strict=True
        )
    )
    rank = IvRank("ACME", DAY, 0.3, 50.0, 50.0, Regime.NORMAL, 21, 20, 20)
    chain = Chain(
        Underlying("ACME", InstrumentKind.STOCK, "Looms"),
        DAY,
        EXPIRY,
        14 / 365,
        100.0,
        100.2,
        0.3,
        rank,
        pd.DataFrame(),
        Flow(1.0, 1.0, 1.0, 1.0, 110.0, 90.0, 100.0),
        Smile(Curves.flat([0.3**2 * 14 / 365]), SmileKind.FLAT, 2, 0.0),
        0.25**2 * 14 / 365,
        5,
        no_moves(10),
    )
    view = MarketView("ACME", DAY, Outlook.NEUTRAL, 0.1, ())
    return Structure(template, chain, view, legs, 100)


def _paise(text: str) -> int | None:
    return None if text == "unlimited" else round(float(text) * 100)


@pytest.mark.parametrize("row", CASES, ids=[row["template"] for row in CASES])
def test_extremes_and_breakevens_are_exact(row: dict[str, str]) -> None:
    (risk,) = evaluate([_structure(row)], RATE)
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
    sold = any(leg.side is Side.SELL for leg in _structure(row).legs)
    assert (risk.margin > 0) == sold
    assert (risk.touch is not None) == sold
    assert "estimate" in risk.margin_how


def test_structures_in_one_batch_equal_each_alone() -> None:
    structures = [_structure(row) for row in CASES]
    together = evaluate(structures, RATE)
    for structure, risk in zip(structures, together, strict=True):
        (alone,) = evaluate([structure], RATE)
        assert alone == risk


def test_every_template_has_a_case_and_a_plan() -> None:
    assert {row["template"] for row in CASES} == set(TEMPLATES)
    plans = load_settings().exits.plans
    for name, template in TEMPLATES.items():
        assert template.name == name
        assert template.exit_plan in plans
        assert template.legs
        assert template.outlooks
        assert template.regimes


def test_a_margin_is_never_below_what_a_defined_risk_spread_can_lose() -> None:
    for row in CASES:
        (risk,) = evaluate([_structure(row)], RATE)
        if risk.max_loss is not None and risk.margin:
            bound = risk.margin + max(0, -risk.net_premium)
            assert bound >= 0.95 * risk.max_loss, row["template"]


def test_rights_of_the_spreads_match_their_names() -> None:
    assert all(leg.right is Right.PUT for leg in TEMPLATES["bull_put_spread"].legs)
    assert all(leg.right is Right.CALL for leg in TEMPLATES["bear_call_spread"].legs)


def test_a_structure_that_cannot_lose_is_refused() -> None:
    """A credit above the strike width means prices of different times, not a free profit."""
    gift = {"template": "bull_put_spread", "strikes": "95 90", "prices": "6.50 1.00", "lot": "100"}
    structure = _structure(gift)
    (risk,) = evaluate([structure], RATE)
    assert risk.max_loss == 0
    desk = cast("Desk", SimpleNamespace(settings=load_settings(), market="made"))
    proposals, (refused,) = score(desk, [structure], [risk], "aggressive")
    assert not proposals
    assert "cannot lose" in refused.reason


def _with_past(structure: Structure, windows: int) -> Structure:
    """The same on moves that are half as wide as expected, from so many windows of 10 sessions."""
    level = np.exp(np.cumsum(0.005 * np.random.default_rng(2).normal(size=10 * windows + 10)))
    past = past_moves(level, np.full(len(level), 0.01 * np.sqrt(250)), 10, 250)
    assert past.windows == windows
    return replace(structure, chain=replace(structure.chain, past=past))


def test_past_moves_change_the_real_world_figures_and_no_other() -> None:
    row = next(row for row in CASES if row["template"] == "iron_condor")
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


def test_the_sentence_names_what_the_real_world_comes_from() -> None:
    plain = _structure(next(row for row in CASES if row["template"] == "iron_condor"))
    short, long = _with_past(plain, 23), _with_past(plain, 569)
    (risk,) = evaluate([short], RATE)
    last = explain(short, risk)[-1]
    assert "have 23 separate windows of 10 sessions, and 24 are needed" in last
    assert "forecast from daily bars alone, 25.0%" in last
    (risk,) = evaluate([long], RATE)
    last = explain(long, risk)[-1]
    assert f"probability {risk.forecast_probability:.0%}" in last
    assert "569 separate windows of 10 sessions, which counts 96%" in last
