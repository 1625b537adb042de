"""The store as domain operations, bound to one market and one account when it is opened.

Nothing of another market or account can be read or written through it. Every method is one
transaction; a failure leaves nothing half-written and raises ``StoreError``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from strikeloom.domain.adjustments import LegAdjustment
from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.market import MarketView
from strikeloom.domain.orders import Fill, IntentState, Order, OrderIntent
from strikeloom.domain.outcomes import Outcome
from strikeloom.domain.positions import ExitDecision, ExitRequest, Position, RequestState
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage, StageResult
from strikeloom.domain.volatility import IvRank

if TYPE_CHECKING:
    import pandas as pd


class SavedProposals(NamedTuple):
    """Counts of strategies that were new, that have other figures now, and that were known."""

    new: int
    changed: int
    known: int


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A strategy chosen by a person for execution, in the version that was seen then."""

    strategy_id: str
    day: date
    lots: int
    priority: int
    notes: str
    at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Record by which the watcher shows that it runs. ``at`` is desk time, ``real_at`` real."""

    at: datetime
    real_at: datetime
    pid: int
    note: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A stored alert."""

    at: datetime
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Block on entries until a person releases it; ``flatten`` also exits every position."""

    engaged: bool
    flatten: bool
    reason: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """All open records of an account; closed ones are not read.

    Attributes
    ----------
    positions : tuple of Position
        Open ones, oldest first.
    intents : tuple of OrderIntent
        All attempts of the groups that are not closed, in send order.
    changed_at : dict of str to datetime
        When the state of these intents last changed, by correlation id.
    filled : dict of str to int
        Units filled, by correlation id of these intents.
    orders : tuple of Order
        Known orders of these intents.
    requests : tuple of ExitRequest
        Pending and accepted ones, oldest first.
    peaks : dict of str to int
        Highest P&L seen (paise) by open position.
    """

    positions: tuple[Position, ...]
    intents: tuple[OrderIntent, ...]
    changed_at: dict[str, datetime]
    filled: dict[str, int]
    orders: tuple[Order, ...]
    requests: tuple[ExitRequest, ...]
    kill_switch: KillSwitch
    peaks: dict[str, int]


class RunStore(Protocol):
    """Stage runs."""

    def start_run(self, run_id: str, stage: Stage, day: date, at: datetime) -> None:
        """Record that a run has begun."""
        ...

    def finish_run(self, result: StageResult, at: datetime) -> None:
        """Record how a run ended (also one that was never started)."""
        ...

    def latest_run(self, stage: Stage, day: date) -> StageResult | None:
        """Latest run of the stage for the trade date that ended done or partial."""
        ...

    def runs(self, limit: int = 50) -> list[dict[str, object]]:
        """Runs, newest first.

        Keys: run_id, stage, day, verdict (``running`` while unfinished), started, finished,
        error.
        """
        ...


class MarketStore(Protocol):
    """What stages 01 to 03 derive from the market."""

    def save_iv(self, rows: pd.DataFrame, method: str) -> int:
        """Store ``IV_SUMMARY`` rows of whole days in place of the stored rows of these days."""
        ...

    def iv_history(
        self, last: date, *, first: date | None = None, columns: Sequence[str] = ()
    ) -> pd.DataFrame:
        """``IV_SUMMARY`` columns, or those named, and ``method``.

        Rows up to ``last`` inclusive, none later, by symbol and day.
        """
        ...

    def save_ranks(self, rows: Iterable[IvRank]) -> int:
        """Store ranks of whole days in place of the stored ranks of these days."""
        ...

    def ranks(self, day: date) -> dict[str, IvRank]:
        """Ranks of a day by symbol."""
        ...

    def rank_history(self, symbol: str, last: date, *, first: date | None = None) -> list[IvRank]:
        """Ranks of a symbol up to ``last`` inclusive, oldest first."""
        ...

    def save_views(self, rows: Iterable[MarketView]) -> int:
        """Upsert views by symbol and day."""
        ...

    def save_proposals(
        self,
        run_id: str,
        rows: Sequence[Proposal],
        outcomes: Sequence[Outcome],
        fronts: Sequence[FrontRow] = (),
    ) -> SavedProposals:
        """Store proposals, how every structure ended in the run, and the fronts of its symbols.

        A strategy that is stored with other figures becomes a new version; the former stays.
        """
        ...

    def proposals(self, day: date) -> list[Proposal]:
        """Proposals of the day's latest finished creation run, best score first."""
        ...

    def proposal(self, strategy_id: str, version: int | None = None) -> Proposal:
        """One proposal, by default its newest version.

        ``StoreError`` naming the id when this market does not have it.
        """
        ...

    def outcomes(self, day: date, symbol: str = "") -> list[Outcome]:
        """Outcomes of the day's latest finished creation run, of one symbol or of all."""
        ...

    def fronts(self, day: date, symbol: str = "") -> list[FrontRow]:
        """Pareto fronts of that run, highest expected value of a symbol first."""
        ...

    def save_allocation(self, run_id: str, plan: AllocationPlan) -> None:
        """Store a plan; the latest of the day is the current one."""
        ...

    def allocation(self, day: date) -> AllocationPlan | None:
        """Current plan of the account for the day."""
        ...

    def mark(self, rows: Sequence[MarkRow]) -> int:
        """Mark strategies for execution; marking twice changes nothing. Returns new marks."""
        ...

    def unmark(self, strategy_ids: Sequence[str]) -> int:
        """Remove marks that were not executed yet. Returns how many."""
        ...

    def marks(self, day: date) -> list[MarkRow]:
        """Marks of a day by priority."""
        ...


class TradingStore(Protocol):
    """Intents, orders, fills; only ``trading/`` writes them."""

    def record_intents(self, rows: Sequence[OrderIntent]) -> int:
        """Record intents, all or none; a recorded one is not changed. Returns how many are new."""
        ...

    def intents(
        self,
        *,
        states: Collection[IntentState] | None = None,
        intent_id: str | None = None,
        position_id: str | None = None,
        correlation_ids: Collection[str] | None = None,
        day: date | None = None,
    ) -> list[OrderIntent]:
        """Intents in the order in which they are sent; ``day`` is the day they were created."""
        ...

    def move_intent(
        self,
        correlation_id: str,
        *,
        expected: Collection[IntentState],
        to: IntentState,
        at: datetime,
        note: str = "",
        lease: str | None = None,
    ) -> bool:
        """Change the state of an intent if it is now one of ``expected``.

        With ``lease``, only if that token still holds the send lock. ``False`` when nothing was
        changed.
        """
        ...

    def close_groups(self, intent_ids: Collection[str], counted: tuple[int, int]) -> bool:
        """Exclude these groups from ``open_record`` until their position has a new fill.

        Parameters
        ----------
        counted : tuple of int
            ``change_count`` of the record that was judged. Where it is another by now nothing is
            closed, and the answer is ``False``.
        """
        ...

    def open_record(self) -> OpenRecord:
        """Read what is open. The cost does not grow with the number of closed records."""
        ...

    def change_count(self) -> tuple[int, int]:
        """Two counters; at least one differs after ``open_record`` may have changed."""
        ...

    def take_lease(self, token: str, pid: int) -> None:
        """Record the holder of the send lock."""
        ...

    def record_order(self, order: Order) -> None:
        """Upsert an order as the broker reports it; a terminal state never goes back."""
        ...

    def record_orders(self, rows: Iterable[Order]) -> None:
        """Upsert several orders, all or none."""
        ...

    def count_orders(self, day: date) -> int:
        """Number of orders whose last change was on a day."""
        ...

    def orders(self, *, position_id: str | None = None, since: date | None = None) -> list[Order]:
        """Known orders; ``since`` leaves out those that did not change on or after a day."""
        ...

    def record_fills(self, rows: Iterable[Fill]) -> int:
        """Insert each fill once by id and update its position. Returns how many are new."""
        ...

    def record_purchase(self, intent: OrderIntent, purchase: Fill) -> bool:
        """Record a purchase of lacking shares with its intent, both or none, once by its id.

        Returns
        -------
        bool
            Whether it is new.

        Raises
        ------
        StoreError
            When its leg owes fewer shares by now; nothing is recorded.
        """
        ...

    def fills(self, *, position_id: str | None = None) -> list[Fill]:
        """Fills in time order."""
        ...

    def record_adjustments(self, rows: Sequence[LegAdjustment], at: datetime) -> int:
        """Record each adjustment once and update its position. Returns how many positions."""
        ...

    def adjustments(self, *, position_id: str | None = None) -> list[LegAdjustment]:
        """Recorded adjustments, oldest first."""
        ...

    def positions(self, *, open_only: bool = True) -> list[Position]:
        """Positions, oldest first."""
        ...

    def position(self, position_id: str) -> Position:
        """One position; ``StoreError`` naming the id and the open ones when there is none."""
        ...

    def audit_positions(self) -> list[str]:
        """Replay fills and adjustments, compare with the positions. Returns the ids that differ."""
        ...

    def rebuild_positions(self, position_ids: Collection[str]) -> None:
        """Recompute these stored positions from their fills."""
        ...


class WatchStore(Protocol):
    """Records that the page and the watcher exchange."""

    def add_request(self, request: ExitRequest) -> tuple[ExitRequest, bool]:
        """Store a request unless the same (position, revision, target) exists.

        Returns
        -------
        tuple
            The stored request, and whether it is new.
        """
        ...

    def requests(self, *, states: Collection[RequestState] | None = None) -> list[ExitRequest]:
        """Requests, oldest first."""
        ...

    def settle_request(self, request_id: str, state: RequestState, note: str) -> None:
        """Record the state of a request."""
        ...

    def record_cycle(
        self,
        decisions: Mapping[str, Sequence[ExitDecision]],
        peaks: Mapping[str, int],
        heartbeat: Heartbeat,
    ) -> None:
        """Store the results of one cycle of the watcher, in one transaction.

        Parameters
        ----------
        decisions : mapping of str to sequence of ExitDecision
            By position; the latest of each rule is stored, and each firing is logged.
        peaks : mapping of str to int
            Highest P&L seen (paise) by position; a lower one is ignored.
        """
        ...

    def decisions(self, position_id: str) -> list[ExitDecision]:
        """Latest decision of each rule."""
        ...

    def peaks(self) -> dict[str, int]:
        """Highest P&L seen by position."""
        ...

    def beat(self, heartbeat: Heartbeat) -> None:
        """Store a heartbeat."""
        ...

    def heartbeat(self) -> Heartbeat | None:
        """Last heartbeat."""
        ...

    def add_alert(self, alert: Alert) -> None:
        """Store an alert."""
        ...

    def alerts(self, limit: int = 50) -> list[Alert]:
        """Alerts, newest first."""
        ...

    def kill_switch(self) -> KillSwitch:
        """State of the kill switch."""
        ...

    def set_kill_switch(self, switch: KillSwitch) -> None:
        """Engage or release the kill switch."""
        ...

    def replay_time(self) -> datetime | None:
        """Time of the account's replay clock; ``None`` when it was never set."""
        ...

    def set_replay_time(self, at: datetime) -> None:
        """Set the account's replay clock."""
        ...


class Store(RunStore, MarketStore, TradingStore, WatchStore, Protocol):
    """The whole store, for exactly one market and account."""

    market: str
    account: str

    def close(self) -> None:
        """Release the file."""
        ...
