"""Positions computed from fills: the only source, so they cannot disagree with them."""

from __future__ import annotations

import math
from dataclasses import replace

from strikeloom.adapters.sqlite.connection import Connection
from strikeloom.adapters.sqlite.rows import Row, contract, day, moment
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import Position, PositionLeg

_TRADES = """
SELECT t.position_id, t.purpose, t.leg, t.side, t.units, t.price, t.charges, t.at,
       i.contract, i.kind, i.lot_size, i.tick, s.symbol, s.template, s.exit_plan,
       s.day, s.spot, s.forward
FROM trades t
JOIN order_intents i USING (market, account, correlation_id)
LEFT JOIN strategies s ON s.market = t.market AND s.strategy_id = t.position_id
WHERE t.market = ? AND t.account = ?
ORDER BY t.at, t.fill_id
"""
_DAYS_A_YEAR = 365


def positions_of(db: Connection, market: str, account: str) -> list[Position]:
    """All positions of an account, oldest first, closed ones included."""
    rows = db.rows(_TRADES, (market, account))
    by_position: dict[str, list[Row]] = {}
    for row in rows:
        by_position.setdefault(row["position_id"], []).append(row)
    return [_position(market, account, name, found) for name, found in by_position.items()]


def _position(market: str, account: str, position_id: str, rows: list[Row]) -> Position:
    legs: dict[int, PositionLeg] = {}
    for row in rows:
        number = row["leg"]
        leg = legs.get(number) or _flat(number, contract(row))
        entry = row["purpose"] == Purpose.ENTRY
        legs[number] = _after(leg, row["side"] * row["units"], row["price"], entry=entry)
        legs[number] = replace(legs[number], charges=legs[number].charges + row["charges"])
    first = rows[0]
    in_order = [legs[number] for number in sorted(legs)]
    return Position(
        account=account,
        market=market,
        position_id=position_id,
        symbol=first["symbol"] or legs[min(legs)].contract.symbol,
        template=first["template"] or "unknown",
        exit_plan=first["exit_plan"] or "",
        legs=tuple(in_order),
        revision=len(rows),
        opened_at=moment(first["at"]),
        carry=_carry(first, in_order),
    )


def _carry(row: Row, legs: list[PositionLeg]) -> float | None:
    """Annualised log of forward over level on the day of the proposal; ``None`` if unknown.

    Spot is kept in paise, the forward in rupees.
    """
    if row["day"] is None or not row["spot"] or not row["forward"] or row["forward"] <= 0:
        return None
    days = (min(leg.contract.expiry for leg in legs) - day(row["day"])).days
    if days <= 0:
        return None
    ratio = row["forward"] * PAISE_PER_RUPEE / row["spot"]
    return math.log(ratio) * _DAYS_A_YEAR / days


def _flat(number: int, traded: OptionContract) -> PositionLeg:
    return PositionLeg(number, traded, 0, 0, 0, 0, 0)


def _after(leg: PositionLeg, units: int, price: int, *, entry: bool) -> PositionLeg:
    """Leg after a fill of signed units: average cost for what opens, profit for what closes."""
    held = leg.net_units
    closing = -units if held and (held > 0) != (units > 0) else 0
    closing = max(-abs(held), min(abs(held), closing)) if closing else 0
    cost, realised = leg.open_value, leg.realised
    if closing:
        # cost of the part that closes, rounded towards what stays open
        part = cost * closing // held
        realised += closing * price - part
        cost -= part
    opening = units + closing
    return replace(
        leg,
        net_units=held + units,
        first_units=leg.first_units + (units if entry else 0),
        entry_value=leg.entry_value + (units * price if entry else 0),
        open_value=cost + opening * price,
        realised=realised,
    )
