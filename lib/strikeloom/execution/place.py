"""Place a plan: record the intents, then work them, or hand them to the running watcher."""

from __future__ import annotations

from dataclasses import dataclass

from strikeloom.domain.orders import Purpose
from strikeloom.errors import LeaseTaken
from strikeloom.execution.plan import EntryPlan
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.send import Pace
from strikeloom.trading.work import unfinished, work

_HAND_OVER_ROUNDS = 60


@dataclass(frozen=True)
class Placed:
    """What became of the plan.

    Attributes
    ----------
    filled, abandoned, open : list of str
        Strategy ids: complete, given up and unwound, still working.
    by_watcher : bool
        The watcher sent them, because it holds the account's send lock.
    """

    filled: list[str]
    abandoned: list[str]
    open: list[str]
    by_watcher: bool


def place(desk: Desk, plan: EntryPlan) -> Placed:
    """Record all intents of a strategy at once and see them through.

    Waits at most the settings' attempts; what is still open then stays with the watcher.
    """
    for intents in plan.intents.values():
        desk.store.record_intents(intents)
    by_watcher = False
    try:
        with Lease(desk.home, desk.store) as lease:
            _see_through(desk, lease)
    except LeaseTaken:
        by_watcher = True
        for _ in range(_HAND_OVER_ROUNDS):
            if not _open_entries(desk):
                break
            desk.clock.wait(1.0)
    return _outcome(desk, plan, by_watcher=by_watcher)


def _see_through(desk: Desk, lease: Lease) -> None:
    settings = desk.settings.execution
    pace = Pace(settings.orders_per_second)
    for _ in range(settings.max_attempts + 1):
        work(desk, lease, pace)
        if not unfinished(desk) or not desk.clock.wait(1.0):
            break
    else:
        work(desk, lease, pace)


def _open_entries(desk: Desk) -> set[str]:
    return {
        intents[0].position_id
        for intents in unfinished(desk).values()
        if intents[0].purpose in (Purpose.ENTRY, Purpose.UNWIND)
    }


def _outcome(desk: Desk, plan: EntryPlan, *, by_watcher: bool) -> Placed:
    open_ = _open_entries(desk)
    held = {position.position_id for position in desk.store.positions()}
    planned = list(plan.intents)
    return Placed(
        filled=[name for name in planned if name in held and name not in open_],
        abandoned=[name for name in planned if name not in held and name not in open_],
        open=[name for name in planned if name in open_],
        by_watcher=by_watcher,
    )
