"""The watcher: one exit engine an account.

Each cycle reconciles, takes requests, marks, decides, acts and leaves a heartbeat. Start and
restart are one path: whatever the last process left is found in the store and at the broker.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.positions import (
    ExitDecision,
    MarkedPosition,
    Position,
    RequestState,
    Urgency,
    exit_now,
)
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import BrokerError, DataError, LeaseTaken, NoQuote, SettingsError, StoreError
from strikeloom.monitor.act import finish_requests, take_decision, take_request
from strikeloom.monitor.decide import decide
from strikeloom.monitor.mark import mark_position
from strikeloom.ports.clock import Clock
from strikeloom.ports.desk import Desk, Mode
from strikeloom.ports.store import Heartbeat
from strikeloom.settings.exits import plan_of
from strikeloom.trading.lease import Lease
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import Pace
from strikeloom.trading.settle import position_last_day
from strikeloom.trading.tell import tell as alert
from strikeloom.trading.withheld import withheld
from strikeloom.trading.work import unfinished, work

#: Note of the last heartbeat of a watcher that ended by itself.
STOPPED = "stopped"
#: Seconds of real time between two looks at a market whose day has ended.
_PAUSE = 0.25
#: Failures of store or clock in a row after which a watcher gives up.
_PATIENCE = 20


@dataclass
class CycleReport:
    """What one cycle saw and did.

    Attributes
    ----------
    blocked : list of str
        What should have happened and could not, with the reason.
    withheld : list of str
        What a watcher that trades would have sent or cancelled.
    trouble : str
        Why the cycle was broken off; empty when it was not.
    """

    at: datetime
    marked: list[MarkedPosition] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    requests: int = 0
    fills: int = 0
    blocked: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    trouble: str = ""

    @property
    def note(self) -> str:
        """The cycle in a few words, for the heartbeat."""
        if self.trouble:
            return self.trouble
        count = len(self.marked)
        text = f"{count} position{'s' * (count != 1)}"
        if self.unpriced:
            text += f", {len(self.unpriced)} without a price"
        text += f", {len(self.blocked)} blocked" if self.blocked else ""
        return text + (f", {len(self.withheld)} withheld" if self.withheld else "")


def run_cycle(
    desk: Desk, lease: Lease, pace: Pace, real: Clock, *, alert_only: bool = False
) -> CycleReport:
    """Run one cycle.

    A broker that cannot be read, or data that are not there, break the cycle off and are told
    in an alert and the heartbeat: nothing is decided on a record that may be old.

    Parameters
    ----------
    alert_only : bool
        Look, judge and say what would be sent; nothing is placed, cancelled or recorded to be,
        be it an order recorded before, a person's request or a rule. Always so in mode alert.
    """
    report = CycleReport(desk.clock.now())
    try:
        if alert_only or desk.mode is Mode.ALERT:
            _only_look(desk, report)
        else:
            _act(desk, lease, pace, report)
    except (BrokerError, DataError) as error:
        report.trouble = f"cycle broken off: {error}"
        alert(desk, "critical", report.trouble)
    _beat(desk, real, report.note)
    return report


def _act(desk: Desk, lease: Lease, pace: Pace, report: CycleReport) -> None:
    report.fills += work(desk, lease, pace).reconciled.new_fills
    report.requests = _requests(desk)
    for position, winner in _judged(desk, report):
        why_not = take_decision(desk, position, winner)
        if why_not:
            name = position.position_id
            _block(desk, report, f"{name} {winner.rule} fires but cannot leave: {why_not}")
    last = work(desk, lease, pace)
    report.fills += last.reconciled.new_fills
    report.blocked += last.blocked
    finish_requests(desk, _working(desk))


def _only_look(desk: Desk, report: CycleReport) -> None:
    seen = reconcile(desk)
    report.fills = seen.new_fills
    report.withheld = withheld(desk, seen)
    report.withheld += [
        f"bring {request.position_id} down to {request.target_lots} lots, asked by {request.who}"
        for request in desk.store.requests(states={RequestState.PENDING})
    ]
    report.withheld += [
        f"bring {position.position_id} down to {winner.target_lots} lots, {winner.rule}"
        for position, winner in _judged(desk, report)
    ]
    for text in report.withheld:
        alert(desk, "warning", f"not sent, alerts only: {text}")


def watch(
    desk: Desk,
    real: Clock,
    *,
    once: bool = False,
    alert_only: bool = False,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[CycleReport], None] = lambda _: None,
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
        try:
            while True:
                try:
                    report = run_cycle(desk, lease, pace, real, alert_only=alert_only)
                    failures = 0
                    tell(report)
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
        finally:
            with suppress(StoreError, BrokerError):
                _beat(desk, real, STOPPED)


def _beat(desk: Desk, real: Clock, note: str) -> None:
    desk.store.beat(Heartbeat(desk.clock.now(), real.now(), os.getpid(), note))


def _requests(desk: Desk) -> int:
    pending = desk.store.requests(states={RequestState.PENDING})
    for request in pending:
        take_request(desk, request, _working(desk))
    return len(pending)


def _working(desk: Desk) -> set[str]:
    return {intents[0].position_id for intents in unfinished(desk).values()}


def _judged(desk: Desk, report: CycleReport) -> list[tuple[Position, ExitDecision]]:
    """Mark every position; those that a rule wants out of, and nothing is at work for."""
    positions = desk.store.positions()
    contracts = {leg.contract for p in positions for leg in p.legs if leg.net_units}
    snapshot = _snapshot(desk, contracts, {position.symbol for position in positions})
    desk.quotes.put(snapshot.quotes.values())
    peaks, working = desk.store.peaks(), _working(desk)
    flatten = desk.store.kill_switch().flatten
    found: list[tuple[Position, ExitDecision]] = []
    for position in positions:
        name = position.position_id
        try:
            winner = _judge(desk, position, snapshot, peaks.get(name), report)
        except (SettingsError, DataError) as error:
            # one position that cannot be judged must not leave the others unwatched
            _block(desk, report, f"{name} is not watched: {error}")
            winner = None
        if flatten:
            winner = _flattened(position)
        if winner is None or name in working:
            continue
        report.fired.append(f"{name} {winner.rule}: {winner.sentence}")
        found.append((position, winner))
    return found


def _snapshot(desk: Desk, contracts: set[OptionContract], symbols: set[str]) -> MarketSnapshot:
    """Quotes and levels as they are now; an unknown level is absent."""
    levels = {}
    for symbol in sorted(symbols):
        with suppress(NoQuote, BrokerError):  # a missing level must not stop the marks
            levels[symbol] = desk.feed.spot(symbol)
    quotes = desk.feed.quotes(contracts)
    return MarketSnapshot(desk.clock.now(), quotes, desk.quote_age_seconds, desk.mode.value, levels)


def _judge(
    desk: Desk,
    position: Position,
    snapshot: MarketSnapshot,
    peak: int | None,
    report: CycleReport,
) -> ExitDecision | None:
    """Mark a position, record what every rule says, and return the decision that wins."""
    name = position.position_id
    last = position_last_day(desk, position)
    marked = mark_position(position, snapshot, last_day=last, peak=peak)
    report.marked.append(marked)
    if marked.pnl is None:
        report.unpriced.append(name)
    else:
        desk.store.save_peak(name, marked.pnl)
    winner, decisions = decide(marked, plan_of(desk.settings.exits, position.exit_plan))
    desk.store.record_decisions(name, decisions, report.at)
    return winner


def _block(desk: Desk, report: CycleReport, text: str) -> None:
    report.blocked.append(text)
    alert(desk, "critical", text)


def _flattened(position: Position) -> ExitDecision:
    return exit_now("kill switch", position, Urgency.IMMEDIATE, "leave everything")
