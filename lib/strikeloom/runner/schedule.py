"""Run the jobs that are due on a trading day, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from filelock import FileLock, Timeout

from strikeloom.adapters.replay.timeline import moments
from strikeloom.desk.places import notebooks_folder, places
from strikeloom.domain.folders import config_folder
from strikeloom.domain.results import Stage, Verdict
from strikeloom.errors import LeaseTaken, SettingsError, UnknownSession, WrongUsage
from strikeloom.nse.edges import CLOSED, UNKNOWN, expected_after, hours_text
from strikeloom.nse.sessions import is_trading_day
from strikeloom.ports.desk import Desk
from strikeloom.runner.notebook import run_stage
from strikeloom.runner.parameters import given_parameters
from strikeloom.settings.schedule import Job, ScheduleSettings
from strikeloom.settings.yaml_file import read_yaml

OpenDesk = Callable[[date | None], Desk]


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """Outcome of one job.

    Attributes
    ----------
    outcome : str
        A verdict, or ``not due``, ``already done``, ``waits``, ``hours unknown``.
    note : str
        The run's id, the error, or what the job waits for.
    """

    stage: str
    at: str
    day: date | None
    outcome: str
    note: str = ""


def check_jobs(settings: ScheduleSettings) -> None:
    """Check every job's parameters, before any job runs.

    Raises
    ------
    SettingsError
        For a parameter that the job's notebook does not have, or one of another type; names file,
        line and job.
    """
    for number, job in enumerate(settings.jobs):
        try:
            given_parameters(job.parameters, notebooks_folder() / Stage(job.stage).notebook)
        except WrongUsage as error:
            found = read_yaml(config_folder() / "schedule.yaml")
            where = found.where("jobs", number, "parameters", error.facts["parameter"])
            raise SettingsError(f"{where}: job {number + 1}, {job.stage}: {error}") from None


def run_due(open_desk: OpenDesk, now: datetime) -> Iterator[JobOutcome]:
    """Run the jobs that are due, in the order of their time, one after the other.

    Analysis uses the last stored day, execution the last one whose next session has prices. A
    finished run for its day makes a job done. A failed analysis is tried again on the next
    call; a failed execution only after a person has looked at it and runs it.

    Raises
    ------
    LeaseTaken
        When another call is still running.
    SettingsError
        When a parameter of any job is not its notebook's.
    """
    desk = open_desk(None)
    check_jobs(desk.settings.schedule)
    try:
        if not is_trading_day(now.date()):
            yield JobOutcome("", "", None, "not due", f"{now.date()} is not a trading day")
            return
    except UnknownSession as error:  # what is stored can be analysed on any day
        yield JobOutcome("", "", now.date(), UNKNOWN, str(error))
    lock = places(desk.home).lock(f"schedule-{desk.market}")
    lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(lock, timeout=0):
            for job in sorted(desk.settings.schedule.jobs, key=lambda item: item.at):
                yield _outcome(open_desk, desk, job, now)
    except Timeout:
        raise LeaseTaken(
            f"another strikeloom schedule is running for market {desk.market}; it ends by itself"
        ) from None


def _outcome(open_desk: OpenDesk, desk: Desk, job: Job, now: datetime) -> JobOutcome:
    stage, at = Stage(job.stage), f"{job.at:%H:%M}"
    try:
        day = _trade_date(desk, stage)
    except UnknownSession as error:
        return JobOutcome(stage, at, None, "waits", str(error))
    if job.at > now.time():
        return JobOutcome(stage, at, day, "not due")
    if day is None:
        return JobOutcome(stage, at, day, "waits", "no stored day is followed by prices")
    done = desk.store.latest_run(stage, day)
    if done is not None:
        return JobOutcome(stage, at, day, "already done", done.run_id)
    waits = _waits(desk, stage, day, now)
    if waits:
        return JobOutcome(stage, at, day, "waits", waits)
    result, run = run_stage(open_desk(day), stage, dict(job.parameters))
    return JobOutcome(stage, at, day, result.verdict.value, result.error or run.run_id)


def _trade_date(desk: Desk, stage: Stage) -> date | None:
    days = desk.history.days()
    if stage is not Stage.EXECUTION:
        return days[-1] if days else None
    followed = (d for d in reversed(days) if moments(desk.history, expected_after(d)))
    return next(followed, None)


def _waits(desk: Desk, stage: Stage, day: date, now: datetime) -> str:
    """What a job waits for; empty when nothing."""
    before = stage.upstream
    if before is not None and desk.store.latest_run(before, day) is None:
        return f"{before} of {day} has not finished"
    if stage is not Stage.EXECUTION:
        return ""
    if not desk.store.marks(day):
        return f"nothing is marked for {day}; strikeloom mark chooses"
    failed = [
        str(row["run_id"])
        for row in desk.store.runs()
        if (row["stage"], row["day"], row["verdict"]) == (stage, day.isoformat(), Verdict.FAILED)
        and str(row["started"])[:10] == now.date().isoformat()
    ]
    if failed:
        return f"{failed[0]} failed today; look, then strikeloom run {stage}"
    return ""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day of the coming week: its hours, its jobs, and the remedy where hours are unknown."""

    day: date
    session: str
    jobs: str
    remedy: str = ""


def week(settings: ScheduleSettings, first: date) -> list[DayPlan]:
    """Next seven days; one without known hours is named as such, with the remedy."""
    jobs = ", ".join(
        f"{job.at:%H:%M} {job.stage}" for job in sorted(settings.jobs, key=lambda item: item.at)
    )
    rows = []
    for ahead in range(7):
        day = first + timedelta(days=ahead)
        hours, remedy = hours_text(day)
        rows.append(DayPlan(day, hours, "" if hours == CLOSED else jobs, remedy))
    return rows
