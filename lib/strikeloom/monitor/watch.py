"""The watcher: one exit engine an account.

Each cycle reconciles, takes requests, marks, decides,
acts and leaves a heartbeat.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import (
    ExitDecision,
    ExitReason,
    MarkedPosition,
    RequestState,
    Urgency,
)
from strikeloom.errors import BrokerError
from strikeloom.monitor.act import finish_requests, take_decision, take_request
from strikeloom.monitor.decide import decide
from strikeloom.monitor.exits.catalogue import plan_of
from strikeloom.monitor.mark import mark_position
from strikeloom.ports.clock import Clock
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Heartbeat
from strikeloom.trading.lease import Lease
from strikeloom.trading.send import Pace
from strikeloom.trading.work import unfinished, work


@dataclass
class CycleReport:
    """What one cycle saw and did."""

    at: datetime
    marked: list[MarkedPosition] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    requests: int = 0
    fills: int = 0
    blocked: list[str] = field(default_factory=list)


def run_cycle(
    desk: Desk, lease: Lease, pace: Pace, real: Clock, *, alert_only: bool = False
) -> CycleReport:
    """Run one cycle.

    A broker that cannot be read is told in the heartbeat; nothing is decided on
    a record that may be old.
    """
    report = CycleReport(desk.clock.now())
    try:
        first = work(desk, lease, pace)
        report.fills += first.reconciled.new_fills
        report.requests = _requests(desk)
        _mark_and_decide(desk, report, alert_only=alert_only)
        last = work(desk, lease, pace)
        report.fills += last.reconciled.new_fills
        report.blocked = last.blocked
        finish_requests(desk, _working(desk))
        note = f"{len(report.marked)} positions"
        if report.unpriced:
            note += f", {len(report.unpriced)} without a price"
    except BrokerError as error:
        note = f"broker not read: {error}"
    desk.store.beat(Heartbeat(desk.clock.now(), real.now(), os.getpid(), note))
    return report


def watch(
    desk: Desk,
    real: Clock,
    *,
    once: bool = False,
    alert_only: bool = False,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[CycleReport], None] = lambda _: None,
) -> CycleReport:
    """Cycle until stopped, or once.

    Raises
    ------
    LeaseTaken
        When another watcher or an execution holds the account's send lock.
    """
    pace = Pace(desk.settings.execution.orders_per_second)
    with Lease(desk.home, desk.store) as lease:
        while True:
            report = run_cycle(desk, lease, pace, real, alert_only=alert_only)
            tell(report)
            if once or stop():
                return report
            desk.clock.wait(desk.settings.monitor.interval_seconds)


def _requests(desk: Desk) -> int:
    pending = desk.store.requests(states={RequestState.PENDING})
    for request in pending:
        take_request(desk, request, _working(desk))
    return len(pending)


def _working(desk: Desk) -> set[str]:
    return {intents[0].position_id for intents in unfinished(desk).values()}


def _mark_and_decide(desk: Desk, report: CycleReport, *, alert_only: bool) -> None:
    positions = desk.store.positions()
    contracts = {leg.contract for p in positions for leg in p.legs if leg.net_units}
    quotes = desk.feed.quotes(contracts)
    desk.quotes.put(quotes.values())
    peaks = desk.store.peaks()
    working = _working(desk)
    flatten = desk.store.kill_switch().flatten
    for position in positions:
        marked = mark_position(desk, position, quotes, peaks.get(position.position_id))
        report.marked.append(marked)
        if marked.pnl is None:
            report.unpriced.append(position.position_id)
        else:
            desk.store.save_peak(position.position_id, marked.pnl)
        winner, said = decide(marked, plan_of(desk.settings.exits, position.exit_plan))
        desk.store.record_decisions(position.position_id, said, report.at)
        if position.position_id in working or _unwinding(desk, position.position_id):
            continue
        if flatten:
            winner = _flattened(marked)
        if winner is not None:
            report.fired.append(f"{position.position_id} {winner.rule}: {winner.sentence}")
            if not alert_only:
                why_not = take_decision(desk, position, winner)
                report.blocked += [f"{position.position_id}: {why_not}"] if why_not else []


def _flattened(marked: MarkedPosition) -> ExitDecision:
    return ExitDecision(
        "kill switch",
        ExitReason.REQUEST,
        Urgency.IMMEDIATE,
        fires=True,
        closeness=1.0,
        target_lots=(0,) * len(marked.position.legs),
        sentence="leave everything",
    )


def _unwinding(desk: Desk, position_id: str) -> bool:
    latest = desk.store.intents(position_id=position_id)
    return any(intent.purpose is Purpose.UNWIND for intent in latest)
