"""``run``, ``execute``, ``schedule``: stages, each run as a notebook."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strikeloom.cli.options import Day, Json, Market, Mode, desk_of, symbol_on, trading_day_of
from strikeloom.cli.stage_values import stage_values
from strikeloom.cli.unkept import proposal_rows, show_proposals

if TYPE_CHECKING:
    from strikeloom.domain.results import StageResult
    from strikeloom.ports.workers import Done
    from strikeloom.runner.record import Run


class StageName(StrEnum):
    """Stages that run as a notebook."""

    IV_HISTORY = "iv-history"
    STRATEGY_CREATION = "strategy-creation"
    ALLOCATION = "allocation"
    EXECUTION = "execution"


def run(
    stage: Annotated[StageName, typer.Argument(help="Which notebook to run.")],
    market: Market = "",
    day: Day = "",
    mode: Mode = "",
    first: Annotated[
        str, typer.Option("--from", help="iv-history: first day to fill.", show_default=False)
    ] = "",
    to: Annotated[
        str, typer.Option("--to", help="iv-history: last day; same as --date.", show_default=False)
    ] = "",
    cluster: Annotated[
        str,
        typer.Option(help="iv-history: Dask scheduler, tcp://HOST:8786.", show_default=False),
    ] = "",
    processes: Annotated[
        int, typer.Option(help="iv-history: local processes; 0: chosen automatically.", min=0)
    ] = 0,
    latest: Annotated[
        bool,
        typer.Option(
            "--latest", help="iv-history: read today's chains from the broker, then run for today."
        ),
    ] = False,
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", help="strategy-creation, --latest: only these symbols."),
    ] = None,
    risk: Annotated[
        str, typer.Option(help="strategy-creation: risk profile of config/creation.yaml.")
    ] = "",
    no_database: Annotated[
        bool,
        typer.Option(
            "--no-database", help="strategy-creation: print the proposals, store nothing."
        ),
    ] = False,
    capital: Annotated[int, typer.Option(help="allocation: rupees.", show_default=False)] = 0,
    strategy_id: Annotated[
        list[str] | None, typer.Option("--strategy-id", help="execution: only these.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="allocation, execution: show, keep and send nothing.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="KEY VALUE", help="Any notebook parameter."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a stage's notebook with papermill; everything it made is in its run folder.

    With --latest, exit code 1 can also mean that some chains could not be read; each is named.

    For example:

    strikeloom run iv-history --from 2026-01-01 --to 2026-02-10

    strikeloom run strategy-creation --date 2026-02-10 --risk aggressive

    strikeloom run allocation --capital 1500000 --dry-run
    """
    if to and day and to != day:
        raise typer.BadParameter(
            f"--to {to} and --date {day} name different days", param_hint="--to"
        )
    complete = True
    if latest and (stage is not StageName.IV_HISTORY or day or to):
        raise typer.BadParameter("--latest is only for iv-history, and its day is always today")
    named = {
        "first": first,
        "cluster": cluster,
        "processes": processes,
        "symbols": None if latest else symbol,
        "risk": risk,
        "capital": capital,
        "strategy_ids": strategy_id,
        "dry_run": dry_run or None,
        "database": False if no_database else None,
    }
    values = stage_values(stage, parameter or (), named)
    if latest:
        day, complete = _read_latest(market, mode, symbol or [])
    _run(stage, market, day or to, mode, values, as_json=as_json)
    if not complete:
        raise typer.Exit(1)


def execute(
    strategy_id: Annotated[
        list[str] | None, typer.Option("--strategy-id", help="Only these; default: all marked.")
    ] = None,
    market: Market = "",
    day: Day = "",
    mode: Mode = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and show; send nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Execute the marked strategies: same as [bold]run execution[/bold].

    Example: strikeloom execute --strategy-id SKQ7M2X4ABCD --dry-run
    """
    named = {"strategy_ids": strategy_id, "dry_run": dry_run or None}
    values = stage_values(StageName.EXECUTION, (), named)
    _run(StageName.EXECUTION, market, day, mode, values, as_json=as_json)


def schedule(
    once: Annotated[bool, typer.Option("--once", help="Run the jobs due now, then end.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Show the coming week.")] = False,
    market: Market = "",
    as_json: Json = False,
) -> None:
    """Run the jobs of config/schedule.yaml that are due on a trading day.

    For example:

    strikeloom schedule --list

    */10 9-18 * * 1-5 strikeloom schedule --once      (a line for cron)
    """
    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.runner.schedule import check_jobs, run_due, week
    from strikeloom.settings.all import load_settings

    if once == list_:
        raise typer.BadParameter(
            "give one of the two, --once or --list, not both" if once else "give --once or --list"
        )
    now = SystemClock().now()
    if list_:
        settings = load_settings().schedule
        check_jobs(settings)
        rows = week(settings, now.date())
        if as_json:
            console.as_json([asdict(row) for row in rows])
        else:
            console.table(
                "The coming week (Asia/Kolkata)",
                ["day", "", "session", "jobs"],
                [(row.day, f"{row.day:%a}", row.session, row.jobs) for row in rows],
            )
            remedies = {
                row.remedy.replace(row.day.isoformat(), ""): row.remedy for row in rows[::-1]
            }
            for remedy in filter(None, reversed(remedies.values())):
                console.warn(remedy)
        return
    outcomes = []
    for item in run_due(lambda day: desk_of(market, day.isoformat() if day else ""), now):
        outcomes.append(item)
        if not as_json:
            parts = (item.at, item.stage, item.day, item.outcome, item.note)
            console.print_line("  ".join(str(part) for part in parts if part))
    if as_json:
        keys = ("stage", "at", "day", "outcome", "note")
        console.as_json([{key: getattr(item, key) for key in keys} for item in outcomes])
    if any(item.outcome == "failed" for item in outcomes):
        raise typer.Exit(1)


_AGAIN = "; run the same command again for the rest"


def _read_latest(market: str, mode: str, symbols: list[str]) -> tuple[str, bool]:
    """Read today's chains. Returns the day to run the stage for, and whether all were read."""
    from strikeloom.cli import console
    from strikeloom.errors import StageError
    from strikeloom.iv_history import read_chains

    desk = desk_of(market, mode=mode)
    past = desk.history.as_of(desk.clock.now().date())
    symbols = [symbol_on(past, name) for name in symbols]
    outcomes: list[Done] = []
    wanted = 0
    try:
        with console.bar("reading chains") as step:

            def progress(done: int, total: int) -> None:
                nonlocal wanted
                wanted = total
                step(done, total)

            outcomes.extend(read_chains(desk, symbols, progress=progress))
    finally:  # also when interrupted, or when the broker is down
        failed = [item for item in outcomes if item.error]
        for item in failed:
            console.warn(f"{item.item}: {item.error}")
        if wanted:
            failures = f", {len(failed)} failed" if failed else ""
            more = "" if len(outcomes) - len(failed) == wanted else _AGAIN
            console.note(f"{len(outcomes) - len(failed)} of {wanted} chains read{failures}{more}")
    if len(failed) == len(outcomes):
        raise StageError("no chain of today was read: there is nothing to calculate")
    return desk.clock.now().date().isoformat(), not failed


def _run(
    name: StageName,
    market: str,
    day: str,
    mode: str,
    values: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from strikeloom.cli import console
    from strikeloom.domain.results import Stage, Verdict
    from strikeloom.runner import run_stage

    stage = Stage(name.value)
    if day:
        trading_day_of(day)
    desk = desk_of(market, day, mode=mode)
    console.note(f"running {stage.notebook} on market {desk.market} for {desk.day}")
    kept = "; finished days are kept" if stage is Stage.IV_HISTORY else ""
    stopped = f"{stage} stopped{kept}; strikeloom status lists the run"
    was_marked = bool(desk.store.marks(desk.day))
    with console.stopping(stopped), console.bar("running") as step:
        result, made = run_stage(desk, stage, values, progress=step)
    unkept = stage is Stage.STRATEGY_CREATION and not values.get("database", True)
    unkept = unkept and result.verdict is not Verdict.FAILED
    if as_json:
        body = result.model_dump(mode="json") | {"folder": str(made.folder)}
        console.as_json(body | ({"proposals": proposal_rows(made.folder)} if unkept else {}))
    else:
        report(result, made)
        if unkept:
            show_proposals(made.folder)
    if stage is Stage.EXECUTION and not was_marked and (marks := desk.store.marks(desk.day)):
        console.warn(
            f"nothing was marked for {desk.day}: the whole plan, {len(marks)} strategies, "
            "was marked by the rule mark_plan in config/execution.yaml"
        )
    if result.verdict is Verdict.FAILED:
        raise typer.Exit(1)


def report(result: StageResult, made: Run) -> None:
    """Print the outcome of a run."""
    from strikeloom.cli import console

    counts = result.counts
    text = f"{result.stage} of {result.day}: {result.verdict}"
    if counts:
        what = _COUNTED[result.stage]
        text += f", {counts['done']} of {counts['universe']} {what}, {counts['refused']} refused"
    console.print_line(text)
    for reason, count in sorted(result.refused.items(), key=lambda item: -item[1]):
        console.print_line(f"  {count:>5}  refused: {reason}")
    for name, count in result.outputs.items():
        console.print_line(f"  {count:>5}  {name.replace('_', ' ')}")
    for warning in result.warnings:
        console.warn(warning)
    if result.error:
        console.problem(result.error)
    console.note(f"run folder {made.folder}")


_COUNTED = {
    "iv-history": "symbols",
    "strategy-creation": "symbols",
    "allocation": "candidates given lots",
    "execution": "strategies",
}
COMMANDS = (run, execute, schedule)
