"""Legs of a position, computed from its fills and the adjustments of its contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from strikeloom.adapters.sqlite.rows import Row, instrument
from strikeloom.domain.adjustments import ContractAdjustment, LegAdjustment
from strikeloom.domain.instruments import FutureContract, Instrument, Share
from strikeloom.domain.orders import Purpose
from strikeloom.domain.position_leg import PositionLeg

_DAY = len("2026-01-31")


def adjustment(row: Row) -> LegAdjustment:
    """Adjustment of a row."""
    change = ContractAdjustment(
        old=row["old_contract"],
        new=instrument(row),
        new_units=row["new_units"],
        old_units=row["old_units"],
        day=date.fromisoformat(row["day"]),
        cause=row["cause"],
        amount=row["amount"],
    )
    return LegAdjustment(row["position_id"], row["leg"], change)


def replayed_legs(
    trades: Sequence[Row], adjustments: Sequence[Row]
) -> tuple[tuple[PositionLeg, ...], int]:
    """Legs of one position, and the number of changes: fills, and adjustments that applied.

    Parameters
    ----------
    trades, adjustments : sequence of Row
        In the order of time. An adjustment is in force from the open of its day.
    """
    legs: dict[int, PositionLeg] = {}
    changes, due = 0, [adjustment(row) for row in adjustments]
    for row in trades:
        while due and due[0].change.day.isoformat() <= row["at"][:_DAY]:
            changes += _apply(legs, due.pop(0))
        number, units = row["leg"], row["side"] * row["units"]
        leg = legs.get(number) or _first_leg(number, row)
        entry = row["purpose"] == Purpose.ENTRY
        leg = _leg_after(leg, units, row["price"], entry=entry)
        legs[number] = replace(leg, charges=leg.charges + row["charges"])
        changes += 1
    changes += sum(_apply(legs, item) for item in due)
    return tuple(legs[number] for number in sorted(legs)), changes


def _apply(legs: dict[int, PositionLeg], item: LegAdjustment) -> bool:
    """Adjust a leg that holds the old contract; what was paid in total stays.

    Except of a future at a dividend, which is carried forward at a price less it. Shares that are
    owed stay owed since the day of their delivery.
    """
    leg, change = legs.get(item.leg), item.change
    if leg is None or leg.instrument.key != change.old:
        return False
    net, first = change.units(leg.net_units), change.units(leg.first_units)
    lowered = change.amount if isinstance(change.new, FutureContract) else 0
    paid = change.amount if isinstance(change.new, Share) else 0
    legs[item.leg] = replace(
        leg,
        instrument=change.new,
        net_units=net,
        first_units=first,
        entry_value=leg.entry_value - first * lowered,
        open_value=leg.open_value - net * lowered,
        dividends=leg.dividends + net * paid,
        since=leg.since if leg.is_owed else change.day,
    )
    return True


def _empty_leg(number: int, held: Instrument) -> PositionLeg:
    return PositionLeg(number, held, 0, 0, 0, 0, 0)


def _first_leg(number: int, row: Row) -> PositionLeg:
    """Leg before its first fill; of shares that a delivery brings or that it lacked."""
    leg = _empty_leg(number, instrument(row))
    if row["purpose"] != Purpose.SETTLEMENT:
        return leg
    day = date.fromisoformat(row["at"][:_DAY])
    return replace(leg, first_units=row["side"] * row["units"], since=day)


def _leg_after(leg: PositionLeg, units: int, price: int, *, entry: bool) -> PositionLeg:
    """Leg after a fill of signed units: average cost for what opens, profit for what closes."""
    held = leg.net_units
    closing = -units if held and (held > 0) != (units > 0) else 0
    closing = max(-abs(held), min(abs(held), closing)) if closing else 0
    cost, realised = leg.open_value, leg.realised
    if closing:
        # cost of the closing part, rounded so that the remainder goes to the open part
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
