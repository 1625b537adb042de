from __future__ import annotations

import shutil
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from strikeloom.desk import mark, open_desk, places
from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.folders import config_folder
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import LeaseTaken, SettingsError, WrongUsage
from strikeloom.nse.session_table import own_sessions
from strikeloom.nse.sessions import IST
from strikeloom.ports.desk import Desk
from strikeloom.runner import schedule
from strikeloom.runner.parameters import given_parameters
from strikeloom.runner.record import Run, close_run, fail_run, finish_run, new_run
from strikeloom.runner.schedule import check_jobs, run_due, week
from strikeloom.settings.all import load_settings
from strikeloom.settings.schedule import ScheduleSettings
from strikeloom.settings.yaml_file import read_yaml

DAY = date(2026, 6, 10)
WEEKDAY = datetime(2026, 6, 11, 17, 0, tzinfo=IST)


def _open(day: date | None) -> Desk:
    return open_desk("synthetic", day)


class Stub:
    """In place of papermill: the stage's own steps, or a failure."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, date]] = []
        self.fails: set[Stage] = set()

    def __call__(
        self, desk: Desk, stage: Stage, _parameters: dict[str, Any]
    ) -> tuple[StageResult, Run]:
        from strikeloom.desk.upstream import _RUN

        self.ran.append((stage.value, desk.day))
        run = new_run(desk, stage)
        if stage in self.fails:
            return fail_run(desk, run, "StageError: made to fail"), run
        if stage in _RUN:
            return finish_run(desk, run, _RUN[stage](desk, run.run_id)), run
        result = StageResult(
            run_id=run.run_id, stage=stage, market=desk.market, account=desk.account,
            day=desk.day, verdict=Verdict.DONE, counts={},
        )  # fmt: skip
        close_run(desk, run, result)
        return result, run


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, drawn_home: Path) -> Stub:
    made = Stub()
    monkeypatch.setattr(schedule, "run_stage", made)
    return made


def _outcomes(now: datetime) -> dict[str, str]:
    return {item.stage: item.outcome for item in run_due(_open, now)}


def test_nothing_runs_on_a_day_without_a_session(stub: Stub) -> None:
    sunday = datetime(2026, 6, 14, 17, 0, tzinfo=IST)
    (only,) = run_due(_open, sunday)
    assert (only.outcome, only.note) == ("not due", "2026-06-14 is not a trading day")
    assert stub.ran == []


def test_jobs_run_in_their_order_once(stub: Stub) -> None:
    assert _outcomes(WEEKDAY) == {
        "execution": "waits",  # its plan does not exist yet
        "iv-history": "done",
        "strategy-creation": "done",
        "allocation": "done",
    }
    assert stub.ran == [("iv-history", DAY), ("strategy-creation", DAY), ("allocation", DAY)]
    again = _outcomes(WEEKDAY)
    assert set(again.values()) == {"waits", "already done"}
    assert len(stub.ran) == 3


def test_a_job_whose_time_has_not_come_is_not_due(stub: Stub) -> None:
    outcomes = _outcomes(WEEKDAY.replace(hour=16, minute=35))
    assert outcomes == {
        "execution": "waits",
        "iv-history": "done",
        "strategy-creation": "not due",
        "allocation": "not due",
    }


def test_what_follows_a_failure_waits_and_the_failed_one_is_tried_again(stub: Stub) -> None:
    stub.fails = {Stage.STRATEGY_CREATION}
    assert _outcomes(WEEKDAY)["strategy-creation"] == "failed"
    assert _outcomes(WEEKDAY)["allocation"] == "waits"
    stub.fails = set()
    outcomes = _outcomes(WEEKDAY)
    assert (outcomes["strategy-creation"], outcomes["allocation"]) == ("done", "done")


def test_execution_waits_for_marks_and_is_never_tried_twice_by_itself(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _outcomes(WEEKDAY)
    waiting = next(iter(run_due(_open, WEEKDAY)))
    assert (waiting.stage, waiting.outcome) == ("execution", "waits")
    assert "nothing is marked for 2026-06-10" in waiting.note
    mark(_open(DAY))
    stub.fails = {Stage.EXECUTION}
    today = datetime.now(IST)  # the run is recorded in real time
    now = WEEKDAY.replace(year=today.year, month=today.month, day=today.day)
    monkeypatch.setattr(schedule, "is_trading_day", lambda _day: True)
    assert next(iter(run_due(_open, now))).outcome == "failed"
    stub.fails = set()
    held = next(iter(run_due(_open, now)))
    assert held.outcome == "waits"
    assert "failed today; look" in held.note


def test_two_calls_at_once_are_one(stub: Stub, drawn_home: Path) -> None:
    lock = places().lock("schedule-synthetic-7")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock), pytest.raises(LeaseTaken, match="another strikeloom schedule"):
        list(run_due(_open, WEEKDAY))


def test_the_week_shows_sessions_and_jobs() -> None:
    rows = week(load_settings().schedule, date(2026, 6, 12))  # a Friday
    assert [row.day for row in rows] == [date(2026, 6, 12 + n) for n in range(7)]
    assert rows[0].session == "09:15 to 15:30"
    assert rows[0].jobs.startswith("09:16 execution, 16:30 iv-history")
    assert all((row.session, row.jobs) == ("closed", "") for row in rows[1:3])
    assert not any(row.remedy for row in rows)


def test_the_week_over_the_end_of_the_calendar_is_shown() -> None:
    rows = week(load_settings().schedule, date(2026, 12, 28))  # a Monday
    assert [row.session for row in rows] == [
        *(["09:15 to 15:40"] * 4), "hours unknown", "closed", "closed",
    ]  # fmt: skip
    assert rows[4].jobs
    assert "not for 2027-01-01" in rows[4].remedy
    assert str(own_sessions()) in rows[4].remedy


def test_the_week_of_a_muhurat_session_without_hours_is_shown() -> None:
    rows = week(load_settings().schedule, date(2026, 11, 6))
    assert [row.session for row in rows] == [
        "09:15 to 15:40", "closed", "hours unknown", "09:15 to 15:40", "closed",
        "09:15 to 15:40", "09:15 to 15:40",
    ]  # fmt: skip
    assert "2026-11-08,open,HH:MM,HH:MM" in rows[2].remedy


def test_jobs_on_what_is_stored_run_on_a_day_beyond_the_calendar(stub: Stub) -> None:
    outcomes = list(run_due(_open, datetime(2027, 1, 4, 17, 0, tzinfo=IST)))
    assert (outcomes[0].outcome, outcomes[0].day) == ("hours unknown", date(2027, 1, 4))
    assert "sessions.csv" in outcomes[0].note
    assert ("iv-history", DAY) in stub.ran


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("{stage: allocation, at: 16:50, parameters: {capital: [5]}}", "is [5]: expected a whole"),
        ("{stage: allocation, at: 16:50, parameters: {market: nse}}", "choose with --market"),
        (
            "{stage: execution, at: 9:16, parameters: {strategy_ids: [S-1, 1E5]}}",
            "100000.0 is none",
        ),
        ("{stage: execution, at: 9:16, parameters: {dry_run: 1}}", "is 1: expected true or false"),
        ("{stage: iv-history, at: 16:30, parameters: {frist: 2026-02-10}}", "did you mean first?"),
    ],
)
def test_a_wrong_parameter_of_any_job_stops_all_before_the_first(
    stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str, expected: str
) -> None:
    shutil.copytree(config_folder(), tmp_path / "config")
    monkeypatch.setenv("STRIKELOOM_CONFIG", str(tmp_path / "config"))
    path = tmp_path / "config" / "schedule.yaml"
    path.write_text(f"jobs:\n  - {{stage: iv-history, at: 00:01}}\n  - {job}\n")
    with pytest.raises(SettingsError) as caught:
        list(run_due(_open, WEEKDAY))
    assert expected in str(caught.value)
    assert f"{path}, line 3: job 2" in str(caught.value)
    assert not isinstance(caught.value, WrongUsage)
    assert stub.ran == []


def test_a_jobs_parameters_are_what_a_person_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "{capital: 010, dry_run: no}", "{first: 2026-02-10, symbol: NO}", "{symbols: [NO, ON]}"
    stages = "allocation", "iv-history", "strategy-creation"
    jobs = zip(stages, text, strict=True)
    rows = [f"- {{stage: {stage}, at: 16:50, parameters: {given}}}" for stage, given in jobs]
    (tmp_path / "schedule.yaml").write_text("jobs:\n" + "\n".join(rows))
    read = ScheduleSettings.model_validate(read_yaml(tmp_path / "schedule.yaml").value)
    check_jobs(read)
    typed = [
        given_parameters(job.parameters, notebooks_folder() / Stage(job.stage).notebook)
        for job in read.jobs
    ]
    assert typed == [
        {"capital": 10, "dry_run": False},
        {"first": "2026-02-10", "symbol": "NO"},
        {"symbols": ["NO", "ON"]},
    ]
    assert {job.at for job in read.jobs} == {time(16, 50)}
