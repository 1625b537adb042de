"""What a market shows: its list of contracts, their prices and depth, candles.

Money in paise, quantities in units, moments aware in Asia/Kolkata. ``None`` where a figure is
not known, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import Kind, OptionContract
from strikeloom.domain.quotes import Quote

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Listed:
    """An option of the day's list.

    Attributes
    ----------
    row : int
        Place in the list, and in every column of the market.
    security_id : int
        The broker's number, unique in its segment and below 2**31.
    """

    row: int
    contract: OptionContract
    security_id: int
    trading_symbol: str
    display: str
    previous_volume: int = 0


@dataclass(frozen=True, slots=True)
class ListedUnderlying:
    """An index (segment ``IDX_I``) or a stock (``NSE_EQ``) that options are listed on."""

    symbol: str
    kind: Kind
    security_id: int
    segment: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything the market shows of one option now."""

    listed: Listed
    quote: Quote | None
    depth: Depth | None
    open: int | None = None
    high: int | None = None
    low: int | None = None
    previous_close: int | None = None
    previous_open_interest: int | None = None
    average: float | None = None
    last_units: int | None = None
    last_at: datetime | None = None
    oi_high: int | None = None
    oi_low: int | None = None
    lower_band: int | None = None
    upper_band: int | None = None
    bid_total: int | None = None
    ask_total: int | None = None


@dataclass(frozen=True, slots=True)
class SpotView:
    """Level of an underlying now, and its day so far."""

    last: int
    at: datetime
    open: int | None = None
    high: int | None = None
    low: int | None = None
    previous_close: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Quotes of many rows of the list, shape (rows,); 0 where there is none."""

    bid: Ints
    ask: Ints
    last: Ints
    bid_size: Ints
    ask_size: Ints
    volume: Ints
    open_interest: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Candles, ascending. ``at`` is the start of each; volume of the candle, not of the day."""

    at: tuple[datetime, ...]
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    open_interest: Ints
