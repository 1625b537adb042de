"""``strikeloom``: the commands, and how errors are shown in a terminal."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import typer
from typer._click import ClickException, Context  # typer contains its own copy
from typer.core import TyperGroup

from strikeloom.cli import (
    arm,
    contract_note,
    data,
    demo,
    exchange,
    exits,
    explanation,
    inspection,
    mark,
    monitor,
    orders,
    quotes,
    shortages,
    stages,
    strategies,
    version,
)
from strikeloom.cli.options import AT_END
from strikeloom.errors import StrikeloomError, WrongUsage


class Commands(TyperGroup):
    """The commands; an error of one that was called with --json is an object on output too."""

    def invoke(self, ctx: Context) -> Any:
        """Run the command of the arguments."""
        try:
            return super().invoke(ctx)
        except ClickException as error:
            _as_json(error.format_message())
            raise


app = typer.Typer(
    name="strikeloom",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Options research and trading for NSE: five notebooks, one order path, a monitor page.\n\n"
        "[bold]Begin[/bold]  strikeloom demo  (a whole synthetic day, then the page)\n\n"
        "[bold]A day[/bold]  data import FILES, run iv-history, run strategy-creation, run "
        "allocation, mark --all, run execution, watch, monitor\n\n"
        "Exit codes: 0 done, 1 failed (the message names the remedy), 2 wrong usage "
        "(an unknown option or name, a value that is not accepted, a missing choice). With --json "
        'an error is an object {"error": "..."} on standard output as well.'
    ),
)
app.callback(invoke_without_command=True)(version.options)
app.add_typer(data.app, name="data", rich_help_panel="Market data")
app.add_typer(orders.app, name="orders", rich_help_panel="Positions")
app.add_typer(shortages.app, name="shortages", rich_help_panel="Positions")
app.add_typer(strategies.app, name="strategies", rich_help_panel="Inspection")
for room, panel in (
    (demo, "Begin"),
    (stages, "Stages"),
    (mark, "Stages"),
    (monitor, "Positions"),
    (exits, "Positions"),
    (arm, "Positions"),
    (contract_note, "Positions"),
    (inspection, "Inspection"),
    (explanation, "Inspection"),
    (strategies, "Inspection"),
    (quotes, "Inspection"),
    (exchange, "Exchange"),
):
    for command in room.COMMANDS:
        app.command(
            command.__name__.strip("_").replace("_", "-"),
            rich_help_panel=panel,
            no_args_is_help=False,
        )(command)


def main() -> NoReturn:
    """Run the command line; an error of the package prints as a sentence, exit code 1 or 2."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        with AT_END:
            app(args=paired(sys.argv[1:]))
    except StrikeloomError as error:
        _end(error)
    except OSError as error:
        from strikeloom.desk.places import denied

        known = denied(error)
        if known is None:
            raise
        _end(known)
    sys.exit(0)


def _end(error: StrikeloomError) -> NoReturn:
    """Print an error of the package, and end with its exit code."""
    from strikeloom.cli.console import problem

    _as_json(str(error))
    problem(str(error))
    sys.exit(2 if isinstance(error, WrongUsage) else 1)


def _as_json(message: str) -> None:
    """Print an error as an object when the command was called with --json."""
    if "--json" in sys.argv:
        from strikeloom.cli.console import as_json

        as_json({"error": message})


def paired(arguments: list[str]) -> list[str]:
    """Join the two words after each ``-p``: the option parser has no options of two words.

    Examples
    --------
    >>> paired(["run", "allocation", "-p", "capital", "5", "-p", "dry_run=true"])
    ['run', 'allocation', '-p', 'capital=5', '-p', 'dry_run=true']
    """
    words = iter(arguments)
    joined = []
    for word in words:
        joined.append(word)
        if word in ("-p", "--parameter"):
            name = next(words, None)
            value = None if name is None or "=" in name else next(words, None)
            joined += [text for text in (name if value is None else f"{name}={value}",) if text]
    return joined


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """Handle SIGTERM as Ctrl-C: runs are closed, locks released."""
    raise KeyboardInterrupt
