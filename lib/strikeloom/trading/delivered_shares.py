"""Shares that a delivery brings into the account's positions, takes out of them, or lacks.

Contracts are settled in cash at their value; the shares move beside them at the final value of the
underlying. Together that is the strike of an option, or the final value of a future, and the P&L
of a position is the same before and after.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from strikeloom.domain.instruments import Contract, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.money import rupees_text
from strikeloom.domain.orders import Fill, FillKind
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position
from strikeloom.domain.quantities import quantity
from strikeloom.nse.settlement import Delivery, delivers, receives
from strikeloom.nse.shortages import AUCTION_RULE

_RECEIVED, _GIVEN = "shares received in delivery", "shares delivered"
_LACKING, _BOUGHT_IN = "shares lacking for a delivery", "lacking shares bought in by the exchange"

Holding = tuple[Position, PositionLeg]


@dataclass(frozen=True, slots=True)
class ShareBooking:
    """Shares booked on one leg of a position, signed, at the price of the settlement."""

    position: Position
    leg: int
    share: Share
    units: int
    fill: Fill
    why: str


def delivered_parts(
    delivery: Delivery, held: Mapping[Contract, Sequence[Holding]], final: int
) -> dict[str, int]:
    """Signed shares of a delivery by position id.

    The contracts of each position net off among themselves first; positions on the larger side
    share what the account receives or delivers in proportion to what they would alone.

    Parameters
    ----------
    held : mapping
        Holdings of the delivery's underlying and expiry, by contract.
    final : int
        Final value of the underlying in paise.
    """
    alone: dict[str, int] = defaultdict(int)
    for contract, holdings in held.items():
        if delivers(contract, final):
            for position, leg in holdings:
                sign = 1 if receives(contract, leg.net_units) else -1
                alone[position.position_id] += sign * abs(leg.net_units)
    sign = 1 if delivery.shares > 0 else -1
    sizes = {name: sign * shares for name, shares in alone.items() if sign * shares > 0}
    whole, before = sum(sizes.values()), 0
    parts: dict[str, int] = {}
    for name, size in sizes.items():
        # rounded on the running sum, so that the parts add up to the whole
        start, before = before, before + size
        total = abs(delivery.shares)
        part = total * before // whole - total * start // whole
        if part:
            parts[name] = sign * part
    return parts


class ShareBook:
    """Shares of all positions while deliveries are booked one after the other."""

    def __init__(self, positions: Iterable[Position]) -> None:
        self._positions = {position.position_id: position for position in positions}
        self._free: dict[tuple[str, int], tuple[Share, int]] = {}
        self._next: dict[str, int] = {}
        for position in self._positions.values():
            self._next[position.position_id] = 1 + max(leg.leg for leg in position.legs)
            for leg in position.legs:
                if isinstance(leg.instrument, Share) and leg.net_units > 0:
                    place = position.position_id, leg.leg
                    self._free[place] = leg.instrument, leg.net_units

    def book(self, symbol: str, parts: Mapping[str, int], fill: Fill) -> list[ShareBooking]:
        """Book the parts of one delivery.

        Shares that come in are a new leg. What is delivered leaves the position's own shares,
        then those of other positions: the account delivers whatever it holds. The rest is lacking
        and a leg of its own, negative until the exchange has bought it in.

        Parameters
        ----------
        parts : mapping of str to int
            Signed shares by position id.
        fill : Fill
            Settlement whose price, time and id the bookings have.
        """
        opened = [
            self._opened(name, symbol, units, fill, _RECEIVED)
            for name, units in parts.items()
            if units > 0
        ]
        given = {name: -units for name, units in parts.items() if units < 0}
        taken: Counter[tuple[str, int]] = Counter()
        left = {
            name: units - self._take(name, symbol, units, taken) for name, units in given.items()
        }
        for name, units in left.items():
            for other in self._positions if units else ():
                left[name] -= self._take(other, symbol, left[name], taken)
        closed = [
            ShareBooking(self._positions[name], leg, self._free[name, leg][0], -units, fill, _GIVEN)
            for (name, leg), units in taken.items()
        ]
        lacking = [
            self._opened(name, symbol, -units, fill, _LACKING)
            for name, units in left.items()
            if units
        ]
        return opened + closed + lacking

    def _take(self, name: str, symbol: str, units: int, taken: Counter[tuple[str, int]]) -> int:
        """Take up to so many shares out of a position. Returns how many there were."""
        left = units
        for leg in self._positions[name].legs:
            place = name, leg.leg
            share, free = self._free.get(place, (None, 0))
            if share is None or share.symbol != symbol or not (part := min(left, free)):
                continue
            self._free[place] = share, free - part
            taken[place] += part
            left -= part
        return units - left

    def _opened(self, name: str, symbol: str, units: int, fill: Fill, why: str) -> ShareBooking:
        number = self._next[name]
        self._next[name] += 1
        return ShareBooking(self._positions[name], number, Share(symbol), units, fill, why)


def delivery_alert(
    delivery: Delivery, bookings: Sequence[ShareBooking], parts: Mapping[str, int]
) -> tuple[str, str]:
    """Level and text of the alert of a delivery: what moved, where it is, and what lacks."""
    paid = rupees_text(abs(delivery.amount))
    name, size = f"{delivery.symbol} {delivery.expiry}", abs(delivery.shares)
    head = f"{name}: ended in a delivery of {size} shares"
    places = "; ".join(
        f"{quantity(it.share, it.units)} in leg {it.leg} of {it.position.position_id}"
        for it in bookings
    )
    if delivery.shares > 0:
        needed = f"{delivery.shares} shares are received; {paid} in cash is needed for them"
        return "critical", f"{head}; {needed}. Held now: {places}"
    text = f"{head}; {-delivery.shares} shares are delivered for {paid}"
    taken = [it for it in bookings if it.why == _GIVEN]
    others = sorted({it.position.position_id for it in taken} - parts.keys())
    if taken:
        left = ", ".join(
            f"{quantity(it.share, it.units)} of {it.position.position_id}" for it in taken
        )
        text = f"{text}. They leave the shares held: {left}"
    if others:
        text = f"{text}. {', '.join(others)} had no part in it, but the account delivers all it has"
    lacking = -sum(it.units for it in bookings if it not in taken)
    if not lacking:
        return ("critical" if others else "warning"), text
    return "critical", f"{text}. {lacking} shares are lacking: {AUCTION_RULE}"


def bought_in(positions: Iterable[Position], fills: Iterable[Fill]) -> Iterator[ShareBooking]:
    """Purchases by the exchange of shares that were lacking, as the broker reports them.

    Parameters
    ----------
    fills : iterable of Fill
        Fills that the broker reports, in the order of time.
    """
    owed = [
        (position, leg, leg.instrument)
        for position in positions
        for leg in position.legs
        if leg.is_owed and isinstance(leg.instrument, Share)
    ]
    left = {(position.position_id, leg.leg): -leg.net_units for position, leg, _ in owed}
    for fill in fills:
        free = fill.units if (fill.kind, fill.side) == (FillKind.BUY_IN, Side.BUY) else 0
        charges = fill.charges
        for position, leg, share in owed:
            place = position.position_id, leg.leg
            after = leg.since is None or fill.at.date() > leg.since
            part = min(free, left[place]) if after and share.key == fill.instrument_key else 0
            if part:
                cost = charges * part // free
                free, charges = free - part, charges - cost
                left[place] -= part
                booked = replace(fill, charges=cost)
                yield ShareBooking(position, leg.leg, share, part, booked, _BOUGHT_IN)


def delivery_fill(symbol: str, expiry: date, final: int, at: datetime) -> Fill:
    """Delivery of shares at the final value; units and side are those of its bookings."""
    return Fill(
        fill_id=f"SHARES-{symbol}:{expiry}", order_id="", correlation_id="",
        instrument_key=Share(symbol).key, side=Side.BUY, units=1, price=final, charges=0, at=at,
        kind=FillKind.DELIVERY,
    )  # fmt: skip


def reported_charges(fills: Iterable[Fill], symbol: str, last: date) -> int | None:
    """Charges in paise that the broker reports of a delivery; ``None`` where it reports none."""
    key = Share(symbol).key
    found = [
        fill.charges
        for fill in fills
        if fill.kind == FillKind.DELIVERY and fill.instrument_key == key and fill.at.date() == last
    ]
    return sum(found) if found else None


def with_charges(bookings: Sequence[ShareBooking], charges: int) -> list[ShareBooking]:
    """Bookings of one delivery with its charges, divided among those that bear them.

    The depository charges shares that leave; where none leave, all that moves bears what the
    broker reports.
    """
    bearing = [it for it in bookings if it.why == _GIVEN] or list(bookings)
    whole, counted, paid = sum(abs(it.units) for it in bearing), 0, 0
    found = []
    for booking in bookings:
        part = 0
        if booking in bearing:
            counted += abs(booking.units)
            part = charges * counted // whole - paid
            paid += part
        found.append(replace(booking, fill=replace(booking.fill, charges=part)))
    return found


def leaves_the_account(bookings: Iterable[ShareBooking]) -> bool:
    """Whether shares that were held are delivered."""
    return any(it.why == _GIVEN for it in bookings)
