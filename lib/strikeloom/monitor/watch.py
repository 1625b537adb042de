"""The watcher: one exit engine an account.

Each cycle reconciles, takes requests, marks, decides, acts and leaves a heartbeat. Start and
restart are one path: whatever the last process left is found in the store and at the broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from strikeloom.errors import (
    BrokerError,
    LeaseTaken,
    StoreError,
)
from strikeloom.monitor.cycle import CycleReport, Watcher
from strikeloom.ports.clock import Clock
from strikeloom.ports.desk import Desk
from strikeloom.trading.alert import alert
from strikeloom.trading.lease import Lease
from strikeloom.trading.send import Pace

#: Note of the last heartbeat of a watcher that ended by itself.
STOPPED = "stopped"
#: Seconds of real time between two looks at a market whose day has ended.
_PAUSE = 0.25
#: Failures of store or clock in a row after which a watcher gives up.
_PATIENCE = 20


def run_cycle(
    desk: Desk, lease: Lease, pace: Pace, real: Clock, *, alert_only: bool = False
) -> CycleReport:
    """Run one cycle by itself; ``Watcher.cycle`` is one of many."""
    return Watcher(desk, lease, pace, real, alert_only=alert_only).cycle()


def watch(
    desk: Desk,
    real: Clock,
    *,
    once: bool = False,
    alert_only: bool = False,
    stop: Callable[[], bool] = lambda: False,
    on_cycle: Callable[[CycleReport], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> CycleReport:
    """Cycle until stopped, or once. The same in every mode: only clock, feed and broker differ.

    Parameters
    ----------
    real : Clock
        The machine's time, for heartbeats.
    stop : callable
        Asked between two cycles, never within one.
    pause : callable
        Lets real time pass where the desk's cannot (the end of a replayed day): requests are
        still served then.

    Raises
    ------
    LeaseTaken
        When another watcher or an execution holds the account's send lock.
    StoreError, BrokerError
        When the store, or the clock of an exchange, fails time after time.
    """
    pace = Pace(desk.settings.execution.orders_per_second)
    interval = desk.settings.monitor.interval_seconds
    failures = 0
    with Lease(desk.home, desk.store) as lease:
        _audit(desk)
        watcher = Watcher(desk, lease, pace, real, alert_only=alert_only)
        try:
            while True:
                try:
                    report = watcher.cycle()
                    failures = 0
                    on_cycle(report)
                    if once or stop():
                        return report
                    if not desk.clock.wait(interval):
                        pause(min(interval, _PAUSE))
                    if stop():
                        return report
                except (StoreError, BrokerError) as error:
                    failures += 1
                    over = once or stop() or failures >= _PATIENCE
                    if over or isinstance(error, LeaseTaken):
                        raise
                    # a busy disk may pass, and so may a clock that does not answer; what was
                    # half done is taken up again
                    what = "store" if isinstance(error, StoreError) else "clock"
                    desk.alerts.send("critical", f"the {what} fails, trying again: {error}")
                    pause(min(interval, 1.0))
                    watcher = Watcher(desk, lease, pace, real, alert_only=alert_only)
        finally:
            with suppress(StoreError, BrokerError):
                watcher.beat(STOPPED)


def _audit(desk: Desk) -> None:
    """Compare the positions kept with all fills; where they differ, the fills are right."""
    differ = desk.store.audit_positions()
    if not differ:
        return
    desk.store.rebuild_positions(differ)
    alert(
        desk,
        "critical",
        f"positions differed from their fills and were made anew from them: {', '.join(differ)}; "
        "compare them with the broker",
    )
