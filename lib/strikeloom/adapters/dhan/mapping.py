"""Prices and quotes of Dhan's rows and packets as our records; money is exact, in whole paise.

A row that cannot be read is an error that shows it.
"""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

from strikeloom.adapters.dhan.packets import FullTick, best
from strikeloom.adapters.dhan.row_reading import Row, RowReading, count_of
from strikeloom.domain.instruments import Instrument
from strikeloom.domain.quotes import Quote
from strikeloom.errors import Rejected
from strikeloom.nse.sessions import IST

#: The feed counts seconds of the Indian wall clock as if they were of UTC.
_WALL_CLOCK = 19_800
#: Relative precision of a price on the wire, a float32: this near to a tick it is that tick.
_FLOAT32 = 2.0**-23


def rupees_on_tick(limit: int, instrument: Instrument) -> float:
    """Limit in rupees as it is sent, exact to the paisa.

    Raises
    ------
    Rejected
        When it is not a positive multiple of the contract's tick; nothing was sent.
    """
    if limit <= 0 or limit % instrument.tick:
        raise Rejected(
            f"{instrument.label}: a limit of {limit} paise is not on its tick of {instrument.tick}",
            limit=limit,
        )
    return float(Decimal(limit) / 100)


def price_on_tick(price: float, tick: int) -> int | None:
    """Price of the feed in paise; ``None`` when there is none.

    A float32 is read as the nearest tick when that is within its own precision, else as the
    nearest paisa.
    """
    if not math.isfinite(price) or price <= 0:
        return None
    exact = price * 100  # a float32 times 100 is exact enough in a double
    steps = round(exact / tick) * tick
    if abs(exact - steps) <= exact * _FLOAT32 + 0.01:
        return steps
    return round(exact)


def quote_of(row: Row, instrument: Instrument, at: datetime) -> Quote:
    """Quote of a row of the market-quote call; an empty side is absent, never zero."""
    with RowReading(f"a quote of {instrument.label}", row):
        depth = row.get("depth") or {}
        bid, ask = _best(depth.get("buy")), _best(depth.get("sell"))
        tick = instrument.tick
        return Quote(
            instrument.key,
            bid=price_on_tick(bid[0], tick),
            ask=price_on_tick(ask[0], tick),
            last=price_on_tick(float(row.get("last_price") or 0.0), tick),
            bid_size=bid[1] if bid[0] > 0 else 0,
            ask_size=ask[1] if ask[0] > 0 else 0,
            volume=count_of(row.get("volume") or 0),
            open_interest=count_of(row.get("oi") or 0),
            at=at,
        )


def _best(levels: Any) -> tuple[float, int]:
    if not levels:
        return 0.0, 0
    return float(levels[0].get("price") or 0.0), count_of(levels[0].get("quantity") or 0)


def full_quote(packet: FullTick, instrument: Instrument, at: datetime) -> Quote:
    """Quote of a full packet; an empty side is absent, never zero."""
    top, tick = best(packet.depth), instrument.tick
    bid, ask = price_on_tick(top.bid, tick), price_on_tick(top.ask, tick)
    return Quote(
        instrument.key,
        bid,
        ask,
        price_on_tick(packet.last, tick),
        top.bid_units if bid is not None else 0,
        top.ask_units if ask is not None else 0,
        packet.volume,
        packet.open_interest,
        at,
    )


def traded_moment(seconds: int) -> datetime | None:
    """Time of a last trade: the wire counts the Indian wall clock as if it were UTC."""
    return datetime.fromtimestamp(seconds - _WALL_CLOCK, IST) if seconds > _WALL_CLOCK else None
