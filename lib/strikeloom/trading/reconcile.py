"""Compare our record with the broker's and bring ours up to it. Never sends anything."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from strikeloom.domain.instruments import parse_key
from strikeloom.domain.orders import (
    IntentState,
    Order,
    OrderIntent,
    OrderState,
)
from strikeloom.errors import BrokerError
from strikeloom.nse.sessions import session
from strikeloom.ports.desk import Desk
from strikeloom.trading.settle import settle
from strikeloom.trading.tell import tell

_WATCHED = frozenset({IntentState.SENDING, IntentState.WORKING, IntentState.UNKNOWN})
_LOOKED_BACK = timedelta(days=7)


@dataclass
class ReconcileReport:
    """What reconciliation found.

    Attributes
    ----------
    in_doubt : list of str
        Correlation ids the broker is silent about.
    differences : list of str
        Contracts whose net units differ from the broker's, in words.
    gaps : dict of str to int
        By contract, the broker's net units less ours where they differ.
    strays : list of str
        Order ids that live at the broker although their intent was over: they came late.
    """

    new_fills: int = 0
    in_doubt: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    gaps: dict[str, int] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)


def reconcile(desk: Desk) -> ReconcileReport:
    """Read the broker's orders, fills and positions, and record them.

    Raises
    ------
    BrokerError
        When the broker cannot be read; nothing was changed.
    """
    orders, fills = desk.broker.orders(), desk.broker.fills()
    held = {p.contract_key: p.net_units for p in desk.broker.positions()}
    known = {intent.correlation_id: intent for intent in desk.store.intents()}
    overdue = _overdue(desk, known, held)
    if overdue:
        fills = fills + desk.broker.earlier_fills(overdue)
    report = ReconcileReport()
    by_name: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_name[order.correlation_id].append(order)
        if order.correlation_id in known:
            desk.store.record_order(order)
    ours = [fill for fill in fills if fill.correlation_id in known]
    report.new_fills = desk.store.record_fills(ours)
    report.new_fills += settle(desk, fills)
    traded: dict[str, int] = defaultdict(int)
    for fill in ours:
        traded[fill.correlation_id] += fill.units
    for intent in known.values():
        if intent.state in _WATCHED:
            _update(desk, intent, by_name[intent.correlation_id], traded, report)
        elif intent.state in (IntentState.ENDED, IntentState.REFUSED):
            report.strays += [
                o.order_id for o in by_name[intent.correlation_id] if not o.state.terminal
            ]
    _compare(desk, held, report)
    return report


def _overdue(desk: Desk, known: dict[str, OrderIntent], held: dict[str, int]) -> list[Order]:
    """Orders of earlier days whose end we have not seen: the day's book is of today alone.

    Where positions differ also those that ended with units left: what they traded may have been
    told after we last looked.
    """
    if desk.broker.book_is_complete:
        return []
    today = desk.clock.now().date()
    differ = _gaps(desk, held)
    return [
        order
        for order in desk.store.orders()
        if order.updated_at.date() < today
        and (
            known[order.correlation_id].state in _WATCHED
            or (
                order.contract_key in differ
                and order.filled_units < order.units
                and today - order.updated_at.date() <= _LOOKED_BACK
            )
        )
    ]


def _update(
    desk: Desk,
    intent: OrderIntent,
    orders: list[Order],
    traded: dict[str, int],
    report: ReconcileReport,
) -> None:
    name = intent.correlation_id
    if not orders and traded[name] >= intent.units:
        _move(desk, intent, IntentState.FILLED, "")
        return
    if not orders:
        _absent(desk, intent, traded[name], report)
        return
    if len(orders) > 1:
        tell(desk, "critical", f"{name} stands {len(orders)} times in the order book")
    filled = traded[name]
    if filled >= intent.units:
        _move(desk, intent, IntentState.FILLED, "")
    elif all(order.state.terminal for order in orders):
        done = sum(order.filled_units for order in orders)
        if done > filled:
            return  # the book is ahead of the trade list; the fills will come
        rejected = orders[-1].state is OrderState.REJECTED and not filled
        state = IntentState.REFUSED if rejected else IntentState.ENDED
        _move(desk, intent, state, orders[-1].reason)
    elif intent.state is not IntentState.WORKING:
        _move(desk, intent, IntentState.WORKING, "found in the order book")


def _absent(desk: Desk, intent: OrderIntent, traded: int, report: ReconcileReport) -> None:
    """Not found is not absence: it takes a complete book, or silence for the stated wait."""
    name = intent.correlation_id
    waited = (desk.clock.now() - desk.store.changed_at(name)).total_seconds()
    # a request on its way travels in real time, however fast the desk's clock runs
    wait = desk.settings.execution.unknown_wait_seconds * max(1.0, desk.clock.speed)
    patient = desk.broker.book_is_complete or waited >= wait
    accepted = any(order.correlation_id == name for order in desk.store.orders())
    over = accepted and intent.created_at.date() < desk.clock.now().date()
    partly = traded and not over  # it traded, so it is there; unless its day is behind us
    if not patient or partly or intent.state is IntentState.WORKING or _answered(desk, name):
        if intent.state is not IntentState.UNKNOWN:
            _move(desk, intent, IntentState.UNKNOWN, "not in the order book")
            tell(desk, "critical", f"{name} is in doubt: the broker does not name it")
        report.in_doubt.append(name)
        return
    if not desk.broker.book_is_complete and not _agrees(desk, intent):
        report.in_doubt.append(name)
        return
    end = "ended with its day" if accepted else "never reached the broker"
    _move(desk, intent, IntentState.ENDED, end)
    tell(desk, "warning", f"{name} {end}: not in book, trades or positions")
    report.lost.append(name)


def _answered(desk: Desk, name: str) -> bool:
    """Whether the broker gave the order a number today: then it is there, shown or not."""
    today = desk.clock.now().date()
    known = (order for order in desk.store.orders() if order.correlation_id == name)
    return any(not o.state.terminal and o.updated_at.date() == today for o in known)


def _agrees(desk: Desk, intent: OrderIntent) -> bool:
    """Whether the broker's position in the contract is what our fills say without the order."""
    held = {p.contract_key: p.net_units for p in desk.broker.positions()}
    key = intent.contract.key
    return held.get(key, 0) == _net(desk).get(key, 0)


def _net(desk: Desk) -> dict[str, int]:
    net: dict[str, int] = defaultdict(int)
    for position in desk.store.positions():
        for leg in position.legs:
            net[leg.contract.key] += leg.net_units
    return {key: units for key, units in net.items() if units}


def _gaps(desk: Desk, held: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Contracts whose net units differ: ours and the broker's."""
    ours = _net(desk)
    return {
        key: (ours.get(key, 0), held.get(key, 0))
        for key in sorted(set(ours) | set(held))
        # what expired goes from the broker's list and from ours at different moments
        if (desk.broker.reports_settlements or not _expired(desk, key))
        and ours.get(key, 0) != held.get(key, 0)
    }


def _compare(desk: Desk, held: dict[str, int], report: ReconcileReport) -> None:
    for key, (ours, theirs) in _gaps(desk, held).items():
        report.gaps[key] = theirs - ours
        report.differences.append(f"{key}: {ours} units here, {theirs} at the broker")
    for text in report.differences:
        tell(desk, "critical", f"positions differ. {text}; no exit trades what only one side holds")


def _expired(desk: Desk, key: str) -> bool:
    """Whether the contract is past the close of its last day."""
    symbol, expiry, *_ = parse_key(key)
    now = desk.clock.now()
    return now >= session(desk.feed.last_day(symbol, expiry, now.date())).close


def _move(desk: Desk, intent: OrderIntent, to: IntentState, note: str) -> None:
    desk.store.move_intent(
        intent.correlation_id, expected=_WATCHED, to=to, note=note, at=desk.clock.now()
    )


def resolve_unknown(
    desk: Desk, correlation_id: str, *, arrived: bool, who: str, number: str = ""
) -> None:
    """Record a person's word on an order in doubt.

    ``arrived`` false ends the intent as never placed; true makes it WORKING, to be matched
    with the order book again. Once its day is over what it traded is found by ``number`` alone,
    the broker's of the order.

    Raises
    ------
    BrokerError
        When the order is not in doubt, or the number is of another order.
    """
    if number and any(order.order_id == number for order in desk.store.orders()):
        raise BrokerError(f"order number {number} is on record already", order_id=number)
    doubtful = [
        intent
        for intent in desk.store.intents(states={IntentState.UNKNOWN})
        if intent.correlation_id == correlation_id
    ]
    to = IntentState.WORKING if arrived else IntentState.ENDED
    moved = desk.store.move_intent(
        correlation_id,
        expected={IntentState.UNKNOWN},
        to=to,
        note=f"{who} says it {'arrived' if arrived else 'never arrived'}",
        at=desk.clock.now(),
    )
    if not moved:
        raise BrokerError(
            f"{correlation_id} is not unresolved; strikeloom orders --unresolved lists what is"
        )
    for intent in doubtful if arrived and number else ():
        desk.store.record_order(
            Order(
                number, correlation_id, intent.contract.key, intent.side, intent.units, 0,
                intent.limit, OrderState.UNKNOWN, "", intent.created_at,
            )
        )  # fmt: skip
