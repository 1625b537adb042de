"""Whether an account adds up: computed again from its trades, and adjustments of contracts."""

from __future__ import annotations

from collections import Counter, defaultdict

from strikeloom.domain.instruments import FutureContract
from strikeloom.domain.orders import OrderState
from strikeloom.errors import StoreError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.records import ENTRY, ConditionalKind
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.trade import Trade


def audit(account: Account) -> None:
    """Compare orders, positions and money with the trades, to the paisa.

    Raises
    ------
    StoreError
        Names the first figure that differs, as stored and as computed.
    """
    with account.transaction():
        orders, trades = account.orders.all(), account.ledger.trades()
        _money(account, trades)
        _orders(orders, trades)
        _positions(account, trades)
        mirror, kept = list(account.book), [o for o in orders if not o.state.terminal]
        _same("open orders", mirror, kept)
        _conditional(account, orders)


def _conditional(account: Account, orders: list[BookOrder]) -> None:
    """Active conditional orders as mirrored, exits within their entries, one order of two."""
    placed: dict[int, list[BookOrder]] = defaultdict(list)
    for order in orders:
        if order.conditional:
            placed[order.conditional].append(order)
    active = account.active
    for kind in ConditionalKind:
        for item in account.conditional.all(kind):
            mine, name = placed.pop(item.number, []), f"{kind} order {item.number}"
            if item.active:
                _same(f"{name} mirrored", active.get(item.number), item)
                _same(f"{name}'s orders", active.placed_by(item.number), mine)
            if kind is ConditionalKind.SUPER:
                entered = sum(order.filled for order in mine if order.leg == ENTRY)
                exited = sum(o.filled + o.remaining for o in mine if o.leg != ENTRY)
                _same(f"{name} exited beyond its entry", max(0, exited - entered), 0)
            if kind is ConditionalKind.FOREVER:
                _same(f"{name}'s orders beyond one", max(0, len(mine) - 1), 0)
    _same("orders of unknown conditional orders", set(placed), set())


def _same(what: str, kept: object, computed: object) -> None:
    if kept != computed:
        raise StoreError(
            f"the account does not add up: {what} kept as {kept}, from its trades {computed}; "
            "keep the file and start another account",
            what=what,
        )


def _money(account: Account, trades: list[Trade]) -> None:
    settled = account.variation.total()
    moved = settled + sum(trade.cash for trade in trades)
    _same("cash", account.money.cash, account.ledger.start_cash() + moved)
    futures = [p for p in account.ledger.positions() if isinstance(p.instrument, FutureContract)]
    flow = sum(trade.flow for trade in trades if isinstance(trade.instrument, FutureContract))
    # what futures were settled for is what their trades made, and where they stand now
    stand = sum(p.unsettled for p in futures) + account.ledger.lowered()
    _same("settlements of futures", settled, flow + stand)


def _orders(orders: list[BookOrder], trades: list[Trade]) -> None:
    units: Counter[int] = Counter()
    value: Counter[int] = Counter()
    for trade in trades:
        if trade.order_number:
            units[trade.order_number] += trade.units
            value[trade.order_number] += trade.units * trade.price
    for order in orders:
        name = f"order {order.order_id}"
        _same(f"{name} filled", order.filled, units[order.number])
        _same(f"{name} value", order.filled_value, value[order.number])
        _same(f"{name} done", order.state is OrderState.TRADED, order.filled == order.units)
    _same("orders with trades", set(units) - {order.number for order in orders}, set())


def _positions(account: Account, trades: list[Trade]) -> None:
    """Units by contract, and that realised profit and open cost make up all the cash."""
    net: Counter[str] = Counter()
    flow = account.ledger.lowered()
    for trade in trades:
        net[trade.instrument.key] += int(trade.side) * trade.units
        flow += trade.flow
    for key, units in account.ledger.adjusted_units():
        net[key] += units
    held: Counter[str] = Counter()
    made = account.money.booked
    for position in account.ledger.positions():
        held[position.instrument.key] += position.net
        made += position.realised - position.cost
    _same("units held", {k: n for k, n in held.items() if n}, {k: n for k, n in net.items() if n})
    _same("profit realised less cost of what is open", made, flow)
