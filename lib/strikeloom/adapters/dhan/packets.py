"""Packets of the market feed: little-endian records, several of them stacked in one message.

Each begins with eight bytes ``<BHBI``: code, total length, segment, security id. The length
leads from one packet to the next; each code has a layout of known size.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from strikeloom.errors import DataError

HEADER = struct.Struct("<BHBI")
LEVELS = 5

#: Segments by their number on the wire.
SEGMENTS = {
    0: "IDX_I",
    1: "NSE_EQ",
    2: "NSE_FNO",
    3: "NSE_CURRENCY",
    4: "BSE_EQ",
    5: "MCX_COMM",
    7: "BSE_CURRENCY",
    8: "BSE_FNO",
}
SEGMENT_NUMBERS = {name: number for number, name in SEGMENTS.items()}


class BadPacket(DataError):
    """A message of the feed that does not follow the protocol from some byte on."""


class Ticker(NamedTuple):
    """Last price; ``traded_at`` counts seconds of the Indian wall clock as if it were UTC."""

    code: int
    length: int
    segment: int
    security_id: int
    last: float
    traded_at: int


class QuoteTick(NamedTuple):
    """Prices and totals of the day, without the book. ``close`` is yesterday's in a session."""

    code: int
    length: int
    segment: int
    security_id: int
    last: float
    last_units: int
    traded_at: int
    average: float
    volume: int
    sell_units: int
    buy_units: int
    open: float
    close: float
    high: float
    low: float


class OpenInterest(NamedTuple):
    """Open interest; sent beside quotes of derivatives."""

    code: int
    length: int
    segment: int
    security_id: int
    open_interest: int


class PreviousClose(NamedTuple):
    """Yesterday's close and open interest."""

    code: int
    length: int
    segment: int
    security_id: int
    close: float
    open_interest: int


class MarketStatus(NamedTuple):
    """A segment opened or closed."""

    code: int
    length: int
    segment: int
    security_id: int


class FullTick(NamedTuple):
    """Quote with open interest and five levels of the book."""

    code: int
    length: int
    segment: int
    security_id: int
    last: float
    last_units: int
    traded_at: int
    average: float
    volume: int
    sell_units: int
    buy_units: int
    open_interest: int
    highest_interest: int
    lowest_interest: int
    open: float
    close: float
    high: float
    low: float
    depth: bytes


class Disconnect(NamedTuple):
    """The server ends the connection, with its reason (805 to 810)."""

    code: int
    length: int
    segment: int
    security_id: int
    reason: int


class PacketLevel(NamedTuple):
    """One level of the book, both sides."""

    bid_units: int
    ask_units: int
    bid_orders: int
    ask_orders: int
    bid: float
    ask: float


Packet = Ticker | QuoteTick | OpenInterest | PreviousClose | MarketStatus | FullTick | Disconnect

_LEVEL = struct.Struct("<IIHHff")
_LAYOUTS: dict[int, tuple[struct.Struct, type[Packet]]] = {
    2: (struct.Struct("<BHBIfI"), Ticker),
    4: (struct.Struct("<BHBIfHIfIIIffff"), QuoteTick),
    5: (struct.Struct("<BHBII"), OpenInterest),
    6: (struct.Struct("<BHBIfI"), PreviousClose),
    7: (HEADER, MarketStatus),
    8: (struct.Struct("<BHBIfHIfIIIIIIffff100s"), FullTick),
    50: (struct.Struct("<BHBIH"), Disconnect),
}
_READERS = {
    code: (layout.size, layout.unpack_from, kind._make) for code, (layout, kind) in _LAYOUTS.items()
}


class Decoded(NamedTuple):
    """Content of one message.

    Attributes
    ----------
    unknown : int
        Packets with codes that we do not know, skipped by their length.
    error : BadPacket or None
        Why the rest of the message could not be read; the packets before it are valid.
    """

    packets: list[Packet]
    unknown: int
    error: BadPacket | None


def decode(message: bytes) -> Decoded:
    """Read all packets of one message. Never raises, whatever the bytes are.

    A packet longer than its layout is read and skipped in full (fields may be added at
    the end); a shorter one, or one that reaches past the message, ends the reading.
    """
    packets: list[Packet] = []
    unknown = at = 0
    end = len(message)
    head, readers, keep = HEADER.unpack_from, _READERS, packets.append
    while at < end:
        if end - at < HEADER.size:
            return Decoded(packets, unknown, _bad(f"{end - at} bytes are left", at, end))
        code, length, _, _ = head(message, at)
        if length < HEADER.size or at + length > end:
            return Decoded(packets, unknown, _bad(f"a length of {length} bytes", at, end))
        found = readers.get(code)
        if found is None:
            unknown += 1
        else:
            size, read, make = found
            if length < size:
                text = f"a packet {code} of {length} bytes, expected {size}"
                return Decoded(packets, unknown, _bad(text, at, end))
            keep(make(read(message, at)))
        at += length
    return Decoded(packets, unknown, None)


def levels(depth: bytes) -> list[PacketLevel]:
    """The five levels of a full packet, best first; a side that shows nothing has price 0."""
    return [PacketLevel._make(part) for part in _LEVEL.iter_unpack(depth)]


def best(depth: bytes) -> PacketLevel:
    """The best level alone."""
    return PacketLevel._make(_LEVEL.unpack_from(depth))


def _bad(what: str, at: int, end: int) -> BadPacket:
    return BadPacket(f"market feed: {what} at byte {at} of {end}; the rest is not read", at=at)
