"""One cycle of the watcher: reconcile, take requests, mark, decide, act, heartbeat."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

from strikeloom.domain.positions import (
    ExitDecision,
    MarkedPosition,
    Position,
    RequestState,
    Urgency,
    exit_now,
)
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import (
    BrokerError,
    DataError,
    GuardError,
    NoQuote,
    SettingsError,
)
from strikeloom.monitor.act import can_order, decided_exit
from strikeloom.monitor.deliveries import DeliveryWarnings
from strikeloom.monitor.judge import Judge
from strikeloom.monitor.serve_requests import finish_requests, take_requests
from strikeloom.ports.clock import Clock
from strikeloom.ports.desk import Desk, Mode
from strikeloom.ports.store import Heartbeat
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import pricing_of, take_snapshot
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import working_positions
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.withheld import withheld
from strikeloom.trading.work import work

_LOG = logging.getLogger("strikeloom.monitor")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
#: Seconds after which a position without a price is an alert: real ones, by the desk's clock.
_UNPRICED_SECONDS = 60.0


@dataclass
class CycleReport:
    """Results of one cycle.

    Attributes
    ----------
    blocked : list of str
        Exits that should have happened and could not, with the reason.
    withheld : list of str
        What a trading watcher would have sent or cancelled.
    failure : str
        Why the cycle was stopped early; empty when it was completed.
    decisions : dict of str to list of ExitDecision
        What every rule decided, by position.
    """

    at: datetime
    marked: list[MarkedPosition] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    requests: int = 0
    fills: int = 0
    blocked: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    failure: str = ""
    decisions: dict[str, list[ExitDecision]] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """The cycle in a few words, for the heartbeat."""
        if self.failure:
            return self.failure
        count = len(self.marked)
        text = f"{count} position{'s' * (count != 1)}"
        if self.unpriced:
            text += f", {len(self.unpriced)} without a price"
        text += f", {len(self.blocked)} blocked" if self.blocked else ""
        return text + (f", {len(self.withheld)} withheld" if self.withheld else "")


class Watcher:
    """Runs cycles over one account; each reads only what has changed since the last one.

    Parameters
    ----------
    real : Clock
        The machine's time, for heartbeats.
    alert_only : bool
        Only report what would be sent. Nothing is placed or cancelled and no intent is
        recorded, neither for intents recorded before, nor for a person's request, nor for a
        rule. Always so in mode alert.
    """

    def __init__(
        self,
        desk: Desk,
        lease: Lease,
        limiter: OrderRateLimiter,
        real: Clock,
        *,
        alert_only: bool = False,
    ) -> None:
        self._desk = desk
        self._lease = lease
        self._limiter = limiter
        self._real = real
        self._alert_only = alert_only or desk.mode is Mode.ALERT
        self._reconciler = Reconciler(desk)
        self._deliveries = DeliveryWarnings(desk)
        self._judge = Judge(desk.settings.exits)
        self._unpriced_since: dict[str, datetime] = {}
        self._unsettled: set[str] = set()
        self._shown: datetime | None = None
        self._market = MarketSnapshot(_LONG_AGO, {}, 0.0, desk.mode.value)

    def cycle(self) -> CycleReport:
        """Run one cycle.

        A broker that cannot be read, or missing data, stop the cycle and are reported in an
        alert and the heartbeat: nothing is decided on records that may be out of date.
        """
        report = CycleReport(self._desk.clock.now())
        try:
            if self._alert_only:
                self._report_only(report)
            else:
                self._act(report)
        except (BrokerError, DataError) as error:
            report.failure = f"cycle stopped: {error}"
            alert(self._desk, "critical", report.failure)
        self._show(report)
        return report

    def beat(self, note: str) -> None:
        """Store a heartbeat."""
        self._desk.store.beat(self._heartbeat(note))

    def _heartbeat(self, note: str) -> Heartbeat:
        return Heartbeat(self._desk.clock.now(), self._real.now(), os.getpid(), note)

    def _act(self, report: CycleReport) -> None:
        desk, store = self._desk, self._desk.store
        done = work(desk, self._lease, self._limiter, self._reconciler)
        report.fills += done.new_fills
        report.requests = take_requests(desk, done.state, self._reconciler)
        recorded = report.requests > 0
        state = self._reconciler.reload() if recorded else done.state
        for position, winner in self._judge_all(state, report):
            try:
                intents = decided_exit(pricing_of(desk, self._market), position, winner)
            except (GuardError, NoQuote) as error:
                name = position.position_id
                text = f"{name} {winner.rule} fires but cannot exit: {error}"
                self._block(report, text)
            else:
                store.record_intents(intents)
                recorded = True
        if recorded or done.acted:
            done = work(desk, self._lease, self._limiter, self._reconciler)
            report.fills += done.new_fills
        report.blocked += done.blocked
        finish_requests(desk, done.state)

    def _report_only(self, report: CycleReport) -> None:
        state = self._reconciler.refresh()
        report.fills = state.new_fills
        report.withheld = withheld(state, self._desk.settings.execution)
        report.withheld += [
            f"bring {request.position_id} down to {request.target_lots} lots, "
            f"asked by {request.who}"
            for request in state.requests
            if request.state is RequestState.PENDING
        ]
        report.withheld += [
            f"bring {position.position_id} down to {winner.target_lots} lots, {winner.rule}"
            for position, winner in self._judge_all(state, report)
        ]
        for text in report.withheld:
            alert(self._desk, "warning", f"not sent, alerts only: {text}")

    def _judge_all(
        self, state: AccountState, report: CycleReport
    ) -> list[tuple[Position, ExitDecision]]:
        """Mark every position; return those to exit that have no working orders."""
        positions = list(state.positions.values())
        contracts = {leg.instrument for p in positions for leg in p.legs if leg.net_units}
        symbols = sorted({position.symbol for position in positions})
        self._market = take_snapshot(self._desk, contracts, symbols)
        self._judge.forget(set(state.positions))
        self._deliveries.check(state, self._market)
        working = working_positions(state)
        exits: list[tuple[Position, ExitDecision]] = []
        for position in positions:
            name = position.position_id
            try:
                winner = self._judged(position, state, report)
            except (SettingsError, DataError) as error:
                # one position that cannot be judged must not leave the others unwatched
                self._block(report, f"{name} is not watched: {error}")
                winner = None
            except Exception as error:  # noqa: BLE001  the others must be watched
                _LOG.exception("%s cannot be judged", name)
                what = f"{type(error).__name__}: {error}"
                self._block(report, f"{name} is not watched, a fault of the program: {what}")
                winner = None
            if state.kill_switch.flatten:
                winner = _flattened(position)
            if winner is None or name in working:
                continue
            if not can_order(position, winner.target_lots, self._market.at.date()):
                continue  # no whole lot, ended, or shares that are bought in: no order closes it
            report.fired.append(f"{name} {winner.rule}: {winner.sentence}")
            exits.append((position, winner))
        return exits

    def _judged(
        self, position: Position, state: AccountState, report: CycleReport
    ) -> ExitDecision | None:
        """Judge a position, report the decision of every rule, and return the winning one."""
        name = position.position_id
        found = self._judge.judge(position, state, self._market)
        report.marked.append(found.marked)
        if found.marked.pnl is None:
            report.unpriced.append(name)
            self._alert_unpriced(found.marked)
        else:
            self._unpriced_since.pop(name, None)
        report.decisions[name] = found.decisions
        return found.winner

    def _alert_unpriced(self, marked: MarkedPosition) -> None:
        """Report a position that has had no price for a while: its rules cannot see it."""
        name, now = marked.position.position_id, self._desk.clock.now()
        if marked.unsettled:
            text = f"{name} is not settled: {', '.join(marked.unsettled)}"
            if text not in self._unsettled:
                self._unsettled.add(text)
                alert(self._desk, "critical", text)
            return
        since = self._unpriced_since.setdefault(name, now)
        limit = _UNPRICED_SECONDS * max(1.0, self._desk.clock.speed)
        if (now - since).total_seconds() >= limit:
            legs = ", ".join(marked.missing)
            text = f"{name} has no price since {since:%H:%M}: {legs}; rules of its P&L cannot fire"
            alert(self._desk, "critical", text)

    def _show(self, report: CycleReport) -> None:
        """Store what the page shows: at once after an event, else once per page refresh."""
        now = self._real.now()
        changed = report.fired or report.blocked or report.failure or report.fills
        pace = self._desk.settings.monitor.page_refresh_seconds
        shown = self._shown
        if shown and not changed and 0 <= (now - shown).total_seconds() < pace:
            return
        peaks = self._judge.peaks
        if self._market.quotes:
            self._desk.quotes.put(self._market.quotes.values())
        self._desk.quotes.put_levels(self._market.levels)
        self._desk.store.record_cycle(
            report.decisions,
            {name: peaks[name] for name in report.decisions if name in peaks},
            self._heartbeat(report.note),
        )
        self._shown = now

    def _block(self, report: CycleReport, text: str) -> None:
        report.blocked.append(text)
        alert(self._desk, "critical", text)


def _flattened(position: Position) -> ExitDecision:
    return exit_now("kill switch", position, Urgency.IMMEDIATE, "exit everything")
