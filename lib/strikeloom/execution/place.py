"""Place a plan: record the intents, then work on them, or leave them to a running watcher."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from strikeloom.domain.orders import Purpose
from strikeloom.errors import LeaseTaken, SettingsError
from strikeloom.execution.plan import EntryPlan
from strikeloom.ports.desk import Desk, Mode
from strikeloom.trading.lease import Lease
from strikeloom.trading.page_load import refuse_page_load
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import unfinished
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work

#: Seconds of real time to wait for a running watcher to complete the orders.
_PATIENCE = 60.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Placed:
    """Outcome of a plan.

    Attributes
    ----------
    filled, abandoned, open : list of str
        Strategy ids: all legs traded; abandoned and unwound; still working.
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
    """Record all intents of each strategy at once, and work on them until they are complete.

    A running watcher sends the intents; if it ends before they are complete, this process
    continues. Intents that are open at the end are left to the next watcher.

    Parameters
    ----------
    patience : float
        Seconds of real time to wait for a running watcher.

    Raises
    ------
    SettingsError
        In mode alert: nothing is recorded that another desk of the account would send. Also when
        the load of a page runs it.
    """
    refuse_page_load("Execution")
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
    while _open_entries(reconciler, names):
        try:
            with Lease(desk.home, desk.store) as lease:
                _complete(desk, lease, reconciler, names)
            break
        except LeaseTaken:
            by_watcher = True
            if waited >= patience:
                break
            pause(_POLL_SECONDS)
            waited += _POLL_SECONDS
    return _outcome(desk, reconciler, names, by_watcher=by_watcher)


def _complete(desk: Desk, lease: Lease, reconciler: Reconciler, names: Iterable[str]) -> None:
    """Work until the entries are complete, letting time pass between attempts."""
    settings = desk.settings.execution
    limiter = OrderRateLimiter(settings.orders_per_second)
    # where fills are reported after the answer, each side of a group takes one more round
    rounds = settings.max_attempts * (1 if desk.broker.book_is_complete else 2)
    for _ in range(rounds + 1):
        work(desk, lease, limiter, reconciler)
        if not _open_entries(reconciler, names) or not desk.clock.wait(
            max(1.0, settings.rest_seconds)
        ):
            return
    work(desk, lease, limiter, reconciler)


def _open_entries(reconciler: Reconciler, names: Iterable[str]) -> set[str]:
    """Strategies of these names with orders of an entry or its unwinding still to be filled."""
    wanted = set(names)
    groups = [intents[0] for intents in unfinished(reconciler.reload()).values()]
    with_orders = {i.position_id for i in groups if i.purpose in (Purpose.ENTRY, Purpose.UNWIND)}
    return with_orders & wanted


def _outcome(
    desk: Desk, reconciler: Reconciler, names: Iterable[str], *, by_watcher: bool
) -> Placed:
    units = {name: _entry_units(desk, name) for name in names}
    open_ = _open_entries(reconciler, names)
    ended = [name for name in units if name not in open_]
    return Placed(
        filled=[name for name in ended if units[name][0] >= units[name][1]],
        abandoned=[name for name in ended if units[name][0] < units[name][1]],
        open=[name for name in units if name in open_],
        units=units,
        by_watcher=by_watcher,
    )


def _entry_units(desk: Desk, name: str) -> tuple[int, int]:
    """Units filled and wanted on entry; a position exited since then counts as filled."""
    entries = [i for i in desk.store.intents(position_id=name) if i.purpose is Purpose.ENTRY]
    ours = {intent.correlation_id for intent in entries}
    filled = sum(f.units for f in desk.store.fills(position_id=name) if f.correlation_id in ours)
    return filled, sum(intent.units for intent in entries if intent.attempt == 1)
