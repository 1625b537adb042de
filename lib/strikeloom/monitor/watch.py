"""The watcher: one exit engine per account.

Each cycle reconciles, takes requests, marks, decides, acts and stores a heartbeat. Start and
restart are the same: unfinished work of an earlier process is in the store and at the broker.
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
from strikeloom.trading.send import OrderRateLimiter

#: Note of the last heartbeat of a watcher that ended by itself.
STOPPED = "stopped"
#: How the note begins of one that a failure ended.
FAILED = "ended by a failure"
#: Seconds of real time between two cycles after the replayed day has ended.
_PAUSE = 0.25
#: Successive failures of store or clock after which the watcher raises.
_MOST_FAILURES = 20


def run_cycle(
    desk: Desk, lease: Lease, limiter: OrderRateLimiter, real: Clock, *, alert_only: bool = False
) -> CycleReport:
    """Run a single cycle."""
    return Watcher(desk, lease, limiter, real, alert_only=alert_only).cycle()


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
    """Run cycles until stopped, or one. The same in every mode: clock, feed and broker differ.

    Parameters
    ----------
    real : Clock
        The machine's time, for heartbeats.
    stop : callable
        Called between two cycles, never within one.
    pause : callable
        Waits in real time when the desk's clock cannot advance (after the end of a replayed
        day); requests are still handled then.

    Raises
    ------
    LeaseTaken
        When another watcher or an execution holds the account's send lock.
    StoreError, BrokerError
        When the store, or the clock of an exchange, fails repeatedly.
    """
    limiter = OrderRateLimiter(desk.settings.execution.orders_per_second)
    interval = desk.settings.monitor.interval_seconds
    failures = 0
    with Lease(desk.home, desk.store) as lease:
        _audit(desk)
        watcher = Watcher(desk, lease, limiter, real, alert_only=alert_only)
        note = STOPPED
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
                    final = once or stop() or failures >= _MOST_FAILURES
                    if final or isinstance(error, LeaseTaken):
                        raise
                    # a busy disk or a clock that does not answer may recover; the next cycle
                    # continues what was left unfinished
                    what = "store" if isinstance(error, StoreError) else "clock"
                    desk.alerts.send("critical", f"the {what} fails, trying again: {error}")
                    pause(min(interval, 1.0))
                    watcher = Watcher(desk, lease, limiter, real, alert_only=alert_only)
        except Exception as error:
            note = f"{FAILED}: {type(error).__name__}: {error}"
            desk.alerts.send("critical", f"the watcher {note}; no position is watched")
            raise
        finally:
            with suppress(StoreError, BrokerError):
                watcher.beat(note)


def _audit(desk: Desk) -> None:
    """Compare the stored positions with all fills; where they differ, the fills are right."""
    differ = desk.store.audit_positions()
    if not differ:
        return
    desk.store.rebuild_positions(differ)
    alert(
        desk,
        "critical",
        f"positions differed from their fills and were recomputed: {', '.join(differ)}; "
        "compare them with the broker",
    )
