"""What was marked for execution, with the lots that were allocated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage
from strikeloom.errors import StageError
from strikeloom.ports.desk import Desk


@dataclass(frozen=True)
class Marked:
    """A marked strategy and its lots."""

    proposal: Proposal
    lots: int
    entered: bool


@dataclass(frozen=True)
class MarkedList:
    """Marked strategies of a day by priority, and the allocation run they came from."""

    rows: list[Marked]
    upstream: str


def load_marked(desk: Desk, strategy_ids: Sequence[str] | None = None) -> MarkedList:
    """Marked strategies of the desk's day.

    Raises
    ------
    StageError
        When nothing is marked, or a strategy named is not; says which command marks. When the
        clock has not left the day: its close made the signals, and filling there is look-ahead.
    """
    now = desk.clock.now()
    if now.date() <= desk.day:
        raise StageError(
            f"strategies of {desk.day} trade at later prices, and the clock of {desk.account} "
            f"stands at {now:%Y-%m-%d %H:%M}; move it to the next session first"
        )
    run = desk.store.latest_run(Stage.ALLOCATION, desk.day)
    if run is None:
        raise StageError(
            f"allocation has no finished run for {desk.day} on market {desk.market}; run "
            f"strikeloom run allocation --date {desk.day}"
        )
    marks = desk.store.marks(desk.day)
    if strategy_ids:
        missing = sorted(set(strategy_ids) - {mark.strategy_id for mark in marks})
        if missing:
            raise StageError(
                f"not marked for {desk.day}: {', '.join(missing)}; run strikeloom mark "
                f"{' '.join(missing)} --date {desk.day}"
            )
        marks = [mark for mark in marks if mark.strategy_id in set(strategy_ids)]
    if not marks:
        raise StageError(
            f"nothing is marked for {desk.day}; run strikeloom mark --all --date {desk.day}"
        )
    rows = [
        Marked(
            desk.store.proposal(mark.strategy_id),
            mark.lots,
            bool(desk.store.intents(position_id=mark.strategy_id)),
        )
        for mark in marks
    ]
    return MarkedList(rows, run.run_id)
