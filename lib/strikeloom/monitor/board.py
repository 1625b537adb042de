"""What the page and the terminal show: one row per position, from the store and quote cache.

A board never reads the broker or live quotes: it shows what the watcher last recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import ExitDecision, ExitRequest, MarkedPosition, RequestState
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.monitor.mark import mark_position
from strikeloom.monitor.request import target_after
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Alert, Heartbeat, KillSwitch
from strikeloom.trading.prepare import last_days
from strikeloom.trading.shortages import owed_sentences

SHARES = (25, 50, 75, 100)


@dataclass(frozen=True)
class BoardRow:
    """One position.

    Attributes
    ----------
    nearest : ExitDecision or None
        The rule nearest to firing.
    exits : dict of int to str
        By share in percent: why that share cannot be exited; empty when it can.
    request : ExitRequest or None
        The latest request.
    ended : str
        Why a closed position was exited; empty for an open one.
    """

    marked: MarkedPosition
    nearest: ExitDecision | None
    exits: dict[int, str]
    request: ExitRequest | None
    ended: str = ""


@dataclass(frozen=True)
class Board:
    """Everything that the page shows.

    Attributes
    ----------
    owed : list of str
        Shares lacking for a delivery that the exchange has yet to buy in, one sentence each.
    """

    account: str
    market: str
    at: datetime
    rows: list[BoardRow]
    closed: list[BoardRow]
    heartbeat: Heartbeat | None
    kill_switch: KillSwitch
    alerts: list[Alert]
    owed: list[str]

    @property
    def open_pnl(self) -> int | None:
        """Sum over open positions in paise; ``None`` when one has no price."""
        known = [row.marked.pnl for row in self.rows if row.marked.pnl is not None]
        return sum(known) if len(known) == len(self.rows) else None

    @property
    def closed_pnl(self) -> int:
        """Sum over closed positions in paise."""
        return sum(row.marked.pnl or 0 for row in self.closed)

    @property
    def unpriced(self) -> int:
        """Open positions without a P&L."""
        return sum(row.marked.pnl is None for row in self.rows)


def load_board(desk: Desk) -> Board:
    """Read the board."""
    positions = desk.store.positions(open_only=False)
    contracts = {leg.instrument.key for p in positions for leg in p.legs if leg.net_units}
    snapshot = MarketSnapshot(
        desk.clock.now(),
        desk.quotes.get(contracts) if contracts else {},
        desk.quote_age_seconds,
        desk.mode.value,
        desk.quotes.levels({p.symbol for p in positions if p.is_open}),
    )
    peaks = desk.store.peaks()
    latest = {request.position_id: request for request in desk.store.requests()}
    pending = {
        r.position_id
        for r in latest.values()
        if r.state in (RequestState.PENDING, RequestState.ACCEPTED)
    }
    rows, closed = [], []
    for position in positions:
        name = position.position_id
        ends = last_days(desk, position)
        marked = mark_position(position, snapshot, last_days=ends, peak=peaks.get(name))
        if not position.is_open:
            closed.append(BoardRow(marked, None, {}, latest.get(name), _ended(desk, name)))
            continue
        exits = {}
        for share in SHARES:
            target = target_after(position, share)
            exits[share] = target if isinstance(target, str) else ""
            if name in pending:
                exits[share] = "a request is being worked on"
        decisions = desk.store.decisions(name)
        nearest = decisions[0] if decisions else None
        rows.append(BoardRow(marked, nearest, exits, latest.get(name)))
    return Board(
        account=desk.account,
        market=desk.market,
        at=desk.clock.now(),
        rows=rows,
        closed=closed,
        heartbeat=desk.store.heartbeat(),
        kill_switch=desk.store.kill_switch(),
        alerts=desk.store.alerts(limit=5),
        owed=owed_sentences(desk, positions),
    )


def _ended(desk: Desk, position_id: str) -> str:
    """Reason of the last order that reduced the position."""
    orders = desk.store.intents(position_id=position_id)
    exits = [order for order in orders if order.purpose is not Purpose.ENTRY]
    return max(exits, key=lambda order: order.created_at).why if exits else ""
