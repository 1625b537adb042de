"""What is stored and shown of a plan."""

from __future__ import annotations

from math import inf, isnan
from types import SimpleNamespace

import pytest

from strikeloom.allocation import plan_table, save
from strikeloom.domain.results import Stage, Verdict
from strikeloom.domain.templates import Stance, Tier
from support.candidates import DAY, LAKH, candidate, plan_of

RUPEE = 100


class _Store:
    def __init__(self):
        self.saved = []

    def save_allocation(self, run_id, plan):
        self.saved.append((run_id, plan))


@pytest.fixture
def desk():
    return SimpleNamespace(store=_Store(), market="nse", account="test", day=DAY)


@pytest.fixture
def plan():
    """Of ten lakh, 15 % a symbol: two and three lots given, two refused for one reason."""
    rows = [
        candidate(1, capital=60_000 * RUPEE, loss=10_000 * RUPEE, income=900 * RUPEE, score=0.8),
        candidate(2, capital=50_000 * RUPEE, loss=15_000 * RUPEE, income=650 * RUPEE,
                  score=0.7, tier=Tier.MOMENTUM, stance=Stance.LONG, sector="Metals"),
        candidate(3, capital=2 * LAKH), candidate(4, capital=2 * LAKH),
    ]  # fmt: skip
    return plan_of(rows, 1_000_000)


def test_the_table_has_a_row_a_strategy_in_rupees(plan):
    table = plan_table(plan).set_index("strategy_id")
    assert list(table.index) == ["S001", "S002", "S003", "S004"]
    columns = [
        "sector",
        "tier",
        "stance",
        "lots",
        "capital",
        "max_loss",
        "expected_income",
        "score",
    ]
    assert list(table.loc["S001", columns]) == [
        "Looms", "income", "FLAT", 2, 120_000.0, 20_000.0, 1_800.0, 0.8,
    ]  # fmt: skip
    assert list(table.loc["S002", columns]) == [
        "Metals", "momentum", "LONG", 3, 150_000.0, 45_000.0, 1_950.0, 0.7,
    ]  # fmt: skip
    given, refused = table.loc["S001"], table.loc["S003"]
    assert (given["symbol"], given["template"], given["refused"]) == ("SYM1", "iron_condor", "")
    assert (refused["symbol"], refused["template"]) == ("SYM3", "iron_condor")
    assert refused["refused"].startswith("no lot fits: one symbol at 15%; a lot needs ")
    assert list(refused[["lots", "capital", "max_loss", "expected_income"]]) == [0, 0.0, 0.0, 0.0]
    assert isnan(refused["score"])


def test_an_unlimited_loss_is_shown_as_that():
    table = plan_table(plan_of([candidate(1, capital=20_000 * RUPEE, loss=None)], 1_000_000))
    assert table["max_loss"].tolist() == [inf]


def test_a_plan_is_stored_under_its_run(desk, plan):
    result = save(desk, "run-9", plan, "run-7").result
    assert desk.store.saved == [("run-9", plan)]
    assert (result.stage, result.verdict, result.run_id) == (
        Stage.ALLOCATION, Verdict.DONE, "run-9",
    )  # fmt: skip
    assert (result.market, result.account, result.day) == ("nse", "test", DAY)
    assert result.counts == {"universe": 4, "done": 2, "refused": 2}
    assert result.refused == {"no lot fits: one symbol at 15%": 2}
    assert result.inputs == {"strategy-creation": "run-7"}
    assert result.outputs == {"lots": 5}


def test_a_dry_run_stores_nothing(desk, plan):
    output = save(desk, "run-9", plan, "run-7", dry_run=True)
    assert desk.store.saved == []
    assert output.result.outputs == {"lots": 5, "dry_run": 1}
    assert output.tables["allocations"].equals(plan_table(plan))


def test_a_missed_target_is_a_warning(desk, plan):
    """4 % of ten lakh is 40,000 a month; 1,800 and 1,950 are expected."""
    (warning,) = save(desk, "run-9", plan, "run-7").result.warnings
    figures = ("3,750", "40,000", "36,250")
    assert [figure in warning for figure in figures] == [True] * 3


def test_a_target_that_is_met_is_none(desk):
    rich = plan_of([candidate(1, income=40_000 * RUPEE, loss=LAKH // 10)], 1_000_000)
    assert rich.expected_income == rich.target_income
    assert save(desk, "run-9", rich, "run-7").result.warnings == ()
