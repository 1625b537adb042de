"""``status`` and ``doctor``: read-only views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from strikeloom.cli.iv import iv
from strikeloom.cli.options import Json, Market, Mode, desk_of
from strikeloom.domain.counted import counted

if TYPE_CHECKING:
    from strikeloom.domain.positions import Position
    from strikeloom.ports.desk import Desk

Symbol = Annotated[str, typer.Argument(help="Underlying, for example NIFTY.")]


def status(market: Market = "", mode: Mode = "", as_json: Json = False) -> None:
    """Show market, account, replay clock, watcher, kill switch and the latest runs."""
    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.desk.markets import resolve_market
    from strikeloom.desk.places import places
    from strikeloom.runner.record import close_dead_runs
    from strikeloom.settings.all import load_settings
    from strikeloom.trading.lease import held_elsewhere
    from strikeloom.trading.shortages import owed_sentences

    where = places()
    name = resolve_market(market, load_settings(), where)
    if not where.history(name).exists():
        console.print_line(f"no data yet: market {name} is not stored under {where.home}")
        console.print_line(
            "strikeloom demo plays a whole day; strikeloom data import PATH imports files"
        )
        return
    desk = desk_of(name, mode=mode)
    dead = close_dead_runs(desk)
    beat, switch = desk.store.heartbeat(), desk.store.kill_switch()
    days, runs = desk.history.days(), desk.store.runs(15)
    watching = held_elsewhere(desk.home, desk.store)
    positions = desk.store.positions()
    owed, (ends, waiting) = owed_sentences(desk, positions), _ends(desk, positions)
    seen = None if beat is None else (SystemClock().now() - beat.real_at).total_seconds()
    if as_json:
        console.as_json(
            {
                "market": desk.market,
                "account": desk.account,
                "home": str(desk.home),
                "days": {"first": days[0], "last": days[-1], "count": len(days)},
                "replay_time": desk.store.replay_time(),
                "sending": watching,
                "heartbeat_age_seconds": seen,
                "kill_switch": switch.engaged,
                "open_positions": len(positions),
                "owed": owed,
                "next_end": ends,
                "unsettled": waiting,
                "runs": runs,
                "died": dead,
            }
        )
        return
    console.print_line(f"market   {desk.market}: {_span(days)}")
    next_end = f", the next contract ends on {ends}" if ends else ""
    held = counted(len(positions), "open position") + next_end
    console.print_line(f"account  {desk.account}: {_clock(desk)}, {held}")
    last = "" if seen is None else f", last heartbeat {seen:.0f} s ago"
    console.print_line(f"watcher  {'running' if watching else 'not running'}{last}")
    pending = [f"ended and not settled yet: {', '.join(waiting)}"] if waiting else []
    engaged = [f"kill switch engaged: {switch.reason}"] if switch.engaged else []
    for text in (*engaged, *owed, *pending):
        console.warn(text)
    console.print_line(f"home     {desk.home}")
    rows = [(row["run_id"], row["verdict"], row["error"]) for row in runs]
    console.table("Latest runs", ["run", "verdict", "error"], rows)


def _clock(desk: Desk) -> str:
    """Mode of a desk and its time."""
    from strikeloom.ports.desk import Mode as DeskMode

    if desk.mode is not DeskMode.REPLAY:
        return f"mode {desk.mode}, its clock at {desk.clock.now():%Y-%m-%d %H:%M}"
    at = desk.store.replay_time()
    return f"replay at {at:%Y-%m-%d %H:%M}" if at else "replay not started"


def _ends(desk: Desk, positions: Sequence[Position]) -> tuple[date | None, list[str]]:
    """First last day that is not over of an open contract, and contracts whose last day is."""
    from strikeloom.nse.edges import ending
    from strikeloom.trading.prepare import last_days

    ahead, over, now = [], [], desk.clock.now()
    for position in positions:
        ends = last_days(desk, position)
        for leg in position.legs:
            day = ends.get(leg.leg)
            if day is not None and now < ending(day):
                ahead.append(day)
            elif day is not None:
                over.append(leg.instrument.label)
    return min(ahead, default=None), sorted(set(over))


def _span(days: Sequence[date]) -> str:
    return f"{counted(len(days), 'day')}, {days[0]} to {days[-1]}"


def doctor(as_json: Json = False) -> None:
    """Check settings, home, keys, kernel, notebooks, calendar, markets, positions and broker."""
    from strikeloom.cli import console
    from strikeloom.cli.checks import CheckVerdict, examine

    marks = {CheckVerdict.GOOD: "ok  ", CheckVerdict.WARNING: "warn", CheckVerdict.FAILED: "FAIL"}
    findings = list(examine())
    if as_json:
        console.as_json(
            [{"what": f.what, "verdict": f.verdict, "detail": f.detail} for f in findings]
        )
    else:
        for item in findings:
            console.print_line(f"{marks[item.verdict]}  {item.what}: {item.detail}")
    if any(item.verdict is CheckVerdict.FAILED for item in findings):
        raise typer.Exit(1)


COMMANDS = (status, iv, doctor)
