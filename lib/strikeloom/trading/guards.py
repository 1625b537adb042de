"""Guards every order passes before it leaves. Each names its limit and the value met."""

from __future__ import annotations

from datetime import datetime

from strikeloom.domain.money import PAISE_PER_RUPEE, rupees_text
from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.errors import DataError, GuardError, NoQuote
from strikeloom.nse.freeze import freeze_units
from strikeloom.nse.sessions import is_trading_day, session
from strikeloom.ports.desk import Desk, Mode
from strikeloom.trading.fresh import fresh
from strikeloom.trading.remainder import held_free

_LEAST_SPREAD = 100  # paise: a few ticks are a large share of a cheap option
_LEAST_DISTANCE = 500  # paise: a cheap option may move by more than a percentage allows


def check(desk: Desk, intent: OrderIntent) -> None:
    """Let an intent pass, or refuse it.

    Exits and unwinds pass the kill switch and the counters that limit new risk; they must
    reduce what the position holds.

    Raises
    ------
    GuardError
        With the guard's name, its limit and the value.
    """
    _bound(desk, intent)
    _session(desk, intent)
    _form(desk, intent)
    _price(desk, intent)
    if intent.purpose is Purpose.ENTRY:
        _entry(desk, intent)
    else:
        _reduces(desk, intent)


def _refuse(guard: str, text: str, **facts: object) -> GuardError:
    return GuardError(f"{guard}: {text}", guard=guard, **facts)


def _bound(desk: Desk, intent: OrderIntent) -> None:
    if (intent.market, intent.account) != (desk.market, desk.account):
        raise _refuse("account", f"{intent.correlation_id} is of {intent.account}")


def _session(desk: Desk, intent: OrderIntent) -> None:
    now = desk.clock.now()
    if not in_session(now):
        raise _refuse("session", f"the market is closed at {now:%Y-%m-%d %H:%M}")
    if intent.contract.expiry < now.date():
        raise _refuse("expiry", f"{intent.contract.label} has expired")


def in_session(now: datetime) -> bool:
    """Whether orders may leave at this moment."""
    hours = session(now.date())
    return is_trading_day(now.date()) and hours.open <= now <= hours.close


def _form(desk: Desk, intent: OrderIntent) -> None:
    guards, contract = desk.settings.execution.guards, intent.contract
    day = desk.clock.now().date()
    if intent.purpose is Purpose.ENTRY:
        try:
            listed = desk.instruments.contract(contract.key, day)
        except DataError as error:
            raise _refuse("listed", str(error)) from None
        ends = desk.feed.last_day(contract.symbol, contract.expiry, desk.day)
        if day <= ends < contract.expiry:  # past it, the name is of a series listed anew
            raise _refuse("last day", f"{contract.label} ends on {ends}, before its expiry")
        if listed.lot_size != contract.lot_size:
            raise _refuse(
                "lot size",
                f"{contract.label} has lots of {listed.lot_size}, not {contract.lot_size}",
            )
    if intent.units % contract.lot_size:
        raise _refuse("whole lots", f"{intent.units} units of lot {contract.lot_size}")
    lots = intent.units // contract.lot_size
    if lots > guards.max_lots_per_order:
        raise _refuse("lots an order", f"{lots} lots, limit {guards.max_lots_per_order}")
    freeze = freeze_units(contract.symbol, day)
    if freeze is not None and intent.units >= freeze:
        raise _refuse("freeze quantity", f"{intent.units} units, limit below {freeze}")
    if intent.limit <= 0 or intent.limit % contract.tick:
        raise _refuse("tick", f"limit {intent.limit} paise is not on {contract.tick}")
    value, most = intent.units * intent.limit, guards.max_order_value * PAISE_PER_RUPEE
    if value > most:
        raise _refuse("order value", f"{rupees_text(value)}, limit {rupees_text(most)}")


def _price(desk: Desk, intent: OrderIntent) -> None:
    guards = desk.settings.execution.guards
    shown = desk.feed.quotes([intent.contract]).get(intent.contract.key)
    try:
        quote = fresh(desk, intent.contract, shown)
    except NoQuote as error:
        raise _refuse("quote" if shown is None else "quote age", str(error)) from None
    known = [price for price in (quote.bid, quote.ask) if price is not None]
    if not known or (len(known) == 2 and known[0] > known[1]):
        raise _refuse("quote", f"{intent.contract.label} shows no price or a crossed one")
    mid = sum(known) / len(known)
    if intent.purpose is Purpose.ENTRY:
        _spread(guards.max_entry_spread_percent, known, mid)
    far = max(mid * guards.max_price_distance_percent / 100, _LEAST_DISTANCE)
    if abs(intent.limit - mid) > far:
        raise _refuse(
            "price distance",
            f"limit {intent.limit / 100:.2f} is more than "
            f"{guards.max_price_distance_percent:g} % from {mid / 100:.2f}",
        )


def _spread(percent: float, known: list[int], mid: float) -> None:
    if len(known) < 2:
        raise _refuse("spread", "one side of the market shows no price")
    width, most = known[1] - known[0], max(mid * percent / 100, _LEAST_SPREAD)
    if width > most:
        raise _refuse("spread", f"{width / mid:.0%} of the mid, limit {percent:g} %")


def _entry(desk: Desk, intent: OrderIntent) -> None:
    guards = desk.settings.execution.guards
    switch = desk.store.kill_switch()
    if switch.engaged:
        raise _refuse("kill switch", f"entries are blocked: {switch.reason}")
    today = desk.clock.now().date()
    if intent.created_at.date() != today:
        raise _refuse("entry day", f"made for {intent.created_at:%Y-%m-%d}, today is {today}")
    sent = sum(1 for order in desk.store.orders() if order.updated_at.date() == today)
    if sent >= guards.max_orders_per_day:
        raise _refuse("orders a day", f"{sent} today, limit {guards.max_orders_per_day}")
    if desk.mode is Mode.LIVE:
        _live(desk, intent)
    held = {position.position_id for position in desk.store.positions()}
    if intent.position_id not in held and len(held) >= guards.max_open_positions:
        raise _refuse("open positions", f"{len(held)}, limit {guards.max_open_positions}")


def _live(desk: Desk, intent: OrderIntent) -> None:
    """What entries with real money may do on one day; sent ones count, whatever became of them.

    The other legs of the same entry count before they are sent: none is begun that cannot end.
    """
    caps, today = desk.settings.desk.live, desk.clock.now().date()
    value = intent.units * intent.limit
    taken = {order.correlation_id for order in desk.store.orders()}
    sent = [
        other.units * other.limit
        for other in desk.store.intents()
        if other.purpose is Purpose.ENTRY
        and other.created_at.date() == today
        and other.correlation_id != intent.correlation_id
        and (other.state is not IntentState.REFUSED or other.correlation_id in taken)
        and (other.state is not IntentState.NEW or other.intent_id == intent.intent_id)
    ]
    if len(sent) + 1 > caps.max_entry_orders:
        said = f"{len(sent) + 1} with this one, limit {caps.max_entry_orders}"
        raise _refuse("live orders a day", said)
    for name, met, rupees in (
        ("live order value", value, caps.max_entry_value),
        ("live value a day", sum(sent) + value, caps.max_entry_value_per_day),
    ):
        most = rupees * PAISE_PER_RUPEE
        if met > most:
            raise _refuse(name, f"{rupees_text(met)}, limit {rupees_text(most)}")


def _reduces(desk: Desk, intent: OrderIntent) -> None:
    free = held_free(desk, intent)
    if intent.units > free:
        raise _refuse(
            "exits only reduce",
            f"leg {intent.leg} holds {max(0, free)} units that no other order may take, the order "
            f"would {intent.side.word.lower()} {intent.units}",
        )
