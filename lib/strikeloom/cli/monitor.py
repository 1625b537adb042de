"""``watch``, ``positions``, ``kill``, ``resume``, ``monitor``."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated

import typer

from strikeloom.cli.cycles import offer_cycle, print_changes, print_cycle, print_requests
from strikeloom.cli.options import Json, Market, Mode, desk_of, trading_day_of


def watch(
    day: Annotated[
        str, typer.Option("--date", help="Day to replay; default: the replay clock's.",
                          show_default=False),
    ] = "",
    once: Annotated[
        bool, typer.Option("--once", help="Run one cycle at the day's last prices, then end.")
    ] = False,
    interval: Annotated[
        float, typer.Option(help="Seconds between two cycles; default: config/monitor.yaml.",
                            show_default=False, min=0.0),
    ] = 0.0,
    alert_only: Annotated[
        bool, typer.Option("--alert-only", help="Report only; send and cancel nothing.")
    ] = False,
    market: Market = "",
    mode: Mode = "",
) -> None:  # fmt: skip
    """Watch open positions: mark, decide, act. One watcher per account; Ctrl-C ends it.

    Example: strikeloom watch --date 2026-02-11 --once
    """
    import gc

    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.desk import to_day_end, to_day_start, wake_on_ticks
    from strikeloom.monitor import watch as watch_desk
    from strikeloom.settings.all import load_settings

    wanted = trading_day_of(day) if day else None
    pace = interval or load_settings().monitor.replay_pace_seconds
    desk = desk_of(market, "", mode=mode, pace=0.0 if once else pace)
    if wanted:
        (to_day_end if once else to_day_start)(desk, wanted)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    if not once:
        wake_on_ticks(desk)
        # a full collection over everything loaded would hold up decisions by tens of milliseconds
        gc.collect()
        gc.freeze()
        console.note(f"watching {desk.account} from {desk.clock.now():%Y-%m-%d %H:%M}; Ctrl-C ends")
    last = watch_desk(
        desk,
        SystemClock(),
        once=once,
        alert_only=alert_only,
        stop=stopping.is_set,
        on_cycle=(lambda _: None) if once else print_changes(),
    )
    if once:
        print_cycle(last)
        print_requests(desk)


def positions(
    continuous: Annotated[bool, typer.Option("--continuous", help="Refresh until Ctrl-C.")] = False,
    detailed: Annotated[bool, typer.Option("--detailed", help="Show legs and rules.")] = False,
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:
    """Show the account's positions as the watcher last saw them.

    Example: strikeloom positions --detailed
    """
    from strikeloom.cli import console
    from strikeloom.monitor import load_board
    from strikeloom.views.terminal import board_json, board_view

    desk = desk_of(market, mode=mode)
    if as_json:
        console.as_json(board_json(load_board(desk)))
        return
    if not continuous:
        console.out.print(board_view(load_board(desk), detailed=detailed))
        return
    import time

    from rich.live import Live

    with Live(board_view(load_board(desk), detailed=detailed), console=console.out) as live:
        while True:
            time.sleep(desk.settings.monitor.page_refresh_seconds)
            live.update(board_view(load_board(desk), detailed=detailed))


def kill(
    reason: Annotated[str, typer.Option(help="Why; shown until resume.")] = "by hand",
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Exit every open position too.")
    ] = False,
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:
    """Block new entries, also after a restart, until [bold]resume[/bold].

    Example: strikeloom kill --flatten --reason "news"
    """
    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.monitor import kill as engage
    from strikeloom.trading.lease import held_elsewhere

    desk = desk_of(market, mode=mode)
    engage(desk, reason, flatten=flatten, at=SystemClock().now())
    if as_json:
        console.as_json({"account": desk.account, "kill_switch": True, "flatten": flatten,
                         "reason": reason.strip()})  # fmt: skip
    else:
        console.print_line(
            f"kill switch of {desk.account} engaged: entries are refused until strikeloom resume"
        )
    if flatten and not held_elsewhere(desk.home, desk.store):
        offer_cycle(desk, quiet=as_json)


def resume(
    reason: Annotated[str, typer.Option(help="What was checked; required.")] = "",
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:
    """Release the kill switch: allow entries again.

    Example: strikeloom resume --reason "checked the order book"
    """
    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.monitor import resume as release

    desk = desk_of(market, mode=mode)
    release(desk, reason, at=SystemClock().now())
    if as_json:
        console.as_json({"account": desk.account, "kill_switch": False, "reason": reason.strip()})
    else:
        console.print_line(f"kill switch of {desk.account} released")


def monitor(
    market: Market = "",
    mode: Mode = "",
    port: Annotated[
        int | None,
        typer.Option(
            help="Port, 0 for a free one; default: config/monitor.yaml.", min=0, max=65535
        ),
    ] = None,
) -> None:
    """Serve the monitor page with exit buttons on loopback; Ctrl-C ends.

    Open the address it prints; its token is valid for this run only.
    """
    from strikeloom.cli import console
    from strikeloom.desk import MODE, notebooks_folder
    from strikeloom.domain.results import Stage
    from strikeloom.views.monitor.serve import serve

    desk = desk_of(market, mode=mode)
    console.note("starting the monitor page")
    os.environ[MODE] = desk.mode.value  # the page's kernels open the same desk
    serve(
        notebooks_folder() / Stage.MONITOR.notebook,
        desk.home,
        port=desk.settings.monitor.port if port is None else port,
        parameters={"market": desk.market},
        ready=lambda address: console.print_line(f"monitor page: {address.url}"),
    )


COMMANDS = (watch, positions, kill, resume, monitor)
