"""``orders``: the account's orders of a day, and settling one whose status is unknown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strikeloom.cli.options import Json, Market, Mode, day_of, desk_of

if TYPE_CHECKING:
    from datetime import date

    from strikeloom.domain.orders import OrderIntent
    from strikeloom.ports.desk import Desk

app = typer.Typer(invoke_without_command=True)


@app.callback()
def orders(
    context: typer.Context,
    unresolved: Annotated[
        bool, typer.Option("--unresolved", help="Only orders of unknown status, of every day.")
    ] = False,
    day: Annotated[
        str, typer.Option("--date", help="Day, YYYY-MM-DD; default: the account's today.",
                          show_default=False),
    ] = "",
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """List the account's orders of a day, as last reconciled with the broker.

    Status unknown means that the broker has not confirmed the order. Strikeloom never sends such
    an order again: check it on the broker's own page, then use [bold]orders resolve[/bold].

    For example:

    strikeloom orders

    strikeloom orders --unresolved

    strikeloom orders resolve I3KQ7-0-0-1 --never
    """
    if context.invoked_subcommand:
        if unresolved or day or market or mode or as_json:
            raise typer.BadParameter(f"give options after {context.invoked_subcommand}")
        return
    from strikeloom.cli import console
    from strikeloom.domain.orders import IntentState

    wanted = day_of(day) if day else None
    desk = desk_of(market, "", mode=mode)
    when = wanted or desk.clock.now().date()
    pending = desk.store.intents(states={IntentState.UNKNOWN})
    listed = pending if unresolved else _sent_on(desk, when)
    if as_json:
        console.as_json(_plain(desk, listed))
        return
    if not listed:
        which = "has no unresolved order" if unresolved else f"has no order of {when}"
        console.print_line(f"{desk.account} {which}")
    else:
        title = "Unresolved orders" if unresolved else f"Orders of {when}"
        console.table(f"{title}, account {desk.account}",
                      ("order", "made", "contract", "side", "units>", "filled>", "limit>",
                       "status", "broker's number", "note"), _rows(desk, listed))  # fmt: skip
    if pending:
        console.warn(
            f"{len(pending)} of unknown status, never sent again. Check the broker's order book, "
            "then: strikeloom orders resolve ORDER --arrived (it is there) or --never (it is not)"
        )


@app.command()
def resolve(
    order: Annotated[
        str, typer.Argument(help="Correlation id, as orders lists it.", metavar="CORRELATION_ID")
    ],
    arrived: Annotated[
        bool, typer.Option("--arrived", help="The broker has it: match it with the order book.")
    ] = False,
    never: Annotated[
        bool, typer.Option("--never", help="It never reached the broker: it ends.")
    ] = False,
    number: Annotated[
        str,
        typer.Option("--number", help="With --arrived: the broker's order number; needed once the "
                     "order's day is over.", show_default=False),
    ] = "",
    market: Market = "",
    mode: Mode = "",
) -> None:  # fmt: skip
    """Settle an order of unknown status, after a look at the broker's own page.

    Use --never only when the broker's order book, trades and positions all lack the order. For
    an order of an earlier day give the broker's order number as well: its trades can only be
    found by that number.

    For example:

    strikeloom orders resolve I3KQ7-0-0-1 --arrived

    strikeloom orders resolve I3KQ7-0-0-1 --arrived --number 112111182198
    """
    from strikeloom.cli import console
    from strikeloom.errors import WrongUsage
    from strikeloom.trading.unresolved import resolve_unknown

    if arrived == never:
        raise WrongUsage(f"{order}: give either --arrived or --never")
    if number and not arrived:
        raise WrongUsage(f"{order}: --number goes with --arrived")
    desk = desk_of(market, "", mode=mode)
    who = "a person at the terminal"
    resolve_unknown(desk, order, arrived=arrived, who=who, number=number)
    if arrived:
        console.print_line(f"{order}: recorded as arrived; the watcher matches it with the broker")
    else:
        console.print_line(
            f"{order}: recorded as never arrived and ended; its units may be sent again, as the "
            "next attempt"
        )


def _sent_on(desk: Desk, day: date) -> list[OrderIntent]:
    """Intents of a day in the order of their making, without those an expiry booked."""
    from strikeloom.domain.orders import Purpose

    intents = (i for i in desk.store.intents() if i.created_at.date() == day)
    orders = [i for i in intents if i.purpose is not Purpose.SETTLEMENT]
    return sorted(orders, key=lambda intent: intent.created_at)


def _filled(desk: Desk) -> Counter[str]:
    """Units filled by correlation id."""
    filled: Counter[str] = Counter()
    for fill in desk.store.fills():
        filled[fill.correlation_id] += fill.units
    return filled


def _numbers(desk: Desk) -> dict[str, str]:
    """Broker's order number by correlation id."""
    return {order.correlation_id: order.order_id for order in desk.store.orders()}


def _rows(desk: Desk, intents: list[OrderIntent]) -> list[tuple[object, ...]]:
    from strikeloom.domain.money import rupees_text

    filled, numbers = _filled(desk), _numbers(desk)
    return [
        (i.correlation_id, f"{i.created_at:%d %b %H:%M:%S}", i.instrument.label,
         i.side.word.lower(), i.units, filled[i.correlation_id], rupees_text(i.limit),
         i.state.value, numbers.get(i.correlation_id, ""), i.note)
        for i in intents
    ]  # fmt: skip


def _plain(desk: Desk, intents: list[OrderIntent]) -> list[dict[str, Any]]:
    """Orders as plain data: units negative when sold, the limit in paise."""
    filled, numbers = _filled(desk), _numbers(desk)
    return [
        {"order": i.correlation_id, "contract": i.instrument.key, "units": int(i.side) * i.units,
         "filled": filled[i.correlation_id], "limit": i.limit, "status": i.state.value,
         "broker_order": numbers.get(i.correlation_id), "since": i.created_at, "why": i.note}
        for i in intents
    ]  # fmt: skip
