"""Packets of the market feed and of the depth feed, as bytes, little endian.

Layouts of the broker's feed protocol, version 2. A packet's length field counts its header.
Prices are paise here and float32 rupees on the wire (float64 in the depth feed); a price that
does not exist is 0 there. Quantities are units.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from strikeloom.domain.depth import Level

SEGMENTS: Final = {
    "IDX_I": 0,
    "NSE_EQ": 1,
    "NSE_FNO": 2,
    "NSE_CURRENCY": 3,
    "BSE_EQ": 4,
    "MCX_COMM": 5,
    "BSE_CURRENCY": 7,
    "BSE_FNO": 8,
}

TICKER, QUOTE, OPEN_INTEREST, PREVIOUS_CLOSE, MARKET_STATUS, FULL, DISCONNECT = 2, 4, 5, 6, 7, 8, 50
DEPTH_BID, DEPTH_ASK = 41, 51
LEVELS, DEEP_LEVELS = 5, 20

_HEADER = struct.Struct("<BHBI")
_TICKER = struct.Struct("<BHBIfI")
_QUOTE = struct.Struct("<BHBIfHIfIIIffff")
_OPEN_INTEREST = struct.Struct("<BHBII")
_FULL = struct.Struct("<BHBIfHIfIIIIIIffff")
_LEVEL = struct.Struct("<IIHHff")
_DISCONNECT = struct.Struct("<BHBIH")
_DEEP_HEADER = struct.Struct("<hBBiI")
_DEEP_LEVEL = struct.Struct("<dII")
_MAX_U16, _MAX_U32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Instant:
    """One tick of a security with every field of the packets. Money in paise, quantities in units.

    ``previous_close``, ``previous_interest`` and ``previous_volume`` are of the previous session.
    ``traded_at`` is ``None`` before the first trade.
    """

    segment: int
    security_id: int
    last: int
    last_units: int
    traded_at: datetime | None
    average: int
    volume: int
    sell_units: int
    buy_units: int
    interest: int
    interest_high: int
    interest_low: int
    open: int
    previous_close: int
    high: int
    low: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    previous_interest: int = 0
    previous_volume: int = 0


def wall_seconds(at: datetime | None) -> int:
    """Seconds of the feed's last trade time: Indian wall clock counted as if it were UTC."""
    if at is None:
        return 0
    offset = at.utcoffset()
    return int(at.timestamp()) + (int(offset.total_seconds()) if offset else 0)


def ticker(it: Instant) -> bytes:
    """16 bytes: last price and time."""
    return _TICKER.pack(
        TICKER, 16, it.segment, it.security_id, it.last / 100, wall_seconds(it.traded_at)
    )


def quote(it: Instant) -> bytes:
    """50 bytes: the day's trading without depth."""
    return _QUOTE.pack(QUOTE, 50, *_trading(it), *_prices(it))


def full(it: Instant) -> bytes:
    """162 bytes: the day's trading, open interest and five levels of depth."""
    interest = (it.interest, it.interest_high, it.interest_low)
    head = _FULL.pack(FULL, 162, *_trading(it), *interest, *_prices(it))
    return head + b"".join(_levels(it.bids, it.asks))


def open_interest(it: Instant) -> bytes:
    """12 bytes: sent with the quote packet of a derivative."""
    return _OPEN_INTEREST.pack(OPEN_INTEREST, 12, it.segment, it.security_id, it.interest)


def previous_close(it: Instant) -> bytes:
    """16 bytes: close and open interest of the previous session."""
    return _TICKER.pack(
        PREVIOUS_CLOSE,
        16,
        it.segment,
        it.security_id,
        it.previous_close / 100,
        it.previous_interest,
    )


def market_status(segment: int) -> bytes:
    """8 bytes: nothing but the header."""
    return _HEADER.pack(MARKET_STATUS, 8, segment, 0)


def disconnect(reason: int) -> bytes:
    """10 bytes: why the server ends the connection, 805 to 810."""
    return _DISCONNECT.pack(DISCONNECT, 10, 0, 0, reason)


def deep_side(it: Instant, levels: Sequence[Level], code: int, sequence: int) -> bytes:
    """332 bytes: twenty levels of one side; ``code`` 41 for bids and 51 for offers."""
    head = _DEEP_HEADER.pack(
        _DEEP_HEADER.size + DEEP_LEVELS * _DEEP_LEVEL.size,
        code,
        it.segment,
        it.security_id,
        sequence & _MAX_U32,
    )
    rows = [
        _DEEP_LEVEL.pack(row.price / 100, row.units, row.orders) for row in levels[:DEEP_LEVELS]
    ]
    rows += [bytes(_DEEP_LEVEL.size)] * (DEEP_LEVELS - len(rows))
    return head + b"".join(rows)


def deep_disconnect(reason: int) -> bytes:
    """14 bytes: why the depth feed ends the connection; the reason follows the header."""
    return _DEEP_HEADER.pack(14, DISCONNECT, 0, 0, 0) + struct.pack("<H", reason)


def _trading(it: Instant) -> tuple[float, ...]:
    return (
        it.segment,
        it.security_id,
        it.last / 100,
        min(it.last_units, _MAX_U16),  # the field is 16 bits wide and saturates
        wall_seconds(it.traded_at),
        it.average / 100,
        min(it.volume, _MAX_U32),
        min(it.sell_units, _MAX_U32),
        min(it.buy_units, _MAX_U32),
    )


def _prices(it: Instant) -> tuple[float, float, float, float]:
    return it.open / 100, it.previous_close / 100, it.high / 100, it.low / 100


_NOTHING = Level(0, 0, 0)


def _levels(bids: Sequence[Level], asks: Sequence[Level]) -> list[bytes]:
    rows = []
    for place in range(LEVELS):
        bid = bids[place] if place < len(bids) else _NOTHING
        ask = asks[place] if place < len(asks) else _NOTHING
        rows.append(
            _LEVEL.pack(
                bid.units,
                ask.units,
                min(bid.orders, _MAX_U16),
                min(ask.orders, _MAX_U16),
                bid.price / 100,
                ask.price / 100,
            )
        )
    return rows
