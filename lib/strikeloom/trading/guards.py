"""Guards that every order passes before it is sent. A refusal names the limit and the value."""

from __future__ import annotations

from datetime import datetime

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.money import PAISE_PER_RUPEE, rupees_text
from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import DataError, GuardError, NoQuote
from strikeloom.nse.cash_hours import continuous_until, shares_closed_text
from strikeloom.nse.edges import UNKNOWN, hours_text, is_open
from strikeloom.settings.desk import LiveSettings
from strikeloom.settings.execution import GuardSettings
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.guard_context import EntriesOfDay, GuardContext
from strikeloom.trading.order_status import WATCHED
from strikeloom.trading.remaining import held_free

_LEAST_DISTANCE = 500  # paise: a cheap option may move by more than a percentage allows


def check(intent: OrderIntent, context: GuardContext) -> None:
    """Check one intent against every guard.

    Exits and unwinds are exempt from the kill switch and the limits on new risk; they must
    reduce what the position holds.

    Raises
    ------
    GuardError
        With the guard's name, its limit and the value.
    """
    _check_account(intent, context.state)
    _check_session(intent, context.now)
    if intent.purpose is Purpose.ENTRY:
        _check_listing(intent, context)
    _check_form(intent, context)
    _check_price(intent, context.guards, context.snapshot)
    if intent.purpose is Purpose.ENTRY:
        _check_entry(intent, context)
    else:
        _check_reduces(intent, context.state)


def _refuse(guard: str, text: str, **facts: object) -> GuardError:
    return GuardError(f"{guard}: {text}", guard=guard, **facts)


def _check_account(intent: OrderIntent, state: AccountState) -> None:
    if (intent.market, intent.account) != (state.market, state.account):
        raise _refuse("account", f"{intent.correlation_id} belongs to {intent.account}")


def _check_session(intent: OrderIntent, now: datetime) -> None:
    if not in_session(now):
        hours, remedy = hours_text(now.date())
        if hours == UNKNOWN:
            raise _refuse("session", remedy)
        raise _refuse("session", f"the market is closed at {now:%Y-%m-%d %H:%M}")
    instrument = intent.instrument
    if isinstance(instrument, Share):
        if now > continuous_until(now.date()):
            raise _refuse("session", shares_closed_text(now))
    elif instrument.expiry < now.date():
        raise _refuse("expiry", f"{instrument.label} has expired")


def in_session(now: datetime) -> bool:
    """Whether orders may be sent at this time; never on a day whose hours are not on record."""
    return is_open(now)


def _check_listing(intent: OrderIntent, context: GuardContext) -> None:
    instrument, day = intent.instrument, context.now.date()
    try:
        listed = context.listed(instrument.key)
        changed = context.adjusted(instrument)
    except DataError as error:
        raise _refuse("listed", str(error)) from None
    if changed:  # the name may be that of another contract now
        raise _refuse("listed", f"{instrument.label} was adjusted: {changed}")
    if not isinstance(instrument, Share):
        last_day = context.series_end(instrument.symbol, instrument.expiry)
        if day <= last_day < instrument.expiry:  # after it, the name is of a series listed later
            raise _refuse("last day", f"{instrument.label} ends on {last_day}, before its expiry")
        if day == last_day and instrument.kind is InstrumentKind.STOCK:
            text = f"{instrument.label} ends today, in a delivery of shares or their cash"
            raise _refuse("expiry day", f"{text}; no stock contract is entered on its last day")
    if listed.lot_size != instrument.lot_size:
        raise _refuse(
            "lot size",
            f"{instrument.label} has lots of {listed.lot_size}, not {instrument.lot_size}",
        )


def _check_form(intent: OrderIntent, context: GuardContext) -> None:
    instrument, guards = intent.instrument, context.guards
    if intent.units % instrument.lot_size:
        raise _refuse("whole lots", f"{intent.units} units of lot {instrument.lot_size}")
    lots = intent.units // instrument.lot_size
    # of shares the order's value is the measure
    if lots > guards.max_lots_per_order and not isinstance(instrument, Share):
        raise _refuse("lots an order", f"{lots} lots, limit {guards.max_lots_per_order}")
    most_units = context.order_limit(instrument)
    if most_units is not None and intent.units > most_units:
        raise _refuse("freeze quantity", f"{intent.units} units, limit {most_units}")
    tick = context.tick(instrument)
    if intent.limit <= 0 or intent.limit % tick:
        raise _refuse("tick", f"limit {intent.limit} paise is not on {tick}")
    rupees = guards.max_future_value if _is_future(intent) else guards.max_order_value
    value, most = intent.units * intent.limit, rupees * PAISE_PER_RUPEE
    if value > most:
        raise _refuse("order value", f"{rupees_text(value)}, limit {rupees_text(most)}")


def _check_price(intent: OrderIntent, guards: GuardSettings, snapshot: MarketSnapshot) -> None:
    try:
        quote = snapshot.fresh(intent.instrument)
    except NoQuote as error:
        raise _refuse("quote age" if "age" in error.facts else "quote", str(error)) from None
    known = [price for price in (quote.bid, quote.ask) if price is not None]
    if not known or (len(known) == 2 and known[0] > known[1]):
        raise _refuse("quote", f"{intent.instrument.label} shows no price or a crossed one")
    mid = sum(known) / len(known)
    if intent.purpose is Purpose.ENTRY:
        _check_spread(guards, known, mid, intent.instrument.tick)
    far = max(mid * guards.max_price_distance_percent / 100, _LEAST_DISTANCE)
    if abs(intent.limit - mid) > far:
        raise _refuse(
            "price distance",
            f"limit {intent.limit / 100:.2f} is more than "
            f"{guards.max_price_distance_percent:g} % from {mid / 100:.2f}",
        )


def _check_spread(guards: GuardSettings, known: list[int], mid: float, tick: int) -> None:
    """Limit the spread in percent of the mid; a few ticks are always allowed."""
    if len(known) < 2:
        raise _refuse("spread", "one side of the market shows no price")
    percent, ticks = guards.max_entry_spread_percent, guards.max_entry_spread_ticks
    width = known[1] - known[0]
    if width > max(mid * percent / 100, ticks * tick):
        text = f"{width / mid:.0%} of the mid and {width // tick} ticks of {tick / 100:.2f}"
        raise _refuse("spread", f"{text}, limit {percent:g} % or {ticks} ticks")


def _check_entry(intent: OrderIntent, context: GuardContext) -> None:
    guards, state = context.guards, context.state
    switch = state.kill_switch
    if switch.engaged:
        raise _refuse("kill switch", f"entries are blocked: {switch.reason}")
    today = context.now.date()
    instrument = intent.instrument
    share = isinstance(instrument, Share)
    if share and intent.side is Side.SELL:
        raise _refuse("shares held", f"{instrument.label}s are sold only out of those held")
    in_ban = instrument.kind is InstrumentKind.STOCK and not share
    if in_ban and context.banned(instrument.symbol):
        raise _refuse(
            "ban period",
            f"{instrument.symbol} is above the market-wide position limit on {today}: only orders "
            "that reduce a position are allowed",
        )
    if intent.created_at.date() != today:
        raise _refuse("entry day", f"made for {intent.created_at:%Y-%m-%d}, today is {today}")
    sent = context.entries()
    if sent.orders >= guards.max_orders_per_day:
        raise _refuse("orders a day", f"{sent.orders} today, limit {guards.max_orders_per_day}")
    if context.live is not None:
        _check_live_caps(intent, context.live, sent)
    held = state.positions.keys() | _being_entered(state)
    if intent.position_id not in held and len(held) >= guards.max_open_positions:
        raise _refuse("open positions", f"{len(held)}, limit {guards.max_open_positions}")


def _being_entered(state: AccountState) -> set[str]:
    """Positions whose entry orders were sent and may still fill."""
    return {
        intent.position_id
        for intent in state.intents()
        if intent.purpose is Purpose.ENTRY and intent.state in WATCHED
    }


def _check_live_caps(intent: OrderIntent, caps: LiveSettings, today: EntriesOfDay) -> None:
    """Limit entries with real money on one day; every sent order counts, also an unfilled one.

    The other legs of the same entry count before they are sent, so that no entry is begun
    that cannot be completed.
    """
    value = intent.units * intent.limit
    sent = [
        other.units * other.limit
        for other in today.intents
        if other.purpose is Purpose.ENTRY
        and other.correlation_id != intent.correlation_id
        and (other.state is not IntentState.REFUSED or other.correlation_id in today.accepted)
        and (other.state is not IntentState.NEW or other.intent_id == intent.intent_id)
    ]
    if len(sent) + 1 > caps.max_entry_orders:
        text = f"{len(sent) + 1} with this one, limit {caps.max_entry_orders}"
        raise _refuse("live orders a day", text)
    for name, met, rupees in (
        ("live order value", value, caps.max_entry_value),
        ("live value a day", sum(sent) + value, caps.max_entry_value_per_day),
    ):
        most = rupees * PAISE_PER_RUPEE
        if met > most:
            raise _refuse(name, f"{rupees_text(met)}, limit {rupees_text(most)}")


def _check_reduces(intent: OrderIntent, state: AccountState) -> None:
    free = held_free(state, intent)
    if intent.units > free:
        raise _refuse(
            "exits only reduce",
            f"leg {intent.leg} has {max(0, free)} units that no other order may close, the order "
            f"would {intent.side.word.lower()} {intent.units}",
        )
    if isinstance(intent.instrument, Share):
        _check_shares(intent, state)


def _check_shares(intent: OrderIntent, state: AccountState) -> None:
    """Shares are sold only where the account holds them; lacking ones are bought in for it."""
    label = f"{intent.instrument.symbol} shares"
    if intent.side is Side.BUY:
        raise _refuse("short delivery", f"the exchange buys in the {label} lacking; no order does")
    key = intent.instrument.key
    held = state.net_units().get(key, 0)
    held = min(held, held + state.gaps.get(key, 0))  # by our record, and by the broker's
    arriving = sum(
        leg.net_units
        for position in state.positions.values()
        for leg in position.legs
        if leg.instrument.key == key and leg.delivered and leg.since == state.at.date()
    )
    held = max(0, held - max(0, arriving))
    if intent.units > held:
        late = f"; {arriving} were delivered today and come in later" if arriving > 0 else ""
        text = f"the account holds {held} {label}, the order would sell {intent.units}{late}"
        raise _refuse("shares held", text)


def _is_future(intent: OrderIntent) -> bool:
    return isinstance(intent.instrument, FutureContract)
