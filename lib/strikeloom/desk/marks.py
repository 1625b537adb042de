"""Marking strategies for execution, with the lots of the day's plan."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom.domain.counted import counted
from strikeloom.errors import StageError
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import MarkRow
from strikeloom.trading.page_load import refuse_page_load


def mark(
    desk: Desk, strategy_ids: Sequence[str] | None = None, *, notes: str = ""
) -> tuple[list[MarkRow], int]:
    """Mark strategies of the day's plan; without ids all of them, in the plan's order.

    Returns
    -------
    rows, new
        The requested marks as they are stored, and how many of them are new: one made before
        stays as it was (``older_marks``).

    Raises
    ------
    SettingsError
        When the load of a page runs it.
    StageError
        When the day has no plan, or the plan has no such strategy.
    """
    refuse_page_load("Marking")
    plan = desk.store.allocation(desk.day)
    if plan is None:
        raise StageError(
            f"no plan for {desk.day} on market {desk.market}; run strikeloom run allocation "
            f"--date {desk.day}"
        )
    planned = {row.strategy_id: row.lots for row in plan.rows}
    unknown = [name for name in strategy_ids or () if name not in planned]
    if unknown:
        raise StageError(
            f"not in the plan of {desk.day}: {', '.join(unknown)}; it holds "
            f"{', '.join(planned) or 'nothing'}"
        )
    at = desk.clock.now()
    rows = [
        MarkRow(
            name, desk.day, lots, priority, notes, at, version=desk.store.proposal(name).version
        )
        for priority, (name, lots) in enumerate(planned.items(), start=1)
        if strategy_ids is None or name in strategy_ids
    ]
    new = desk.store.mark(rows)
    stored = {row.strategy_id: row for row in desk.store.marks(desk.day)}
    return [stored[row.strategy_id] for row in rows], new


def older_marks(desk: Desk, rows: Sequence[MarkRow]) -> list[str]:
    """What differs in marks from the plan and the proposals of now, one sentence each.

    They were made before another run; a mark of a strategy that is entered is none of them.
    """
    plan = desk.store.allocation(desk.day)
    planned = {} if plan is None else {row.strategy_id: row.lots for row in plan.rows}
    found = []
    for row in rows:
        name, lots = row.strategy_id, planned.get(row.strategy_id, row.lots)
        version = desk.store.proposal(name).version
        if (lots, version) == (row.lots, row.version) or desk.store.intents(position_id=name):
            continue
        found.append(
            f"{name} stays marked with {counted(row.lots, 'lot')} in version {row.version}; the "
            f"plan has {counted(lots, 'lot')} in version {version}: strikeloom unmark {name}, then "
            "mark it again"
        )
    return found
