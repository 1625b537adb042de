"""Records to rows and back: the only module with the column names of records."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from strikeloom.domain.instruments import Instrument, InstrumentKind, instrument_of
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import (
    Fill,
    FillKind,
    IntentState,
    Order,
    OrderIntent,
    OrderState,
    Purpose,
)

Row = sqlite3.Row


def insert(table: str, values: Mapping[str, Any], *, conflict: str = "") -> str:
    """INSERT statement with named parameters for the columns given.

    Table and column names are constants of this package, never input.
    """
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    return f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}"  # noqa: S608


def instrument(row: Row) -> Instrument:
    """Instrument from its key and the columns stored with it."""
    kind = InstrumentKind(row["kind"])
    return instrument_of(row["contract"], kind, row["lot_size"], row["tick"])


def instrument_columns(value: Instrument) -> dict[str, Any]:
    """Columns of an instrument."""
    return {
        "contract": value.key,
        "kind": value.kind.value,
        "lot_size": value.lot_size,
        "tick": value.tick,
    }


def moment(text: str) -> datetime:
    """Aware time in Asia/Kolkata from its text."""
    from strikeloom.nse.sessions import IST

    return datetime.fromisoformat(text).astimezone(IST)


def day(text: str) -> date:
    """Day from its text."""
    return date.fromisoformat(text)


def intent(row: Row) -> OrderIntent:
    """Intent of a row."""
    return OrderIntent(
        account=row["account"],
        market=row["market"],
        correlation_id=row["correlation_id"],
        intent_id=row["intent_id"],
        position_id=row["position_id"],
        purpose=Purpose(row["purpose"]),
        leg=row["leg"],
        slice=row["slice"],
        attempt=row["attempt"],
        instrument=instrument(row),
        side=Side(row["side"]),
        units=row["units"],
        limit=row["limit_price"],
        priority=row["priority"],
        why=row["why"],
        created_at=moment(row["created_at"]),
        state=IntentState(row["state"]),
        note=row["note"],
    )


def order(row: Row) -> Order:
    """Order of a row."""
    return Order(
        order_id=row["order_id"],
        correlation_id=row["correlation_id"],
        instrument_key=row["contract"],
        side=Side(row["side"]),
        units=row["units"],
        filled_units=row["filled_units"],
        limit=row["limit_price"],
        state=OrderState(row["state"]),
        reason=row["reason"],
        updated_at=moment(row["updated_at"]),
    )


def order_columns(value: Order) -> dict[str, Any]:
    """Columns of an order."""
    return {
        "order_id": value.order_id,
        "correlation_id": value.correlation_id,
        "contract": value.instrument_key,
        "side": int(value.side),
        "units": value.units,
        "filled_units": value.filled_units,
        "limit_price": value.limit,
        "state": value.state.value,
        "reason": value.reason,
        "updated_at": value.updated_at.isoformat(),
    }


def fill(row: Row) -> Fill:
    """Fill of a row."""
    return Fill(
        fill_id=row["fill_id"],
        order_id=row["order_id"],
        correlation_id=row["correlation_id"],
        instrument_key=row["contract"],
        side=Side(row["side"]),
        units=row["units"],
        price=row["price"],
        charges=row["charges"],
        at=moment(row["at"]),
        kind=FillKind(row["kind"]),
    )


def fill_columns(value: Fill) -> dict[str, Any]:
    """Columns of a fill."""
    return {
        "fill_id": value.fill_id,
        "order_id": value.order_id,
        "correlation_id": value.correlation_id,
        "contract": value.instrument_key,
        "side": int(value.side),
        "units": value.units,
        "price": value.price,
        "charges": value.charges,
        "at": value.at.isoformat(),
        "kind": value.kind,
    }
