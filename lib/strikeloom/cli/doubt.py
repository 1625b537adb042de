"""``doubt``: orders the broker does not name, and a person's word on them."""

from __future__ import annotations

from typing import Annotated

import typer

from strikeloom.cli.options import Json, Market, Mode, desk_of


def doubt(
    order: Annotated[
        str, typer.Argument(help="Correlation id, as listed without one.", show_default=False)
    ] = "",
    arrived: Annotated[
        bool, typer.Option("--arrived", help="It stands at the broker: match it with the book.")
    ] = False,
    never: Annotated[
        bool, typer.Option("--never", help="It never reached the broker: it may be sent anew.")
    ] = False,
    number: Annotated[
        str,
        typer.Option("--number", help="With --arrived: the broker's number, once its day is over."),
    ] = "",
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:
    """List orders in doubt, or settle one after a look at the broker's own page.

    Nothing is sent again while an order is in doubt. Say --never only of an order that the
    broker's order book, trades and positions do not show. Of an order of an earlier day give
    the broker's order number: its trades are told by that alone.

    Example: strikeloom doubt I3KQ7-0-0-1 --never
    """
    from strikeloom.cli import say
    from strikeloom.domain.money import rupees_text
    from strikeloom.domain.orders import IntentState
    from strikeloom.errors import SettingsError
    from strikeloom.trading.unresolved import resolve_unknown

    desk = desk_of(market, "", mode=mode)
    if order:
        if arrived == never:
            raise SettingsError(f"{order}: say either --arrived or --never")
        if number and not arrived:
            raise SettingsError(f"{order}: --number goes with --arrived")
        who = "a person at the terminal"
        resolve_unknown(desk, order, arrived=arrived, who=who, number=number)
        say.say(f"{order}: noted; the watcher goes on from there")
        return
    found = desk.store.intents(states={IntentState.UNKNOWN})
    if as_json:
        say.as_json([{"order": i.correlation_id, "contract": i.contract.key, "units":
                      int(i.side) * i.units, "since": i.created_at, "why": i.note}
                     for i in found])  # fmt: skip
    elif not found:
        say.say(f"no order of {desk.account} is in doubt")
    else:
        rows = [
            (i.correlation_id, i.contract.label, f"{i.side.word.lower()} {i.units}",
             rupees_text(i.limit), f"{i.created_at:%d %b %H:%M:%S}", i.note)
            for i in found
        ]  # fmt: skip
        say.table(f"In doubt at {desk.account}",
                  ("order", "contract", "what", "limit>", "made", "note"), rows)  # fmt: skip


COMMANDS = (doubt,)
