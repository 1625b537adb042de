"""A rename moves nothing: one history before and after it, under every name that is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from strikeloom import iv_history
from strikeloom import strategy_creation as creation
from strikeloom.desk import open_desk
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.ports.desk import Desk
from strikeloom.views.figures import cone_figure, movers_figure, term_figure
from support.renamed_share import DAYS, EVE, FORMER, LAST, LATER, NOTE, RENAMED, home_of


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Desk, Path]:
    """The renamed share, its twin, and the first one's home."""
    folder = tmp_path_factory.mktemp("renamed")
    twin = home_of(tmp_path_factory.mktemp("twin"), LATER, LATER)
    return home_of(folder, FORMER, LATER), twin, folder


def test_the_history_of_both_names_is_that_of_the_twin(homes: tuple[Desk, Desk, Path]) -> None:
    desk, twin, _ = homes
    ours = iv_history.read_history(desk)
    pd.testing.assert_frame_equal(ours, iv_history.read_history(twin))
    assert set(ours["symbol"]) == {LATER}
    assert len(ours) == len(DAYS)
    assert ours["rv_cc_60"].notna().all()
    # stored as published, in the names of their days
    assert set(desk.store.iv_history(EVE)["symbol"]) == {FORMER}
    short = iv_history.read_history(desk, first=EVE)
    assert short["day"].dt.date.tolist() == [day for day in DAYS if day >= EVE]


def test_ranks_before_and_after_the_rename_are_one_series(
    homes: tuple[Desk, Desk, Path],
) -> None:
    desk, twin, _ = homes
    ours = iv_history.read_ranks(desk, LATER)
    assert ours == iv_history.read_ranks(twin, LATER)
    assert [row.day for row in ours] == DAYS
    assert (ours[-1].window_sessions, ours[-1].sample) == (21, 21)
    assert iv_history.read_ranks(desk, LATER, first=EVE) == ours[DAYS.index(EVE) :]
    assert [row.sample for row in ours][:21] == list(range(1, 22))


def test_the_pairs_of_both_names_are_those_of_the_twin(homes: tuple[Desk, Desk, Path]) -> None:
    desk, twin, _ = homes
    ours = iv_history.moves_of(desk, LATER, DAYS)
    assert ours == iv_history.moves_of(twin, LATER, DAYS)
    # another pair takes over before the rename
    assert ours
    assert min(ours) < RENAMED
    # days of the former name alone, asked for under the later one
    assert iv_history.moves_of(desk, LATER, [EVE]) == {}
    assert iv_history.moves_of(desk, "NEVER", DAYS) == {}


def test_on_the_eve_the_share_has_its_former_name(homes: tuple[Desk, Desk, Path]) -> None:
    _, twin, folder = homes
    eve = open_desk("nse", EVE, home=folder)
    for name in (FORMER, LATER):
        assert iv_history.find_symbol(eve, name).symbol == FORMER
    ours = iv_history.read_ranks(eve, FORMER)
    theirs = [row for row in iv_history.read_ranks(twin, LATER) if row.day <= EVE]
    assert [replace(row, symbol=LATER) for row in ours] == theirs
    assert set(iv_history.read_history(eve)["symbol"]) == {FORMER}


def test_charts_draw_the_days_of_both_names(homes: tuple[Desk, Desk, Path]) -> None:
    desk, _, folder = homes
    first = open_desk("nse", RENAMED, home=folder)
    history = iv_history.read_history(first)
    assert "no earlier day" not in str(movers_figure(history).layout.title.text)
    history = iv_history.read_history(desk)
    for figure in (term_figure(history, symbol=LATER), cone_figure(history, symbol=LATER)):
        assert len(figure.data) >= 2
    smiles = iv_history.smiles(desk, FORMER.lower())
    assert set(smiles["symbol"]) == {LATER}
    found = iv_history.find_symbol(desk, f" {FORMER.lower()} ")
    assert (found.symbol, str(found)) == (LATER, f"{LATER} ({NOTE})")


def _finished(desk: Desk) -> None:
    result = StageResult(
        run_id="run", stage=Stage.IV_HISTORY, market="nse", account=desk.account, day=LAST,
        verdict=Verdict.DONE, counts={"universe": 1, "done": 1, "refused": 0},
    )  # fmt: skip
    now = desk.clock.now()
    desk.store.start_run("run", Stage.IV_HISTORY, LAST, now)
    desk.store.finish_run(result, now)


def test_strategies_of_a_former_name_are_those_of_the_later(
    homes: tuple[Desk, Desk, Path],
) -> None:
    desk, _, _ = homes
    _finished(desk)
    loaded = creation.load_chains(desk, [FORMER.lower()])
    assert loaded.universe == [LATER]
    assert NOTE in loaded.warnings
    assert creation.load_chains(desk, [LATER]).chains.keys() == loaded.chains.keys()
