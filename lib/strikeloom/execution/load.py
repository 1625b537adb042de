"""Strategies marked for execution, with their allocated lots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage
from strikeloom.errors import StageError
from strikeloom.ports.desk import Desk


@dataclass(frozen=True)
class MarkedStrategy:
    """A marked strategy and its lots."""

    proposal: Proposal
    lots: int
    entered: bool


@dataclass(frozen=True)
class MarkedStrategies:
    """Marked strategies of a day by priority, and the allocation run they came from."""

    rows: list[MarkedStrategy]
    upstream: str


def load_marked(desk: Desk, strategy_ids: Sequence[str] | None = None) -> MarkedStrategies:
    """Load the marked strategies of the desk's day.

    Raises
    ------
    StageError
        When nothing is marked, or a named strategy is not; the message names the command that
        marks. Also while the clock is still on the day: its close gave the signals, and
        filling there would be look-ahead.
    """
    now = desk.clock.now()
    if now.date() <= desk.day:
        raise StageError(
            f"strategies of {desk.day} trade at later prices, and the clock of {desk.account} "
            f"is at {now:%Y-%m-%d %H:%M}; move it to the next session first"
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
        MarkedStrategy(
            desk.store.proposal(mark.strategy_id, mark.version),
            mark.lots,
            bool(desk.store.intents(position_id=mark.strategy_id)),
        )
        for mark in marks
    ]
    return MarkedStrategies(rows, run.run_id)
