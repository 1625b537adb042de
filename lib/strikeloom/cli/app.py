"""``strikeloom``: the commands, and how errors are shown in a terminal."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from strikeloom.cli import (
    arm,
    data,
    demo,
    exchange,
    exits,
    inspection,
    mark,
    monitor,
    orders,
    quotes,
    stages,
    version,
)
from strikeloom.cli.options import AT_END
from strikeloom.errors import StrikeloomError

app = typer.Typer(
    name="strikeloom",
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
        "Exit codes: 0 done, 1 failed (the message names the remedy), 2 wrong usage."
    ),
)
app.callback(invoke_without_command=True)(version.options)
app.add_typer(data.app, name="data", rich_help_panel="Market data")
app.add_typer(orders.app, name="orders", rich_help_panel="Positions")
for room, panel in (
    (demo, "Begin"),
    (stages, "Stages"),
    (mark, "Stages"),
    (monitor, "Positions"),
    (exits, "Positions"),
    (arm, "Positions"),
    (inspection, "Inspection"),
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
    """Run the command line; an error of the package prints as a sentence, exit code 1."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        with AT_END:
            app(args=paired(sys.argv[1:]))
    except StrikeloomError as error:
        from strikeloom.cli.console import problem

        problem(str(error))
        sys.exit(1)
    sys.exit(0)


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
