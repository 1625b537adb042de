"""``data instruments``: the broker's list of contracts and their ids."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strikeloom.cli.options import Json, Market, day_of

if TYPE_CHECKING:
    from strikeloom.adapters.dhan.security_master import SecurityMaster


def instruments(
    path: Annotated[
        Path | None,
        typer.Argument(help="Dhan's list, compact or detailed; plain, gz or zip.",
                       show_default=False),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the list in force.")
    ] = False,
    day: Annotated[
        str, typer.Option("--date", help="Day of the list; default: the day in force.",
                          show_default=False)
    ] = "",
    market: Market = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Import the broker's list of contracts; without a file, show what is stored.

    Ids are reused for other contracts, so a list is valid for its own day only. A desk in real
    time fetches the day's list by itself when it is missing.

    For example:

    strikeloom data instruments --fetch

    strikeloom data instruments api-scrip-master-detailed.csv --date 2026-02-10
    """
    from strikeloom.adapters.dhan.instruments import list_day
    from strikeloom.adapters.dhan.master_store import MasterStore, fetch_master
    from strikeloom.adapters.dhan.security_master import read_master
    from strikeloom.cli import console
    from strikeloom.desk.dhan import live_clock, wire
    from strikeloom.desk.markets import resolve_market
    from strikeloom.desk.places import places
    from strikeloom.settings.all import load_settings

    if fetch and path:
        raise typer.BadParameter("name a file, or give --fetch")
    given = day_of(day) if day else None
    where = places()
    name = resolve_market(market, load_settings(), where)
    store = MasterStore(where.instruments(name))
    if not fetch and path is None:
        days = store.days()
        if as_json:
            console.as_json({"market": name, "days": days})
        else:
            console.print_line(f"market {name}: lists of {', '.join(map(str, days)) or 'no day'}")
        return
    found = wire()
    with console.err.status("reading", spinner="dots"):
        master = read_master(path) if path else fetch_master(found.addresses.instruments)
    list_date = given or list_day(live_clock(found).now())
    store.keep(master, list_date)
    _print_import(master, name, list_date, as_json=as_json)


def _print_import(master: SecurityMaster, market: str, day: date, *, as_json: bool) -> None:
    from strikeloom.cli import console

    if as_json:
        body = {
            "market": market,
            "day": day,
            "layout": master.layout,
            "read": master.read,
            "kept": master.table.num_rows,
            "tests": master.tests,
            "unread": master.unread,
        }
        console.as_json(body)
        return
    console.print_line(
        f"market {market}, list of {day}: {master.layout} layout, {master.read:,} rows read, "
        f"{master.table.num_rows:,} kept, {master.tests} test contracts of the exchange left out"
    )
    for text in master.unread:
        console.warn(f"not read: {text}")
