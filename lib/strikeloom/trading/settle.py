"""Book settlements on the positions that held a contract. Sends nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from strikeloom.domain.instruments import Contract, Instrument, InstrumentKind, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, FillKind, IntentState, OrderIntent, Purpose
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position
from strikeloom.nse.charges import depository_charge, settlement_charges
from strikeloom.nse.edges import ending
from strikeloom.nse.settlement import Delivery, deliveries, settled_value
from strikeloom.ports.desk import Desk
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert
from strikeloom.trading.delivered_shares import (
    Holding,
    ShareBook,
    ShareBooking,
    bought_in,
    delivered_parts,
    delivery_alert,
    delivery_fill,
    leaves_the_account,
    reported_charges,
    with_charges,
)
from strikeloom.trading.final_values import FinalValue, final_values, reported_fill
from strikeloom.trading.intents import correlation, intent_name


@dataclass(frozen=True, slots=True)
class Settlement:
    """Settlement of one leg: the records to write, and alerts to send."""

    intent: OrderIntent
    fill: Fill
    alerts: tuple[tuple[str, str], ...] = ()


def book_settlements(desk: Desk, state: AccountState, fills: Iterable[Fill]) -> int:
    """Record the settlements of the account. Returns how many fills were booked."""
    reported = desk.broker.reports_settlements
    unbooked = _without_booked(desk, state, list(fills))
    found = list(settlements(state, unbooked, desk.feed.settlement, reported=reported))
    if not found:
        return 0
    desk.store.record_intents([settlement.intent for settlement in found])
    for settlement in found:
        for level, text in settlement.alerts:
            alert(desk, level, text)
    # in one transaction: holdings of a contract that were left over would look like a net holding
    return desk.store.record_fills([settlement.fill for settlement in found])


def _without_booked(desk: Desk, state: AccountState, fills: list[Fill]) -> list[Fill]:
    """Fills without the purchases of lacking shares that were booked before.

    A leg that is still short then waits for a later one; other settlements close their legs.
    """
    owing = [name for name, it in state.positions.items() if any(leg.is_owed for leg in it.legs)]
    if not owing or not any(fill.kind == FillKind.BUY_IN for fill in fills):
        return fills
    booked = {fill.fill_id for name in owing for fill in desk.store.fills(position_id=name)}
    return [
        fill
        for fill in fills
        if fill.kind != FillKind.BUY_IN
        or not any(it.startswith(f"{fill.fill_id}-") for it in booked)
    ]


def settlements(
    state: AccountState, fills: Iterable[Fill], final_value: FinalValue, *, reported: bool
) -> Iterator[Settlement]:
    """Settlements that the broker reports, and those that follow from a contract's last day.

    The broker settles an account's net holding of a contract; our positions on
    either side of it each settle at the same value. Those on the net side bear the charges.
    Stock contracts of one underlying and expiry net off; they settle together, once all their
    trades and the final value are known. The shares of what does not net off are booked beside
    them, at the final value.

    Parameters
    ----------
    final_value : callable
        Settlement value of an underlying in paise, by symbol and day; ``None`` until known.
    reported : bool
        The broker reports its settlements.
    """
    known = sorted((fill for fill in fills if fill.kind != FillKind.TRADE), key=lambda it: it.at)
    by_contract: dict[str, list[Fill]] = defaultdict(list)
    for fill in known:
        if fill.kind == FillKind.SETTLEMENT:
            by_contract[fill.instrument_key].append(fill)
    held = _held(state)
    finals = final_values(state.at, held, final_value, by_contract)
    netted = _deliveries(held, finals)
    delivered: Counter[Contract] = Counter()
    for delivery in netted.values():
        delivered.update(delivery.units)
    ready: list[tuple[Contract, date, list[Holding], Fill]] = []
    waiting: set[tuple[str, date]] = set()
    for (contract, last), holdings in held.items():
        found = reported_fill(by_contract, contract, last)
        net = sum(leg.net_units for _, leg in holdings)
        if found is None and (not net or not reported) and state.at >= ending(last):
            found = _derived(contract, net, last, final_value, delivered[contract])
        if found is None or any(_lacks_trades(state, *holding) for holding in holdings):
            if contract.kind is InstrumentKind.STOCK:
                waiting.add((contract.symbol, last))
            continue
        ready.append((contract, last, holdings, found))
    ready = [it for it in ready if (it[0].symbol, it[1]) not in waiting]
    for contract, _, holdings, fill in ready:
        yield from _of_contract(contract, holdings, fill)
    yield from _of_shares(state, ready, netted, finals, known)
    for booking in bought_in(state.positions.values(), known):
        yield _of_share(booking)


def _of_contract(
    contract: Contract, holdings: Sequence[Holding], fill: Fill
) -> Iterator[Settlement]:
    """Settlement of each holding of a contract; those on the net side bear its charges."""
    sign = -1 if sum(leg.net_units for _, leg in holdings) < 0 else 1
    charged = sum(max(0, sign * leg.net_units) for _, leg in holdings)
    counted = paid = 0
    for position, leg in holdings:
        counted += max(0, sign * leg.net_units)
        # so that the shares add up to the whole, to the paisa
        charges = fill.charges * counted // charged - paid
        paid += charges
        yield _settlement(position, leg, contract, fill, charges)


def _of_shares(
    state: AccountState,
    ready: Sequence[tuple[Contract, date, list[Holding], Fill]],
    netted: Mapping[tuple[str, date], Delivery],
    finals: Mapping[tuple[str, date], int],
    known: Sequence[Fill],
) -> Iterator[Settlement]:
    """Shares of the deliveries in which the contracts that settle now end."""
    groups: dict[tuple[str, date], dict[Contract, list[Holding]]] = defaultdict(dict)
    last_days: dict[tuple[str, date], date] = {}
    for contract, last, holdings, _ in ready:
        of = contract.symbol, contract.expiry
        groups[of][contract] = holdings
        last_days[of] = last
    book = ShareBook(state.positions.values())
    for of, held in groups.items():
        delivery, last = netted.get(of), last_days[of]
        if delivery is None:
            continue
        symbol, final = of[0], finals[of[0], last]
        parts = delivered_parts(delivery, held, final)
        bookings = book.book(symbol, parts, delivery_fill(*of, final, ending(last)))
        charges = reported_charges(known, symbol, last)
        if charges is None:
            charges = depository_charge(last) if leaves_the_account(bookings) else 0
        for number, booking in enumerate(with_charges(bookings, charges)):
            alerts = () if number else (delivery_alert(delivery, bookings, parts),)
            yield replace(_of_share(booking), alerts=alerts)


def _of_share(booking: ShareBooking) -> Settlement:
    side = Side.BUY if booking.units > 0 else Side.SELL
    leg, units = (booking.leg, booking.share), abs(booking.units)
    return booked_on(booking.position, *leg, side, units, booking.fill, booking.why)


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
    held: Mapping[tuple[Contract, date], list[Holding]], finals: Mapping[tuple[str, date], int]
) -> dict[tuple[str, date], Delivery]:
    """Deliveries of the stock contracts that have ended, by underlying and expiry."""
    nets: Counter[Contract] = Counter()
    values: dict[tuple[str, date], int] = {}
    for (contract, last), holdings in held.items():
        final = finals.get((contract.symbol, last))
        if contract.kind is InstrumentKind.STOCK and final is not None:
            values[contract.symbol, contract.expiry] = final
            nets[contract] += sum(leg.net_units for _, leg in holdings)
    return {(it.symbol, it.expiry): it for it in deliveries(nets, values)}


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
        kind=FillKind.SETTLEMENT,
    )


def _settlement(
    position: Position, leg: PositionLeg, contract: Contract, fill: Fill, charges: int
) -> Settlement:
    day = fill.at.date()
    early = "" if day == contract.expiry else f" on {day}, the series' last day"
    why = f"settled{early}" if early else f"settled at expiry {contract.expiry}"
    side = Side.SELL if leg.net_units > 0 else Side.BUY
    of = replace(fill, charges=charges)
    booked = booked_on(position, leg.leg, leg.instrument, side, abs(leg.net_units), of, why)
    if not early:
        return booked
    text = (
        f"{position.position_id}: {contract.label} was settled{early}, before its expiry "
        f"{contract.expiry}; the exchange ended it early"
    )
    return replace(booked, alerts=(("warning", text),))


def booked_on(
    position: Position, leg: int, of: Instrument, side: Side, units: int, fill: Fill, why: str
) -> Settlement:
    """Intent and fill of a settlement on a leg; named the same however often it is found."""
    name = intent_name(position.account, position.market, position.position_id, fill.fill_id)
    intent = OrderIntent(
        account=position.account,
        market=position.market,
        correlation_id=correlation(name, leg, 0, 1),
        intent_id=name,
        position_id=position.position_id,
        purpose=Purpose.SETTLEMENT,
        leg=leg,
        slice=0,
        attempt=1,
        instrument=of,
        side=side,
        units=units,
        limit=fill.price,
        priority=0,
        why=why,
        created_at=fill.at,
        state=IntentState.FILLED,
    )
    booked = replace(
        fill,
        fill_id=f"{fill.fill_id}-{position.position_id}-{leg}",
        correlation_id=intent.correlation_id,
        side=side,
        units=units,
    )
    return Settlement(intent, booked)
