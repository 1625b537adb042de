"""``strikeloom data fetch``: the exchange's daily files from its server."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strikeloom.cli.options import Json

if TYPE_CHECKING:
    from strikeloom.adapters.downloads import FetchReport
    from strikeloom.adapters.downloads.ban_lists import BanListReport

_SHOWN = 10
_STOPPED = "stopped; downloaded files are kept, run the same command to continue"


def fetch(
    first: Annotated[
        str,
        typer.Option(
            "--from", help="First day; default: after the last stored.", show_default=False
        ),
    ] = "",
    to: Annotated[
        str,
        typer.Option("--to", help="Last day; default: the last one published.", show_default=False),
    ] = "",
    address: Annotated[
        str,
        typer.Option(
            help="Another server with the same paths; default: config/fetch.yaml.",
            show_default=False,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Download the files that market [bold]nse[/bold] lacks in a range of days; import them.

    Fetches contracts, cash and index closes of each day, and the ban lists up to the day after. A
    file counts once it is complete and verified; a stopped download continues where it stopped. A
    day without trading has no file, which is no error, nor is a missing ban list. Exit code 0: all
    other files of the range are stored; 1: some are not, each with its remedy.

    Example: strikeloom data fetch --from 2026-01-01 --to 2026-03-19
    """
    from rich.progress import Progress

    from strikeloom.adapters.downloads import ban_lists
    from strikeloom.adapters.downloads import fetch as download
    from strikeloom.adapters.downloads.days import last_published
    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.desk.markets import EXCHANGE, open_history
    from strikeloom.desk.places import places
    from strikeloom.settings.all import load_settings

    where, settings, clock = places(), load_settings().fetch, SystemClock()
    history = open_history(EXCHANGE, where)
    last = last_published(clock, settings)
    begin, end = _range(first, to, history.days(), last)
    until = ban_lists.last_list_day(last) if end == last else end
    server: dict[str, Any] = {
        "history": history,
        "folder": where.downloads(EXCHANGE),
        "settings": settings,
        "clock": clock,
        "address": address,
    }
    days = ban_lists.ban_list_days(begin, until, settings)
    fetch_lists = partial(ban_lists.fetch_ban_lists, days, **server)
    if begin > end:
        _print_lists(fetch_lists())
        stored = begin - timedelta(days=1)
        console.print_line(f"nothing to fetch: {stored} is stored, {end} is published")
        return
    shown = Progress(console=console.err, transient=True, disable=not console.err.is_terminal)
    with console.stopping(_STOPPED), shown as bar:
        task = bar.add_task("fetching", total=None)

        def shows(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        report = download(begin, end, **server, progress=shows)
        listed = None if report.count("not asked") else fetch_lists()
    _show(begin, end, report, listed, as_json=as_json)


def _show(
    begin: date, end: date, report: FetchReport, lists: BanListReport | None, *, as_json: bool
) -> None:
    """Print the outcome; end with exit code 1 when files are missing."""
    from strikeloom.cli import console

    if as_json:
        console.as_json(_body(begin, end, report, lists))
    else:
        _print_report(begin, end, report)
        _print_lists(lists)
    if not report.complete:
        raise typer.Exit(1)


def _range(first: str, to: str, stored: list[date], published: date) -> tuple[date, date]:
    """Days to fetch; the first is after the last when there is nothing to do."""
    begin, end = _day(first, "--from"), _day(to, "--to") or published
    if begin is None:
        if not stored:
            raise typer.BadParameter(
                "nothing is stored yet: give the first day", param_hint="--from"
            )
        return stored[-1] + timedelta(days=1), end
    if begin > end:
        raise typer.BadParameter(f"{begin} is after {end}", param_hint="--from")
    return begin, end


def _print_report(begin: date, end: date, report: FetchReport) -> None:
    from strikeloom.cli import console
    from strikeloom.nse.session_table import own_sessions

    failed = [item for item in report.files if item.status == "failed"]
    for item in failed[:_SHOWN]:
        console.problem(item.message)
    if len(failed) > _SHOWN:
        console.problem(f"and {len(failed) - _SHOWN} more; --json lists all")
    for file in report.refused:
        console.problem(f"{file.path} refused: {file.message}")
    pending = report.count("not asked")
    if pending:
        console.problem(f"stopped: {pending} files were not requested; run the same command again")
    for day in report.surprises:
        console.warn(
            f"{day} has files although the calendar has no session; add it to {own_sessions()}"
        )
    console.print_line(
        f"{begin} to {end}: {report.count('fetched')} files fetched, "
        f"{report.count('stored', 'here')} already here, {report.count('closed')} without trading, "
        f"{report.count('failed', 'not asked') + len(report.refused)} missing; "
        f"{sum(item.new for item in report.imported):,} new rows"
    )


def _print_lists(report: BanListReport | None) -> None:
    from strikeloom.cli import console

    if report is None:
        return
    if report.fetched:
        console.print_line(f"ban lists: {len(report.fetched)} fetched, to {report.fetched[-1]}")
    if report.absent:
        console.note(
            f"the server has no ban list of {len(report.absent)} days, last {report.absent[-1]}; "
            "give one with strikeloom data ban"
        )
    if report.stopped:
        console.warn(f"ban lists: {report.stopped}")


def _body(
    begin: date, end: date, report: FetchReport, lists: BanListReport | None
) -> dict[str, Any]:
    return {
        "from": begin,
        "to": end,
        "complete": report.complete,
        "files": [
            {
                "day": item.day,
                "kind": item.kind,
                "file": item.name,
                "status": item.status,
                "message": item.message,
            }
            for item in report.files
        ],
        "refused": [{"file": item.path, "message": item.message} for item in report.refused],
        "new_rows": sum(item.new for item in report.imported),
        "calendar_lacks": list(report.surprises),
        "ban_lists": None
        if lists is None
        else {
            "fetched": list(lists.fetched),
            "absent": list(lists.absent),
            "message": lists.stopped,
        },
    }


def _day(text: str, option: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a day; write YYYY-MM-DD", param_hint=option
        ) from None
