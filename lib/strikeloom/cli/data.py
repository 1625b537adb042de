"""``strikeloom data``: import of the exchange's files, and what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strikeloom.cli.coverage import status
from strikeloom.cli.fetching import fetch
from strikeloom.cli.instruments import instruments
from strikeloom.cli.options import Json, symbol_on
from strikeloom.cli.price_steps import step, warn_of_steps
from strikeloom.domain.counted import counted

if TYPE_CHECKING:
    from strikeloom.adapters.bhavcopy import ImportReport
    from strikeloom.adapters.parquet.history import ParquetHistory

app = typer.Typer(no_args_is_help=True, help="Import the exchange's files; show what is stored.")
app.command()(fetch)
app.command()(status)
app.command()(instruments)
app.command()(step)


@app.command()
def ban(
    day: Annotated[str, typer.Option("--date", help="Trade date of the list.")],
    symbols: Annotated[
        list[str] | None, typer.Argument(help="Symbols in the ban period; none when it is empty.")
    ] = None,
) -> None:
    """Store which securities may only be reduced on a day, where the list cannot be fetched.

    The whole list of the day, in place of one stored before. The exchange publishes it the evening
    before as fo_secban.csv: [bold]data fetch[/bold] downloads, [bold]data import[/bold] reads it.

    Example: strikeloom data ban --date 2026-07-10 KAYNES SAIL
    """
    from datetime import date

    from strikeloom.adapters.parquet.history import ParquetHistory
    from strikeloom.cli import console
    from strikeloom.desk.markets import EXCHANGE
    from strikeloom.desk.places import places
    from strikeloom.nse.underlyings import underlying

    try:
        of = date.fromisoformat(day)
    except ValueError:
        raise typer.BadParameter(
            f"{day!r} is not a day; write YYYY-MM-DD", param_hint="--date"
        ) from None
    history = ParquetHistory(places().history(EXCHANGE), EXCHANGE)
    past = history.as_of(of)
    names = sorted({underlying(symbol_on(past, name)).symbol for name in symbols or []})
    history.store_ban_list(of, names, source="strikeloom data ban")
    console.print_line(f"{of}: {', '.join(names) or 'no security'} in the ban period")


@app.command("import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Files and folders: daily bhavcopies, cash, indices; zip, gz, plain."),
    ],
    index: Annotated[
        str, typer.Option(help="Symbol for index files that contain none.", show_default=False)
    ] = "",
    accept: Annotated[
        list[str] | None,
        typer.Option(
            help="Check whose objection is accepted and recorded; the refusal names it.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read NSE's daily files into market [bold]nse[/bold]. Importing twice changes nothing.

    The kind of a file is read from its header, never from its name. A bad file is refused with
    the line at fault, and a row that cannot be right is left out by name; the others are imported,
    and the exit code is 1. A whole file that looks damaged but is what the exchange published is
    imported with the flag that its refusal states, such as [bold]--accept session[/bold].

    Example: strikeloom data import ~/Downloads/bhavcopies
    """
    from rich.progress import Progress

    from strikeloom.adapters.bhavcopy.importer import import_paths
    from strikeloom.adapters.parquet.history import ParquetHistory
    from strikeloom.cli import console
    from strikeloom.desk.markets import EXCHANGE
    from strikeloom.desk.places import places

    history = ParquetHistory(places().history(EXCHANGE), EXCHANGE)
    with Progress(console=console.err, transient=True, disable=not console.err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        report = import_paths(
            paths,
            history,
            index=index,
            accept=accept or (),
            progress=lambda done, total, name: bar.update(
                task, completed=done, total=total, description=name
            ),
        )
    _print_report(report, history, as_json=as_json)
    if not as_json:
        warn_of_steps(history)
    if report.refused or report.incomplete or not report.files:
        raise typer.Exit(1)


def _print_report(report: ImportReport, history: ParquetHistory, *, as_json: bool) -> None:
    from strikeloom.cli import console

    left_out = sum(item.left_out for item in report.files)
    if as_json:
        files = [
            {
                "file": item.path,
                "kind": item.kind,
                "rows": item.rows,
                "new": item.new,
                "status": item.status,
                "left_out": item.left_out,
                "message": item.message,
            }
            for item in report.files
        ]
        refused = len(report.refused)
        console.as_json({"files": files, "refused": refused, "left_out": left_out})
        return
    for item in report.files:
        if item.status == "refused":
            console.problem(f"refused: {_named_once(item.path, item.message)}")
        elif item.message:
            show = console.problem if item.left_out else console.warn
            show(f"{item.path}: {item.message}")
    rows = sum(item.rows for item in report.files)
    days = history.days()
    span = f"; {counted(len(days), 'day')} stored, {days[0]} to {days[-1]}" if days else ""
    lost = f", {counted(left_out, 'damaged row')} left out" if left_out else ""
    imported = len(report.files) - len(report.refused)
    console.print_line(
        f"{counted(imported, 'file')} imported, {len(report.refused)} refused; "
        f"{counted(rows, 'row')} read, {report.new_rows:,} new{lost}{span}"
    )


def _named_once(file: str, message: str) -> str:
    """Message that begins with its file."""
    begins = message.split(":", maxsplit=1)[0]
    return message if file.endswith(begins) else f"{file}: {message}"
