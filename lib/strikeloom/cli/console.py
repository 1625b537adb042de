"""Printing of commands: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from strikeloom.views.terminal.aligned import aligned

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_line(text: str = "") -> None:
    """Print a line of result."""
    out.print(Text(text))


def note(text: str) -> None:
    """Print a line on progress."""
    err.print(Text(text, style="dim"))


def warn(text: str) -> None:
    """Print a warning."""
    err.print(Text(f"warning: {text}", style="yellow"))


def problem(text: str) -> None:
    """Print an error."""
    err.print(Text(f"error: {text}", style="red"))


@contextmanager
def stopping(text: str) -> Iterator[None]:
    """Print a text when a person interrupts the block, then let the interrupt through."""
    try:
        yield
    except KeyboardInterrupt:
        problem(text)
        raise


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal while the block runs; yields ``update(done, total)``."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def as_json(body: Any) -> None:
    """Print a result for a script."""
    sys.stdout.write(json.dumps(body, indent=2, default=_plain, ensure_ascii=False) + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows without truncation; a column named with a trailing ``>`` is right-aligned."""
    head, *lines = aligned(columns, rows)
    out.print(Text(title, style="bold"))
    out.print(Text(head, style="dim"))
    for line in lines:
        out.print(Text(line))


def _plain(value: object) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
