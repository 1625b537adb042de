"""Book settlements on the positions that held a contract. Sends nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from strikeloom.domain.instruments import Contract, InstrumentKind, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, IntentState, OrderIntent, Purpose
from strikeloom.domain.positions import Position, PositionLeg
from strikeloom.nse.charges import settlement_charges
from strikeloom.nse.edges import ending
from strikeloom.nse.settlement import Delivery, deliveries, settled_value
from strikeloom.ports.desk import Desk
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert
from strikeloom.trading.intents import correlation, intent_name

Holding = tuple[Position, PositionLeg]
FinalValue = Callable[[str, date], int | None]


@dataclass(frozen=True, slots=True)
class Settlement:
    """Settlement of one leg: the records to write, and alerts to send."""

    intent: OrderIntent
    fill: Fill
    alerts: tuple[tuple[str, str], ...] = ()


def book_settlements(desk: Desk, state: AccountState, fills: Iterable[Fill]) -> int:
    """Record the settlements of the account. Returns how many fills were booked."""
    reported = desk.broker.reports_settlements
    found = list(settlements(state, fills, desk.feed.settlement, reported=reported))
    if not found:
        return 0
    desk.store.record_intents([settlement.intent for settlement in found])
    for settlement in found:
        for level, text in settlement.alerts:
            alert(desk, level, text)
    # in one transaction: holdings of a contract that were left over would look like a net holding
    return desk.store.record_fills([settlement.fill for settlement in found])


def settlements(
    state: AccountState, fills: Iterable[Fill], final_value: FinalValue, *, reported: bool
) -> Iterator[Settlement]:
    """Settlements that the broker reports, and those that follow from a contract's last day.

    The broker settles an account's net holding of a contract; our positions on
    either side of it each settle at the same value. Those on the net side bear the charges.
    Stock options of one underlying and expiry net off; where the broker does not report them they
    settle together, once all their trades are known.

    Parameters
    ----------
    final_value : callable
        Settlement value of an underlying in paise, by symbol and day; ``None`` until known.
    reported : bool
        The broker reports its settlements.
    """
    by_contract: dict[str, list[Fill]] = defaultdict(list)
    for fill in sorted((f for f in fills if f.kind == "settlement"), key=lambda it: it.at):
        by_contract[fill.instrument_key].append(fill)
    held = _held(state)
    netted = _deliveries(state, held, final_value)
    delivered: Counter[Contract] = Counter()
    for delivery in netted.values():
        delivered.update(delivery.units)
    ready: list[tuple[Contract, date, list[Holding], Fill]] = []
    waiting: set[tuple[str, date]] = set()
    for (contract, last), holdings in held.items():
        # a later series may have the same name: its settlement is not that of this series
        own = [fill for fill in by_contract[contract.key] if fill.at.date() >= last]
        net = sum(leg.net_units for _, leg in holdings)
        if own:
            ended: Fill | None = own[0]
        elif (net and reported) or state.at < ending(last):
            ended = None
        else:
            ended = _derived(contract, net, last, final_value, delivered[contract])
        if ended is None or any(_lacks_trades(state, *holding) for holding in holdings):
            if contract.kind is InstrumentKind.STOCK and not reported:
                waiting.add((contract.symbol, last))
            continue
        ready.append((contract, last, holdings, ended))
    for contract, last, holdings, ended in ready:
        of = contract.symbol, contract.expiry
        if (contract.symbol, last) in waiting:
            continue
        sign = -1 if sum(leg.net_units for _, leg in holdings) < 0 else 1
        charged = sum(max(0, sign * leg.net_units) for _, leg in holdings)
        counted = paid = 0
        for position, leg in holdings:
            counted += max(0, sign * leg.net_units)
            # so that the shares add up to the whole, to the paisa
            charges = ended.charges * counted // charged - paid
            paid += charges
            yield _settlement(position, leg, contract, ended, charges, netted.pop(of, None))


def _held(state: AccountState) -> dict[tuple[Contract, date], list[Holding]]:
    """Open legs by contract and last day."""
    held: dict[tuple[Contract, date], list[Holding]] = defaultdict(list)
    for position in state.positions.values():
        for leg in position.legs:
            if leg.net_units and not isinstance(leg.instrument, Share):
                last = state.last_days[position.position_id, leg.leg]
                held[leg.instrument, last].append((position, leg))
    return held


def _deliveries(
    state: AccountState, held: dict[tuple[Contract, date], list[Holding]], final_value: FinalValue
) -> dict[tuple[str, date], Delivery]:
    """Deliveries of the stock contracts that have ended, by underlying and expiry."""
    nets: Counter[Contract] = Counter()
    finals: dict[tuple[str, date], int] = {}
    for (contract, last), holdings in held.items():
        if contract.kind is not InstrumentKind.STOCK or state.at < ending(last):
            continue
        final = final_value(contract.symbol, last)
        if final is not None:
            finals[contract.symbol, contract.expiry] = final
            nets[contract] += sum(leg.net_units for _, leg in holdings)
    return {(it.symbol, it.expiry): it for it in deliveries(nets, finals)}


def _lacks_trades(state: AccountState, position: Position, leg: PositionLeg) -> bool:
    """Whether the order book names more filled units of this leg than its trades reported so far.

    What the leg really held would then settle wrongly.
    """
    for intent in state.intents():
        if (intent.position_id, intent.leg) == (position.position_id, leg.leg):
            name = intent.correlation_id
            filled = sum(order.filled_units for order in state.orders_of(name))
            if filled > state.filled.get(name, 0):
                return True
    return False


def _derived(
    contract: Contract, net: int, last: date, final_value: FinalValue, delivered: int
) -> Fill | None:
    """Settlement that the broker does not report; ``None`` until the final value is known.

    For a contract in which our positions offset each other, and for any contract at a broker
    that reports no settlements: a contract that has ended can only have settled.
    """
    final = final_value(contract.symbol, last)
    if final is None:
        return None
    value = settled_value(contract, final)
    charges = settlement_charges(contract, net, value, last, delivered).total
    return Fill(
        fill_id=f"NET-{contract.key}",
        order_id="",
        correlation_id="",
        instrument_key=contract.key,
        side=Side.BUY,
        units=1,
        price=value,
        charges=charges,
        at=ending(last),
        kind="settlement",
    )


def _settlement(
    position: Position,
    leg: PositionLeg,
    contract: Contract,
    fill: Fill,
    charges: int,
    delivery: Delivery | None,
) -> Settlement:
    day = fill.at.date()
    early = "" if day == contract.expiry else f" on {day}, the series' last day"
    name = intent_name(position.account, position.market, position.position_id, fill.fill_id)
    side = Side.SELL if leg.net_units > 0 else Side.BUY
    intent = OrderIntent(
        account=position.account,
        market=position.market,
        correlation_id=correlation(name, leg.leg, 0, 1),
        intent_id=name,
        position_id=position.position_id,
        purpose=Purpose.SETTLEMENT,
        leg=leg.leg,
        slice=0,
        attempt=1,
        instrument=leg.instrument,
        side=side,
        units=abs(leg.net_units),
        limit=fill.price,
        priority=0,
        why=f"settled at expiry {contract.expiry}" if not early else f"settled{early}",
        created_at=fill.at,
        state=IntentState.FILLED,
    )
    alerts = []
    if early:
        alerts.append(
            (
                "warning",
                f"{position.position_id}: {contract.label} was settled{early}, before its expiry "
                f"{contract.expiry}; the exchange ended it early",
            )
        )
    if delivery is not None:
        alerts.append(
            (
                "critical",
                f"{contract.symbol} {contract.expiry}: ended in a delivery of "
                f"{abs(delivery.shares)} shares; {delivery.sentence()}. Booked here at cash value",
            )
        )
    booked = replace(
        fill,
        fill_id=f"{fill.fill_id}-{position.position_id}-{leg.leg}",
        correlation_id=intent.correlation_id,
        side=side,
        units=intent.units,
        charges=charges,
    )
    return Settlement(intent, booked, tuple(alerts))
