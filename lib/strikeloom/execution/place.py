"""Place a plan: record the intents, then work them, or hand them to the running watcher."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from strikeloom.domain.orders import Purpose
from strikeloom.errors import LeaseTaken, SettingsError
from strikeloom.execution.plan import EntryPlan
from strikeloom.ports.desk import Desk, Mode
from strikeloom.trading.lease import Lease
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import unfinished
from strikeloom.trading.send import Pace
from strikeloom.trading.work import work

#: Seconds of real time that a running watcher is given to see the orders through.
_PATIENCE = 60.0
_LOOK_AGAIN = 0.5


@dataclass(frozen=True)
class Placed:
    """What became of the plan.

    Attributes
    ----------
    filled, abandoned, open : list of str
        Strategy ids: every leg traded, given up and unwound, still working.
    units : dict of str to tuple
        Units filled and units wanted on entry, all legs together.
    by_watcher : bool
        The watcher sent them, because it holds the account's send lock.
    """

    filled: list[str]
    abandoned: list[str]
    open: list[str]
    units: dict[str, tuple[int, int]]
    by_watcher: bool


def place(
    desk: Desk,
    plan: EntryPlan,
    *,
    patience: float = _PATIENCE,
    pause: Callable[[float], None] = time.sleep,
) -> Placed:
    """Record all intents of a strategy at once and see them through.

    With a watcher running the intents are handed over to it; should it end before they are
    done, they are taken back. What is open at the end stays with the next watcher.

    Parameters
    ----------
    patience : float
        Seconds of real time to wait for a running watcher.

    Raises
    ------
    SettingsError
        In mode alert: nothing is recorded that another desk of the account would send.
    """
    if desk.mode is Mode.ALERT:
        raise SettingsError(
            "mode alert sends no order and records none; --dry-run shows the plan",
            mode=desk.mode.value,
        )
    for entry in plan.entries:
        desk.store.record_intents(entry.intents)
    names = [*plan.intents, *plan.entered]
    reconciler = Reconciler(desk)
    by_watcher = False
    waited = 0.0
    while _open(reconciler, names):
        try:
            with Lease(desk.home, desk.store) as lease:
                _see_through(desk, lease, reconciler, names)
            break
        except LeaseTaken:
            by_watcher = True
            if waited >= patience:
                break
            pause(_LOOK_AGAIN)
            waited += _LOOK_AGAIN
    return _outcome(desk, reconciler, names, by_watcher=by_watcher)


def _see_through(desk: Desk, lease: Lease, reconciler: Reconciler, names: Iterable[str]) -> None:
    """Work until the entries are done, stepping the clock between attempts."""
    settings = desk.settings.execution
    pace = Pace(settings.orders_per_second)
    # where fills come later than the answer, every part of a group takes a round more
    rounds = settings.max_attempts * (1 if desk.broker.book_is_complete else 2)
    for _ in range(rounds + 1):
        work(desk, lease, pace, reconciler)
        if not _open(reconciler, names) or not desk.clock.wait(max(1.0, settings.rest_seconds)):
            return
    work(desk, lease, pace, reconciler)


def _open(reconciler: Reconciler, names: Iterable[str]) -> set[str]:
    """Which of the strategies have entry orders, or the unwinding of one, still to do."""
    wanted = set(names)
    groups = [intents[0] for intents in unfinished(reconciler.reload()).values()]
    found = {i.position_id for i in groups if i.purpose in (Purpose.ENTRY, Purpose.UNWIND)}
    return found & wanted


def _outcome(
    desk: Desk, reconciler: Reconciler, names: Iterable[str], *, by_watcher: bool
) -> Placed:
    units = {name: _units(desk, name) for name in names}
    open_ = _open(reconciler, names)
    over = [name for name in units if name not in open_]
    return Placed(
        filled=[name for name in over if units[name][0] >= units[name][1]],
        abandoned=[name for name in over if units[name][0] < units[name][1]],
        open=[name for name in units if name in open_],
        units=units,
        by_watcher=by_watcher,
    )


def _units(desk: Desk, name: str) -> tuple[int, int]:
    """Units filled and wanted on entry: a position that was left since counts as filled."""
    entries = [i for i in desk.store.intents(position_id=name) if i.purpose is Purpose.ENTRY]
    ours = {intent.correlation_id for intent in entries}
    filled = sum(f.units for f in desk.store.fills(position_id=name) if f.correlation_id in ours)
    return filled, sum(intent.units for intent in entries if intent.attempt == 1)
