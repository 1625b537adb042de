"""``mark``, ``unmark``: choose the strategies to execute."""

from __future__ import annotations

from typing import Annotated

import typer

from strikeloom.cli.options import Day, Json, Market, Mode, desk_of, trading_day_of

Ids = Annotated[list[str] | None, typer.Argument(help="Strategy ids, as allocation lists them.")]


def mark(
    strategy_ids: Ids = None,
    all_: Annotated[bool, typer.Option("--all", help="Every strategy of the day's plan.")] = False,
    day: Day = "",
    market: Market = "",
    mode: Mode = "",
    notes: Annotated[str, typer.Option(help="Why; kept with the mark.")] = "",
    as_json: Json = False,
) -> None:
    """Mark strategies of the day's plan for execution, with their allocated lots.

    For example:

    strikeloom mark --all --date 2026-02-10

    strikeloom mark SKQ7M2X4ABCD --notes "before results"
    """
    from strikeloom.cli import console
    from strikeloom.desk import mark as mark_for
    from strikeloom.desk import older_marks

    if all_ == bool(strategy_ids):
        raise typer.BadParameter("name strategies, or give --all")
    if day:
        trading_day_of(day)
    desk = desk_of(market, day, mode=mode)
    rows, new = mark_for(desk, None if all_ else strategy_ids, notes=notes)
    older = older_marks(desk, rows)
    if as_json:
        marked = [row.strategy_id for row in rows]
        console.as_json({"day": desk.day, "marked": marked, "new": new, "older": older})
        return
    proposals = {row.strategy_id: desk.store.proposal(row.strategy_id, row.version) for row in rows}
    console.table(
        f"Marked for {desk.day}: {len(rows)}, {new} of them new",
        ["id", "symbol", "template", "lots>"],
        [
            (name, proposal.symbol, proposal.template, row.lots)
            for row in rows
            for name, proposal in [(row.strategy_id, proposals[row.strategy_id])]
        ],
    )
    for text in older:
        console.warn(text)


def unmark(
    strategy_ids: Annotated[list[str], typer.Argument(help="Strategy ids.")],
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:
    """Remove marks of strategies that are not executed yet."""
    from strikeloom.cli import console

    desk = desk_of(market, mode=mode)
    count = desk.store.unmark(strategy_ids)
    if as_json:
        console.as_json({"removed": count, "asked": len(strategy_ids)})
    else:
        console.print_line(f"{count} of {len(strategy_ids)} marks removed")
    if count < len(strategy_ids):
        console.warn(
            "the others are not marked or are already executed; strikeloom exit closes a position"
        )
        raise typer.Exit(1)


COMMANDS = (mark, unmark)
