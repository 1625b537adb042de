"""Conditional orders as text of an account's file, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from strikeloom.domain.instruments import InstrumentKind, instrument_of
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Validity
from strikeloom.domain.products import Product
from strikeloom.exchange.conditional.condition import Condition
from strikeloom.exchange.conditional.records import (
    ConditionalKind,
    ConditionalLeg,
    ConditionalOrder,
    ConditionalState,
    LegState,
    ProfitRule,
)
from strikeloom.exchange.orders.request import OrderType, Placement


def body_of(item: ConditionalOrder) -> str:
    """Text of a conditional order; its number is kept beside it."""
    return json.dumps(
        {
            "kind": item.kind,
            "tag": item.tag,
            "legs": [_leg_fields(leg) for leg in item.legs],
            "last_day": item.last_day.isoformat(),
            "created_at": item.created_at.isoformat(),
            "updated_at": item.updated_at.isoformat(),
            "state": item.state,
            "reason": item.reason,
            "triggered_at": item.triggered_at.isoformat() if item.triggered_at else "",
            "entry": item.entry,
            "watch": asdict(item.watch) if item.watch else None,
            "last": item.last,
        }
    )


def conditional_of(number: int, body: str) -> ConditionalOrder:
    """Conditional order of its number and text."""
    it: dict[str, Any] = json.loads(body)
    return ConditionalOrder(
        number=number,
        kind=ConditionalKind(it["kind"]),
        tag=it["tag"],
        legs=tuple(_leg(fields) for fields in it["legs"]),
        last_day=date.fromisoformat(it["last_day"]),
        created_at=datetime.fromisoformat(it["created_at"]),
        updated_at=datetime.fromisoformat(it["updated_at"]),
        state=ConditionalState(it["state"]),
        reason=it["reason"],
        triggered_at=datetime.fromisoformat(it["triggered_at"]) if it["triggered_at"] else None,
        entry=it["entry"],
        watch=_watch(ConditionalKind(it["kind"]), it["watch"]),
        last=it["last"],
    )


def _watch(kind: ConditionalKind, fields: dict[str, Any] | None) -> Condition | ProfitRule | None:
    if fields is None:
        return None
    if kind is ConditionalKind.ALERT:
        return Condition(**fields)
    return ProfitRule(**{**fields, "products": tuple(Product(name) for name in fields["products"])})


def _leg_fields(leg: ConditionalLeg) -> dict[str, Any]:
    what, instrument = leg.placement, leg.placement.instrument
    return {
        "name": leg.name,
        "trigger": leg.trigger,
        "rises": leg.rises,
        "jump": leg.jump,
        "base": leg.base,
        "state": leg.state,
        "contract": instrument.key,
        "kind": instrument.kind,
        "lot_size": instrument.lot_size,
        "tick": instrument.tick,
        "side": int(what.side),
        "units": what.units,
        "order_type": what.order_type,
        "limit": what.limit,
        "stop": what.trigger,
        "validity": what.validity,
        "product": what.product,
        "disclosed": what.disclosed,
        "tag": what.correlation_id,
    }


def _leg(it: dict[str, Any]) -> ConditionalLeg:
    kind = InstrumentKind(it["kind"])
    return ConditionalLeg(
        it["name"],
        Placement(
            instrument_of(it["contract"], kind, it["lot_size"], it["tick"]),
            Side(it["side"]),
            it["units"],
            OrderType(it["order_type"]),
            it["limit"],
            it["stop"],
            Validity(it["validity"]),
            Product(it["product"]),
            it["disclosed"],
            correlation_id=it["tag"],
        ),
        it["trigger"],
        it["rises"],
        it["jump"],
        it["base"],
        LegState(it["state"]),
    )
