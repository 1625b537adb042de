from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from strikeloom.desk import mark, open_desk, to_day_end, to_day_start, to_next_session
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import MissingHistory, SettingsError, StageError, StoreError
from strikeloom.nse.sessions import IST
from strikeloom.ports.desk import Desk, Mode
from strikeloom.settings.all import Settings, load_settings

LAST, NEXT = date(2026, 6, 10), date(2026, 6, 11)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


@pytest.fixture
def desk(drawn_home: Path) -> Desk:
    return open_desk("synthetic")


def test_a_desk_is_bound_to_one_market_and_account(desk: Desk, drawn_home: Path) -> None:
    assert (desk.market, desk.account, desk.mode) == ("synthetic-7", "replay:synthetic-7",
                                                      Mode.REPLAY)  # fmt: skip
    assert (desk.store.market, desk.store.account) == (desk.market, desk.account)
    assert desk.home == drawn_home
    assert desk.day == LAST
    assert desk.clock.now() == _at("2026-06-10 15:30")
    for file in ("store.db", "quotes.db", "accounts/replay-synthetic-7.db"):
        assert (drawn_home / file).stat().st_mode & 0o077 == 0, file


def test_a_date_can_be_chosen(drawn_home: Path) -> None:
    assert open_desk("synthetic", "2026-05-04").day == date(2026, 5, 4)
    assert open_desk("synthetic", date(2026, 5, 4)).day == date(2026, 5, 4)
    with pytest.raises(SettingsError, match="'4 May' is not a day; write YYYY-MM-DD"):
        open_desk("synthetic", "4 May")


def test_an_empty_exchange_reports_what_to_import(home: Path) -> None:
    with pytest.raises(MissingHistory, match="nse has no stored days; run strikeloom data import"):
        open_desk("nse")


def _finish(desk: Desk, stage: Stage, run_id: str, inputs: dict[str, str]) -> None:
    result = StageResult(
        run_id=run_id,
        stage=stage,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.DONE,
        counts={"universe": 0, "done": 0, "refused": 0},
        inputs=inputs,
    )
    desk.store.finish_run(result, desk.clock.now())


def _exchange(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the drawn market pass as the exchange's: nothing is run on its behalf there."""
    (home / "history" / "nse").symlink_to((home / "history" / "synthetic-7").resolve())


def test_a_missing_upstream_run_is_refused_with_its_command(
    drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _exchange(drawn_home, monkeypatch)
    with pytest.raises(
        StageError, match="iv-history has no finished run; run strikeloom run iv-history --date"
    ):
        open_desk("nse", stage="strategy-creation")
    assert open_desk("nse", stage="iv-history").market == "nse"


def test_a_stale_upstream_run_is_refused(drawn_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _exchange(drawn_home, monkeypatch)
    desk = open_desk("nse")
    _finish(desk, Stage.IV_HISTORY, "iv1", {})
    _finish(desk, Stage.STRATEGY_CREATION, "cr1", {"iv-history": "iv1"})
    assert open_desk("nse", stage="allocation").day == LAST
    _finish(desk, Stage.IV_HISTORY, "iv2", {})
    with pytest.raises(StageError, match="strategy-creation is older than the last run of iv-h"):
        open_desk("nse", stage="allocation")


def test_the_synthetic_market_runs_what_is_missing_and_reports_it(
    drawn_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = open_desk("synthetic", stage="execution")
    output = capsys.readouterr().err
    assert [line.split()[0] for line in output.splitlines()] == [
        "iv-history", "strategy-creation", "allocation", "nothing",
    ]  # fmt: skip
    plan = desk.store.allocation(LAST)
    assert plan is not None
    assert plan.rows
    assert {m.strategy_id for m in desk.store.marks(LAST)} == {r.strategy_id for r in plan.rows}
    open_desk("synthetic", stage="execution")
    assert capsys.readouterr().err == ""


def _marking(rule: str) -> Settings:
    settings = load_settings()
    execution = settings.execution.model_copy(update={"mark_plan": rule})
    return settings.model_copy(update={"execution": execution})


def test_the_plan_is_marked_only_where_the_settings_allow_it(
    drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _exchange(drawn_home, monkeypatch)
    desk = open_desk("synthetic", stage="execution", settings=_marking("never"))
    assert desk.store.allocation(LAST).rows  # type: ignore[union-attr]
    assert desk.store.marks(LAST) == []
    nse = open_desk("nse")
    _finish(nse, Stage.IV_HISTORY, "iv1", {})
    _finish(nse, Stage.STRATEGY_CREATION, "cr1", {"iv-history": "iv1"})
    _finish(nse, Stage.ALLOCATION, "al1", {"strategy-creation": "cr1"})
    assert open_desk("nse", stage="execution").store.marks(LAST) == []  # no plan is needed
    with pytest.raises(StageError, match="no plan for 2026-06-10"):
        open_desk("nse", stage="execution", settings=_marking("always"))
    assert open_desk("synthetic", stage="execution").store.marks(LAST)


def test_without_a_plan_there_is_nothing_to_mark(desk: Desk) -> None:
    with pytest.raises(StageError, match=r"no plan for 2026-06-10.*run allocation"):
        mark(desk)


def test_marks_are_of_the_plan(planned_home: Path) -> None:
    desk = open_desk("synthetic")
    plan = desk.store.allocation(LAST)
    assert plan is not None
    rows, new = mark(desk)
    assert new == 0  # all were marked by opening the desk for execution
    assert [(m.strategy_id, m.lots) for m in rows] == [(r.strategy_id, r.lots) for r in plan.rows]
    with pytest.raises(StageError, match="not in the plan of 2026-06-10: SNOTHERE"):
        mark(desk, ["SNOTHERE"])


def test_execution_starts_at_the_first_prices_after_the_signal(desk: Desk) -> None:
    assert to_next_session(desk) == _at("2026-06-11 09:15")
    assert to_next_session(desk) == _at("2026-06-11 09:15")


def test_execution_is_refused_where_the_next_day_is_not_stored(drawn_home: Path) -> None:
    to_next_session(open_desk("synthetic", "2026-06-09"))
    with pytest.raises(StageError, match=r"trade at the prices of 2026-06-12.*has none stored"):
        to_next_session(open_desk("synthetic", "2026-06-11"))


def test_a_replay_that_has_not_traded_may_go_anywhere(desk: Desk) -> None:
    to_day_end(desk, NEXT)
    assert desk.clock.now() == _at("2026-06-11 15:30")
    to_day_start(desk, date(2026, 5, 4))
    assert desk.clock.now() == _at("2026-05-04 09:15")
    with pytest.raises(MissingHistory, match="no prices of 2026-06-12"):
        to_day_end(desk, date(2026, 6, 12))


def test_a_replay_that_has_traded_never_goes_back(planned_home: Path) -> None:
    from strikeloom import execution

    desk = open_desk("synthetic", stage="execution")
    to_next_session(desk)
    execution.place(desk, execution.plan_entries(desk, execution.load_marked(desk)))
    assert desk.store.positions()
    to_day_end(desk, NEXT)
    assert desk.clock.now() == _at("2026-06-11 15:30")
    with pytest.raises(StoreError, match="cannot go back to 2026-06-10"):
        to_day_start(desk, LAST)
    earlier = open_desk("synthetic", "2026-06-08")
    with pytest.raises(StageError, match="can no longer be entered"):
        to_next_session(earlier)
    assert desk.clock.now() == _at("2026-06-11 15:30")
