"""Records of an account as rows of its file, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from strikeloom.domain.instruments import (
    Instrument,
    InstrumentKind,
    Share,
    instrument_of,
    symbol_of,
)
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import FillKind, OrderState, Validity
from strikeloom.domain.products import Product
from strikeloom.exchange.account.file import Row
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.account.short_delivery import ShortDelivery
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import OrderType
from strikeloom.exchange.orders.trade import Trade

#: A row of the file, or the fields of an event.
Fields: TypeAlias = Row | Mapping[str, Any]

#: Stored name of the table of conditional orders, and of the column of orders that names them.
CONDITIONAL = "standing"
#: Condition in SQL of an order that is open.
OPEN = "state IN ('TRANSIT', 'PENDING', 'PART_TRADED')"

ORDER_COLUMNS = (
    "correlation_id", "contract", "kind", "lot_size", "tick", "side", "units", "filled",
    "filled_value", "order_type", "asked_type", "limit_price", "trigger_price", "triggered",
    "validity", "product", "disclosed", "after_market", "release_at", "modifications", "state",
    "code", "reason", "placed_at", "updated_at", "entered_at", "exchange_at", "rank",
    CONDITIONAL, "leg",
)  # fmt: skip
POSITION_COLUMNS = (
    "contract", "product", "kind", "lot_size", "tick", "day", "carried_buy_units",
    "carried_buy_value", "carried_sell_units", "carried_sell_value", "day_buy_units",
    "day_buy_value", "day_sell_units", "day_sell_value",
    "settled_price", "received", "settled_on", "received_on",
)  # fmt: skip
_COUNTS, _DAYS = POSITION_COLUMNS[6:-2], POSITION_COLUMNS[-2:]


def _instrument(row: Fields) -> Instrument:
    kind = InstrumentKind(row["kind"])
    return instrument_of(row["contract"], kind, row["lot_size"], row["tick"])


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def order_values(order: BookOrder) -> tuple[Any, ...]:
    """Values of ``ORDER_COLUMNS``."""
    c = order.instrument
    return (
        order.correlation_id, c.key, c.kind.value, c.lot_size, c.tick, int(order.side),
        order.units, order.filled, order.filled_value, order.order_type.value,
        order.asked_type.value, order.limit, order.trigger, int(order.triggered),
        order.validity.value, order.product.value, order.disclosed, int(order.after_market),
        _text(order.release_at), order.modifications, order.state.value, order.code,
        order.reason, order.placed_at.isoformat(), order.updated_at.isoformat(),
        order.entered_at.isoformat(), _text(order.exchange_at), order.rank,
        order.conditional, order.leg,
    )  # fmt: skip


def order_of(row: Fields) -> BookOrder:
    """Order of a row, or of the body of an event."""
    return BookOrder(
        number=row["number"],
        correlation_id=row["correlation_id"],
        instrument=_instrument(row),
        side=Side(row["side"]),
        units=row["units"],
        filled=row["filled"],
        filled_value=row["filled_value"],
        order_type=OrderType(row["order_type"]),
        asked_type=OrderType(row["asked_type"]),
        limit=row["limit_price"],
        trigger=row["trigger_price"],
        triggered=bool(row["triggered"]),
        validity=Validity(row["validity"]),
        product=Product(row["product"]),
        disclosed=row["disclosed"],
        after_market=bool(row["after_market"]),
        release_at=_moment(row["release_at"]),
        modifications=row["modifications"],
        state=OrderState(row["state"]),
        code=row["code"],
        reason=row["reason"],
        placed_at=datetime.fromisoformat(row["placed_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        entered_at=datetime.fromisoformat(row["entered_at"]),
        exchange_at=_moment(row["exchange_at"]),
        rank=row["rank"],
        conditional=row[CONDITIONAL],
        leg=row["leg"],
    )


def event_body(order: BookOrder) -> str:
    """Order as the text kept with an event."""
    return json.dumps([order.number, *order_values(order)])


def order_of_body(body: str) -> BookOrder:
    """Order of an event."""
    return order_of(dict(zip(("number", *ORDER_COLUMNS), json.loads(body), strict=True)))


def trade_of(row: Fields) -> Trade:
    """Trade of a row."""
    return Trade(
        number=row["number"],
        order_number=row["order_number"],
        correlation_id=row["correlation_id"],
        instrument=_instrument(row),
        side=Side(row["side"]),
        product=Product(row["product"]),
        units=row["units"],
        price=row["price"],
        charges=row["charges"],
        at=datetime.fromisoformat(row["at"]),
        kind=FillKind(row["what"]),
    )


def position_values(position: NetPosition) -> tuple[Any, ...]:
    """Values of ``POSITION_COLUMNS``."""
    c = position.instrument
    counts = (getattr(position, name) for name in _COUNTS)
    days = (day.isoformat() if day else "" for day in (position.settled_on, position.received_on))
    return (
        c.key, position.product.value, c.kind.value, c.lot_size, c.tick,
        position.day.isoformat(), *counts, *days,
    )  # fmt: skip


def position_of(row: Fields) -> NetPosition:
    """NetPosition of a row."""
    given: dict[str, Any] = {name: row[name] for name in _COUNTS}
    for name in _DAYS:
        given[name] = date.fromisoformat(row[name]) if row[name] else None
    day = date.fromisoformat(row["day"])
    return NetPosition(_instrument(row), Product(row["product"]), day, **given)


def short_delivery_of(row: Fields) -> ShortDelivery:
    """Short delivery of a row."""
    share = Share(symbol_of(row["contract"]), row["tick"])
    day = date.fromisoformat(row["day"])
    return ShortDelivery(row["number"], share, row["units"], row["price"], day)
