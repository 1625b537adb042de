"""``--no-database``: what a run that keeps nothing prints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.cli.unkept import proposal_rows, show_proposals
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.templates import StructurePurpose
from strikeloom.strategy_creation.save import outcomes_table, proposals_table
from support.candidates import proposal, risk

MISSES = [
    Outcome("ACME", "long_call", Ending.REFUSED, Rule.EDGE, "it is expected to lose",
            -3.0, 1.0, score=2.0, failed=2),
    Outcome("ACME", "iron_condor", Ending.REFUSED, Rule.COSTS, "costs take 60 %", 0.6, 0.5,
            score=-0.5, failed=1, remedy="passes if a round trip costs ₹80 or less"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    return tmp_path


def _write(folder: Path, *proposals: object) -> None:
    made = proposals_table(proposals)  # type: ignore[arg-type]
    made.to_parquet(folder / "tables" / "proposals.parquet", index=False)
    outcomes_table(MISSES).to_parquet(folder / "tables" / "outcomes.parquet", index=False)


def test_proposals_are_printed_and_hold_no_infinity(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(folder, proposal(1, risk(max_profit=None, edge=1_234_50, funds=9_876_50), score=-0.001))
    show_proposals(folder)
    shown = capsys.readouterr().out
    assert "not kept" in shown
    assert "SYM1" in shown
    assert "-0.00" not in shown
    assert "0.00" in shown
    assert "9,876.50" in shown
    assert "1,234.50" in shown
    assert "Nothing is worth it" not in shown
    (row,) = proposal_rows(folder)
    assert row["max_profit"] == "unlimited"
    assert row["error"] is None
    assert row["funds"] == 9_876.5
    assert " at " in row["legs"]
    json.loads(json.dumps(row), parse_constant=pytest.fail)


@pytest.mark.parametrize("hedges", [0, 1])
def test_without_an_earner_the_nearest_miss_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], hedges: int
) -> None:
    hedge = replace(proposal(1, risk()), purpose=StructurePurpose.PROTECT)
    _write(folder, *[hedge] * hedges)
    show_proposals(folder)
    shown = " ".join(capsys.readouterr().out.split())
    assert "Nothing is worth it today. Nearest: Iron condor on ACME: costs take 60 %." in shown
    assert "It passes if a round trip costs ₹80 or less." in shown
    assert ("SYM1" in shown) == bool(hedges)
