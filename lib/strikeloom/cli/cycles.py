"""Printing of the watcher's cycles and exit requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from strikeloom.monitor import CycleReport
    from strikeloom.ports.desk import Desk


def print_changes() -> Callable[[CycleReport], None]:
    """Return a printer that skips cycles without a fill, a request or a new message."""
    previous: list[tuple[object, ...]] = []

    def report(cycle: CycleReport) -> None:
        messages = (cycle.fired, cycle.blocked, cycle.unpriced, cycle.withheld)
        current = tuple(map(tuple, messages))
        if cycle.fills or cycle.requests or (previous[-1:] != [current] and any(current)):
            print_cycle(cycle)
        previous[:] = [current]

    return report


def print_cycle(report: CycleReport) -> None:
    """Print what a cycle marked, traded and could not do."""
    from strikeloom.cli import console
    from strikeloom.domain.counted import counted
    from strikeloom.domain.money import rupees_text

    parts = [counted(len(report.marked), "position")]
    parts += [counted(report.requests, "request")] if report.requests else []
    parts += [counted(report.fills, "fill")] if report.fills else []
    known = [marked.pnl for marked in report.marked if marked.pnl is not None]
    if known:
        parts.append(f"P&L {rupees_text(sum(known), decimals=0, signed=True)}")
    console.print_line(f"{report.at:%Y-%m-%d %H:%M}  {', '.join(parts)}")
    for line in report.fired:
        console.print_line(f"    {line}")
    for line in report.withheld:
        console.print_line(f"    would {line}")
    for line in report.blocked:
        console.warn(line)
    for name in report.unpriced:
        console.warn(f"{name} has a leg without a usable price: no P&L, and no rule fires")


def print_requests(desk: Desk) -> None:
    """Print the latest exit requests."""
    from strikeloom.cli import console

    for request in desk.store.requests()[-5:]:
        console.note(
            f"request {request.request_id} of {request.position_id}: {request.state} {request.note}"
        )


def offer_cycle(desk: Desk, *, quiet: bool) -> None:
    """Offer to run one cycle, because no watcher is running to act on a request."""
    import sys

    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.monitor import watch as watch_desk

    interactive = not quiet and sys.stdin.isatty() and sys.stderr.isatty()
    if interactive and typer.confirm("No watcher is running. Run one cycle now?", err=True):
        print_cycle(watch_desk(desk, SystemClock(), once=True))
        print_requests(desk)
    else:
        console.note("no watcher is running; act on it with strikeloom watch --once")
