"""Research on a whole market: what the files hold, what stage 02 proposed, and the document."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from strikeloom import research
from strikeloom.desk import open_desk
from strikeloom.errors import DataError, WrongUsage
from strikeloom.ports.desk import Desk

PAGE = Path(__file__).resolve().parents[2] / "docs" / "research.md"


@pytest.fixture
def desk(planned_home: Path) -> Iterator[Desk]:
    with open_desk("synthetic", home=planned_home) as opened:
        yield opened


def test_a_chain_has_the_contracts_of_the_files(desk: Desk) -> None:
    found = research.chain("SYNDEX", desk=desk)
    rows = desk.history.as_of(desk.day).contracts(desk.day, symbols=["SYNDEX"])
    rows = rows[(rows["expiry"] == pd.Timestamp(found.expiry)) & rows["right"].isin(["CE", "PE"])]
    rows = rows.sort_values(["strike", "right"]).reset_index(drop=True)
    assert len(found.table) == len(rows) > 20
    for name in ("strike", "open_interest", "oi_change"):
        assert found.table[name].tolist() == rows[name].tolist()
    assert found.table["lots"].tolist() == rows["lots_traded"].tolist()
    traded = rows["traded"]
    assert found.table.loc[traded, "close"].tolist() == rows.loc[traded, "close"].tolist()
    assert found.table.loc[~traded, "close"].isna().all()
    assert found.spot == rows["underlying"].iloc[0]


def test_a_proposal_of_stage_02_has_the_same_figures_here(desk: Desk) -> None:
    for proposal in desk.store.proposals(desk.day)[:3]:
        found = research.structure(proposal.symbol, proposal.template, desk=desk)
        assert found.legs["contract"].tolist() == [leg.instrument.label for leg in proposal.legs]
        risk = proposal.risk
        assert found.premium == risk.net_premium / 100
        assert found.expected == risk.expected_value / 100
        assert found.expected_real == (risk.forecast_value or 0) / 100
        assert found.breakevens == risk.breakevens
        assert found.probability == pytest.approx(100 * risk.probability_of_profit)
        assert found.margin == risk.margin / 100
        assert found.margin_after == (risk.margin_after or 0) / 100


def test_a_desk_is_opened_and_closed_without_one(desk: Desk, planned_home: Path) -> None:
    alone = research.distribution("syndex", day=f"{desk.day}", market="synthetic")
    with_desk = research.distribution("SYNDEX", desk=desk)
    assert (alone.market, alone.forward) == ("synthetic-7", with_desk.forward)
    assert research.chain("SYNDEX", market="synthetic").structure("iron_condor").market == (
        "synthetic-7"
    )


def test_a_wrong_symbol_is_answered_with_the_nearest(desk: Desk) -> None:
    with pytest.raises(DataError, match=r"row for SYNDEXX on .*; did you mean SYNDEX\?"):
        research.chain("SYNDEXX", desk=desk)
    with pytest.raises(WrongUsage, match="no symbol is given"):
        research.chain(" ", desk=desk)
    with pytest.raises(WrongUsage, match="leave these out, or the desk"):
        research.chain("SYNDEX", day="2026-06-10", desk=desk)


def _blocks() -> list[str]:
    parts = PAGE.read_text(encoding="utf-8").split("```python\n")[1:]
    return [part.split("```")[0] for part in parts]


@pytest.mark.usefixtures("planned_home")
def test_every_example_of_the_document_runs() -> None:
    names: dict[str, Any] = {}
    shown = 0
    for block in _blocks():
        for node in ast.parse(block).body:
            code = ast.unparse(node)
            if isinstance(node, ast.Expr):
                value = eval(code, names)  # noqa: S307 (the document's own lines)
                assert len(repr(value)) > 3, code
                shown += 1
            else:
                exec(code, names)  # noqa: S102 (the document's own lines)
    assert shown >= 10
