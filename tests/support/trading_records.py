"""Intents, orders and states of an account written by hand, for the functions that decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.instruments import Instrument, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState, Order, OrderIntent, OrderState, Purpose
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position
from strikeloom.domain.quotes import Quote
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.ports.store import KillSwitch
from strikeloom.trading.account_state import AccountState
from support.fakes import EXPIRY, ist, option

NOW = ist("2026-02-11 10:00")
ACCOUNT, MARKET = "test", "made"
PUT = option(24_800, Right.PUT)  # lots of 65, ticks of 5 paise, last day 2026-02-24


def intent(**changes: object) -> OrderIntent:
    """Write an intent: buy two lots of the put at Rs 120, made now and not sent.

    The correlation id follows from intent, leg, slice and attempt.
    """
    figures: dict[str, object] = {
        "account": ACCOUNT, "market": MARKET, "intent_id": "IONE", "position_id": "P1",
        "purpose": Purpose.ENTRY, "leg": 0, "slice": 0, "attempt": 1, "instrument": PUT,
        "side": Side.BUY, "units": 130, "limit": 120_00, "priority": 0, "why": "test",
        "created_at": NOW, "state": IntentState.NEW, "note": "",
    }  # fmt: skip
    figures |= changes
    name = "-".join(str(figures[key]) for key in ("intent_id", "leg", "slice", "attempt"))
    return OrderIntent(**{"correlation_id": name, **figures})  # type: ignore[arg-type]


def order_of(
    of: OrderIntent, state: OrderState = OrderState.PENDING, filled: int = 0, **changes: object
) -> Order:
    """Write the broker's order of an intent."""
    name = of.correlation_id
    order = Order(
        f"O-{name}", name, of.instrument.key, of.side, of.units, filled, of.limit, state, "", NOW
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def position_of(
    name: str, *legs: tuple[Instrument, int], opened: datetime = NOW, revision: int = 2
) -> Position:
    """Write a position of (contract, net units) bought or sold at Rs 100."""
    held = tuple(
        PositionLeg(n, instrument, units, units, units * 100_00, 0, 0)
        for n, (instrument, units) in enumerate(legs)
    )
    return Position(
        ACCOUNT, MARKET, name, "NIFTY", "spread", "credit", held, revision, opened
    )  # fmt: skip


def state(
    intents: Iterable[OrderIntent] = (),
    *,
    positions: Iterable[Position] = (),
    orders: Iterable[Order] = (),
    filled: Mapping[str, int] | None = None,
    gaps: Mapping[str, int] | None = None,
    at: datetime = NOW,
    switch: KillSwitch | None = None,
    last_days: Mapping[tuple[str, int], date] | None = None,
) -> AccountState:
    """Write the state of an account; intents are grouped by their decision."""
    groups: dict[str, tuple[OrderIntent, ...]] = {}
    for item in intents:
        groups[item.intent_id] = (*groups.get(item.intent_id, ()), item)
    book: dict[str, tuple[Order, ...]] = {}
    for order in orders:
        book[order.correlation_id] = (*book.get(order.correlation_id, ()), order)
    held = {position.position_id: position for position in positions}
    ends = {
        (name, leg.leg): leg.instrument.expiry
        for name, position in held.items()
        for leg in position.legs
        if not isinstance(leg.instrument, Share)
    }
    return AccountState(
        account=ACCOUNT, market=MARKET, at=at, positions=held, groups=groups, changed_at={},
        orders=book, filled=filled or {}, last_days=ends if last_days is None else last_days,
        requests=(), kill_switch=switch or KillSwitch(False, False, "", None), peaks={},
        gaps=gaps or {},
    )  # fmt: skip


def quote_of(
    instrument: Instrument, bid: int | None, ask: int | None, *, at: datetime = NOW
) -> Quote:
    """Write a quote; prices in paise."""
    return Quote(instrument.key, bid, ask, None, 650, 650, 0, 0, at)


def snapshot(*quotes: Quote, at: datetime = NOW, most: float = 15) -> MarketSnapshot:
    """Write a snapshot in which quotes may be ``most`` seconds old."""
    return MarketSnapshot(at, {quote.key: quote for quote in quotes}, most, "live")


def open_ends(position: Position, day: date = EXPIRY) -> dict[int, date]:
    """Give every open contract of a position the same last day."""
    open_legs = (leg for leg in position.legs if leg.net_units)
    return {leg.leg: day for leg in open_legs if not isinstance(leg.instrument, Share)}
