"""What is due on a trading day, and running it in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from strikeloom.domain.results import Stage, Verdict
from strikeloom.nse.sessions import is_trading_day, session
from strikeloom.ports.desk import Desk
from strikeloom.runner.notebook import run_stage
from strikeloom.settings.schedule import ScheduleSettings


@dataclass(frozen=True)
class JobOutcome:
    """What became of one job: ``done``, ``failed``, ``already done`` or ``not due``."""

    stage: str
    at: str
    outcome: str
    note: str = ""


def run_due(desk: Desk, now: datetime) -> Iterator[JobOutcome]:
    """Run the jobs whose time has come, in order; the first failure holds back what follows.

    A job is done when its stage has a finished run for the desk's day.
    """
    if not is_trading_day(now.date()):
        yield JobOutcome("-", "-", "not due", f"{now.date()} is no trading day")
        return
    held = ""
    for job in sorted(desk.settings.schedule.jobs, key=lambda item: item.at):
        stage, at = Stage(job.stage), f"{job.at:%H:%M}"
        if job.at > now.time():
            yield JobOutcome(job.stage, at, "not due")
        elif desk.store.latest_run(stage, desk.day) is not None:
            yield JobOutcome(job.stage, at, "already done", str(desk.day))
        elif held:
            yield JobOutcome(job.stage, at, "held back", f"{held} failed")
        else:
            result, _ = run_stage(desk, stage, job.parameters)
            failed = result.verdict is Verdict.FAILED
            held = job.stage if failed else ""
            yield JobOutcome(job.stage, at, result.verdict.value, result.error)


def week(settings: ScheduleSettings, first: date) -> list[tuple[date, str, str]]:
    """Next seven days: date, session, jobs."""
    rows = []
    for ahead in range(7):
        day = first + timedelta(days=ahead)
        if not is_trading_day(day):
            rows.append((day, "closed", ""))
            continue
        hours = session(day)
        jobs = sorted(settings.jobs, key=lambda item: item.at)
        text = ", ".join(f"{job.at:%H:%M} {job.stage}" for job in jobs)
        rows.append((day, f"{hours.open:%H:%M} to {hours.close:%H:%M}", text))
    return rows
