"""Frames of the synthetic market in the shapes that real files come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.money import paise, rupees
from strikeloom.exchange.market.synthetic.activity import Activity
from strikeloom.exchange.market.synthetic.option_ladders import Ladder
from strikeloom.exchange.market.synthetic.underlyings import LISTINGS
from strikeloom.nse.ticks import option_tick

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

FUTURES_TICK = 0.05
#: Contracts with fewer expected lots a day than this show no bid, a third of it nothing at all.
QUIET = 3.0
_SYMBOLS = np.array([row.symbol for row in LISTINGS], dtype=object)
_KINDS = np.array([row.kind.value for row in LISTINGS], dtype=object)


def ticks(spot: Floats, day: date) -> Floats:
    """Tick in rupees of each underlying's options at its level of the day."""
    return np.array(
        [
            rupees(option_tick(row.kind, paise(round(float(level), 2)), day))
            for row, level in zip(LISTINGS, spot, strict=True)
        ]
    )


def on_tick(values: Floats, tick: Floats | float) -> Floats:
    """Nearest tick, never below one."""
    return np.asarray(np.maximum(np.rint(values / tick), 1.0) * tick).round(2)


def contracts_frame(
    day: date,
    ladder: Ladder,
    spot: Floats,
    opens: Floats,
    closes: Floats,
    activity: Activity,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Options of a day as ``CONTRACTS`` rows.

    Parameters
    ----------
    opens, closes : ndarray, shape (rows,)
        Prices at the session's ends, on the tick.
    """
    import pandas as pd

    traded = activity.lots > 0
    tick = ticks(spot, day)[ladder.place]
    swing = 1 + 0.12 * rng.random((2, len(closes)))
    high = on_tick(np.maximum(closes, opens) * swing[0], tick)
    low = on_tick(np.minimum(closes, opens) / swing[1], tick)
    expires = ladder.expiry == np.datetime64(day, "D")
    level = spot[ladder.place].round(2)
    blank = np.where(traded, 0.0, np.nan)
    return pd.DataFrame(
        {
            "day": pd.Timestamp(day),
            "symbol": _SYMBOLS[ladder.place],
            "kind": _KINDS[ladder.place],
            **dict.fromkeys(("expiry", "last_day"), ladder.expiry.astype("datetime64[s]")),
            "strike": ladder.strike,
            "right": np.where(ladder.is_call, "CE", "PE").astype(object),
            "instrument_id": ladder.number,
            "lot_size": ladder.lot,
            "open": opens + blank,
            "high": high + blank,
            "low": low + blank,
            "close": closes + blank,
            "settle": np.where(expires, np.nan, closes),
            "final_settlement": np.where(expires, level, np.nan),
            "previous_close": activity.previous,
            "underlying": level,
            "lots_traded": activity.lots,
            "open_interest": activity.interest * ladder.lot,
            "oi_change": activity.change * ladder.lot,
            "traded": traded,
        }
    )


def futures_frame(
    day: date,
    months: list[date],
    lots: NDArray[np.int64],
    spot: tuple[Floats, Floats],
    carry: Floats,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Futures of a day as ``CONTRACTS`` rows.

    Parameters
    ----------
    spot : tuple of ndarray, shape (underlyings,)
        Levels at the open and at the close.
    carry : ndarray, shape (months,)
        Growth factor to each month's expiry.
    """
    import pandas as pd

    count, each = len(LISTINGS), len(months)
    place = np.repeat(np.arange(count), each)
    expiry = np.tile(np.array(months, dtype="datetime64[D]"), count)
    growth = np.tile(carry, count)
    opens, closes = (on_tick(level[place] * growth, FUTURES_TICK) for level in spot)
    swing = 1 + 0.006 * rng.random((2, len(place)))
    level = spot[1][place].round(2)
    expires = expiry == np.datetime64(day, "D")
    mean = np.tile(10.0 ** (4 - np.arange(each)), count)
    volume = np.ceil(mean * rng.lognormal(0.0, 0.4, len(place))).astype(np.int64)
    ordinal = (expiry - np.datetime64("2020-01-01")).astype(np.int64)
    return pd.DataFrame(
        {
            "day": pd.Timestamp(day),
            "symbol": _SYMBOLS[place],
            "kind": _KINDS[place],
            **dict.fromkeys(("expiry", "last_day"), expiry.astype("datetime64[s]")),
            "strike": 0.0,
            "right": "XX",
            "instrument_id": ordinal * 100 + place,
            "lot_size": lots[place],
            "open": opens,
            "high": on_tick(np.maximum(opens, closes) * swing[0], FUTURES_TICK),
            "low": on_tick(np.minimum(opens, closes) / swing[1], FUTURES_TICK),
            "close": closes,
            "settle": closes,
            "final_settlement": np.where(expires, level, np.nan),
            "previous_close": np.nan,
            "underlying": level,
            "lots_traded": volume,
            "open_interest": np.rint(3 * mean).astype(np.int64) * lots[place],
            "oi_change": np.zeros(len(place), dtype=np.int64),
            "traded": True,
        }
    )


@dataclass(frozen=True)
class QuoteInputs:
    """What the quotes of a session share: ticks, spreads, interest. Arrays of shape (rows,)."""

    ladder: Ladder
    tick: Floats
    expected_lots: Floats
    interest: NDArray[np.int64]

    @property
    def has_bid(self) -> NDArray[np.bool_]:
        """Contracts that somebody bids for."""
        return np.asarray(self.expected_lots >= QUIET)

    @property
    def has_ask(self) -> NDArray[np.bool_]:
        """Contracts that somebody offers."""
        return np.asarray(self.expected_lots >= QUIET / 3)


def quotes_frame(
    at: datetime,
    book: QuoteInputs,
    spot: Floats,
    value: Floats,
    volume: NDArray[np.int64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One intraday snapshot as ``QUOTES`` rows: bid and ask around the value, on the tick.

    The bid is never above the value and the ask never below it, so no set of quotes can be
    traded against another at a profit.
    """
    import pandas as pd

    ladder, tick, count = book.ladder, book.tick, len(value)
    share = 0.004 + 0.012 / np.sqrt(1 + book.expected_lots / 20)
    width = np.maximum(tick, value * share) * rng.uniform(0.6, 1.4, count)
    bid_steps = np.floor((value - width) / tick)
    bid = np.where((bid_steps >= 1) & book.has_bid, (bid_steps * tick).round(2), np.nan)
    ask = np.where(book.has_ask, (np.ceil((value + width) / tick) * tick).round(2), np.nan)
    deep = 2 + 38 * book.expected_lots / (book.expected_lots + 300)
    sizes = np.ceil(deep * rng.uniform(0.5, 1.5, (2, count))).astype(np.int64) * ladder.lot
    return pd.DataFrame(
        {
            "at": pd.Timestamp(at).tz_convert("Asia/Kolkata"),
            "symbol": _SYMBOLS[ladder.place],
            "expiry": ladder.expiry.astype("datetime64[s]"),
            "strike": ladder.strike,
            "right": np.where(ladder.is_call, "CE", "PE").astype(object),
            "bid": bid,
            "ask": ask,
            "last": np.where(volume > 0, on_tick(value, tick), np.nan),
            "bid_size": np.where(np.isnan(bid), 0, sizes[0]),
            "ask_size": np.where(np.isnan(ask), 0, sizes[1]),
            "volume": volume,
            "open_interest": book.interest,
            "spot": spot[ladder.place].round(2),
        }
    )
