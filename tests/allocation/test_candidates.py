"""The capital that one unit of a proposal needs, what it risks, and its income of a month."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from strikeloom.allocation import load_candidates
from strikeloom.domain.results import Stage
from strikeloom.errors import StageError
from support.candidates import DAY, proposal, risk

RUPEE = 100


class _Store:
    """Holds one run of strategy creation and its proposals."""

    def __init__(self, run_id, proposals):
        self.run_id, self.kept = run_id, proposals

    def latest_run(self, stage, day):
        asked = (stage, day) == (Stage.STRATEGY_CREATION, DAY)
        return SimpleNamespace(run_id=self.run_id) if asked and self.run_id else None

    def proposals(self, day):
        return self.kept if day == DAY else []


def _loaded(*proposals, run_id="run-7"):
    desk = SimpleNamespace(store=_Store(run_id, list(proposals)), day=DAY, market="nse")
    return load_candidates(desk)


def _loaded_one(expiry=DAY + timedelta(days=14), **figures):
    ((found,), _) = _loaded(proposal(1, risk(**figures), expiry=expiry))
    return found


def test_candidates_keep_the_order_of_the_store_and_name_their_run():
    rows = [proposal(number, risk(), score=score) for number, score in ((4, 0.9), (2, 0.5))]
    found, run = _loaded(*rows)
    assert [row.proposal.strategy_id for row in found] == ["S004", "S002"]
    assert run == "run-7"


def test_a_credit_spread_needs_its_margin_and_charges_but_nothing_for_its_premium():
    """Rs 42,000 of margin and Rs 61 of charges; the Rs 2,500 received are not counted on."""
    found = _loaded_one(margin=42_000 * RUPEE, net_premium=2_500 * RUPEE, charges=61 * RUPEE)
    assert found.capital == 42_061 * RUPEE


def test_a_debit_spread_needs_what_it_pays_besides_margin_and_charges():
    """Rs 10,000 of exposure margin, Rs 3,100 paid, Rs 55 of charges."""
    found = _loaded_one(margin=10_000 * RUPEE, net_premium=-3_100 * RUPEE, charges=55 * RUPEE)
    assert found.capital == 13_155 * RUPEE
    bought = _loaded_one(margin=0, net_premium=-1, charges=0)
    assert bought.capital == 1


def test_the_largest_loss_is_at_risk_and_all_the_capital_where_it_is_unlimited():
    limited = _loaded_one(margin=42_000 * RUPEE, max_loss=10_500 * RUPEE)
    assert limited.at_risk == 10_500 * RUPEE
    unlimited = _loaded_one(margin=180_000 * RUPEE, charges=40 * RUPEE, max_loss=None)
    assert unlimited.at_risk == 180_040 * RUPEE
    lossless = _loaded_one(max_loss=0)
    assert lossless.at_risk == 0


@pytest.mark.parametrize(
    ("days", "income"),
    [
        (30, 700_00),
        (15, 1_400_00),  # twice in 30 days
        (60, 350_00),
        (7, 3_000_00),
        (1, 21_000_00),
        (0, 21_000_00),  # on its last day: a day of holding
    ],
)
def test_income_is_the_expected_value_of_thirty_days(days, income):
    """Rs 700 until expiry."""
    found = _loaded_one(DAY + timedelta(days=days), expected_value=700_00)
    assert found.income == income
    lost = _loaded_one(DAY + timedelta(days=days), expected_value=-700_00)
    assert lost.income == -income


def test_a_day_without_a_run_of_strategy_creation_names_the_command():
    with pytest.raises(StageError, match=rf"strikeloom run strategy-creation --date {DAY}"):
        _loaded(run_id="")


def test_a_run_without_proposals_gives_no_candidates():
    assert _loaded() == ([], "run-7")


def test_the_last_day_counts_from_the_proposal_not_from_today():
    assert _loaded_one(date(2026, 3, 12), expected_value=1_000_00).income == 1_000_00
