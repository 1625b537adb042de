"""``exchange``: a local exchange that speaks the broker's protocol."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strikeloom.cli.options import Json, day_of

if TYPE_CHECKING:
    from strikeloom.exchange.server.serve import ExchangeServer

_BOARD_SECONDS = 0.5


def exchange(
    market: Annotated[
        str,
        typer.Option(
            help="nse, synthetic, synthetic-SEED, or recorded:PATH (folder or archive of recorded "
            "chains); default: nse when its files are imported, else synthetic.",
            show_default=False,
        ),
    ] = "",
    port: Annotated[int, typer.Option(help="Port of all services; 0 takes a free one.", min=0)] = 0,
    speed: Annotated[
        float,
        typer.Option(help="Seconds of the market in a real second; 0: stepped by hand.", min=0.0),
    ] = 1.0,
    day: Annotated[
        str, typer.Option("--date", help="Day to play, YYYY-MM-DD; default: the latest.",
                          show_default=False),
    ] = "",
    accounts: Annotated[
        Path | None, typer.Option(help="File of clients: client_id, token, cash.")
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="File of faults to inject: seed and faults.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Restart the day; earlier accounts are kept, renamed.")
    ] = False,
    carry: Annotated[
        bool, typer.Option("--carry", help="Begin with what the accounts of the last day hold.")
    ] = False,
    limits: Annotated[
        bool, typer.Option("--limits/--no-limits", help="Limit calls as the broker does.")
    ] = True,
    ticks: Annotated[
        float, typer.Option(help="Trades a second to load the feed; no order fills against them.",
                            min=0.0),
    ] = 0.0,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Serve a market day as the broker would: orders, quotes, feeds, on this machine only.

    Takes client 1000000001 with token local, unless --accounts names others. Prints its
    addresses and the lines that point the workbench at it; Ctrl-C ends it. What its accounts
    hold survives a restart on the same day; with --carry it is carried into another day.

    Example: strikeloom exchange --port 8899 --speed 60 --market synthetic
    """
    from strikeloom.cli import console
    from strikeloom.desk.exchange import ExchangeOptions, control_token_file, open_exchange
    from strikeloom.desk.places import places

    chosen = day_of(day) if day else None
    options = ExchangeOptions(
        market=market, day=chosen, port=port, speed=speed, accounts=accounts, faults=faults,
        fresh=fresh, carry=carry, limits=limits, ticks=ticks, beat_seconds=0.05 if ticks else 0.25,
    )  # fmt: skip
    with suppress(KeyboardInterrupt), open_exchange(options) as server:
        token = control_token_file(places(), server.port)
        if as_json:
            body = {
                **server.addresses(),
                "control_token_file": str(token),
                "pid": os.getpid(),
                "environment": server.environment(),
            }
            console.as_json(body)
            _wait(server)
            return
        now = server.exchange.clock.now()
        console.print_line(f"market {server.exchange.name} from {now:%Y-%m-%d %H:%M}")
        for name, address in server.addresses().items():
            console.print_line(f"  {name:<12} {address}")
        console.print_line(f"  control needs the header control-token: {token}")
        console.print_line("point the workbench at it:")
        for name, value in server.environment().items():
            console.print_line(f"export {name}={value}")
        if accounts is None:
            console.print_line("export DHAN_CLIENT_ID=1000000001 DHAN_ACCESS_TOKEN=local")
        _show(server)


def _wait(server: ExchangeServer) -> None:
    import sys
    import time

    sys.stdout.flush()
    while server.alive:
        time.sleep(_BOARD_SECONDS)


def _show(server: ExchangeServer) -> None:
    """Keep the latest orders on the screen; without a terminal, wait."""
    import time

    from strikeloom.cli import console

    if not console.out.is_terminal:
        _wait(server)
        return
    from rich.live import Live

    from strikeloom.views.terminal.exchange_board import exchange_board

    with Live(console=console.out, auto_refresh=False) as live:
        while server.alive:
            orders = server.run(server.orders)
            counts = server.run(server.connected)
            live.update(exchange_board(server.exchange.clock.now(), orders, counts), refresh=True)
            time.sleep(_BOARD_SECONDS)


COMMANDS = (exchange,)
