"""Frames of the synthetic market in the shapes that real files come in."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import Kind
from strikeloom.exchange.market.contracts import Ladder
from strikeloom.exchange.market.names import LISTINGS

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

TICK = 0.05
_SYMBOLS = np.array([row.symbol for row in LISTINGS], dtype=object)
_KINDS = np.array([row.kind.value for row in LISTINGS], dtype=object)


def on_tick(values: Floats) -> Floats:
    """Nearest tick, never below one."""
    return np.asarray(np.maximum(np.rint(values / TICK), 1.0) * TICK).round(2)


def contracts_frame(
    day: date,
    ladder: Ladder,
    spot: Floats,
    opens: Floats,
    closes: Floats,
    before: dict[int, float],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Options of a day as ``CONTRACTS`` rows.

    Parameters
    ----------
    opens, closes : ndarray, shape (rows,)
        Values at the session's ends.
    before : dict
        Last price by contract number, updated in place: an untraded contract carries it on.
    """
    import pandas as pd

    count = len(ladder.place)
    at_close, at_open = on_tick(closes), on_tick(opens)
    deviations = np.abs(np.log(ladder.strike / spot[ladder.place])) / 0.07
    is_index = _KINDS[ladder.place] == Kind.INDEX.value
    busy = np.exp(7.2 + 1.5 * is_index - 1.1 * deviations - 1.3 * ladder.order)
    lots = np.floor(busy * rng.lognormal(-0.3, 0.9, count)).astype(np.int64)
    traded = lots > 0
    swing = 1 + 0.12 * rng.random((2, count))
    high = on_tick(np.maximum(at_close, at_open) * swing[0])
    low = on_tick(np.minimum(at_close, at_open) / swing[1])
    interest = np.floor(busy * rng.lognormal(0.8, 0.5, count)).astype(np.int64) * ladder.lot
    change = np.rint(interest * rng.normal(0, 0.08, count) / ladder.lot).astype(np.int64)
    expires = ladder.expiry == np.datetime64(day, "D")
    previous = np.array([before.get(int(n), np.nan) for n in ladder.number])
    before.update(zip(ladder.number[traded].tolist(), at_close[traded].tolist(), strict=True))
    blank = np.where(traded, 0.0, np.nan)
    return pd.DataFrame(
        {
            "day": pd.Timestamp(day),
            "symbol": _SYMBOLS[ladder.place],
            "kind": _KINDS[ladder.place],
            "expiry": ladder.expiry.astype("datetime64[s]"),
            "strike": ladder.strike,
            "right": np.where(ladder.is_call, "CE", "PE").astype(object),
            "instrument_id": ladder.number,
            "lot_size": ladder.lot,
            "open": at_open + blank,
            "high": high + blank,
            "low": low + blank,
            "close": at_close + blank,
            "settle": np.where(expires, np.nan, at_close),
            "final_settlement": np.where(expires, spot[ladder.place].round(2), np.nan),
            "previous_close": previous,
            "underlying": spot[ladder.place].round(2),
            "lots_traded": lots,
            "open_interest": interest,
            "oi_change": change * ladder.lot,
            "traded": traded,
        }
    )


def futures_frame(
    day: date, months: list[date], lots: NDArray[np.int64], spot: Floats, carry: Floats
) -> pd.DataFrame:
    """Futures of a day as ``CONTRACTS`` rows; ``carry`` is the growth factor of each month."""
    import pandas as pd

    count, each = len(LISTINGS), len(months)
    place = np.repeat(np.arange(count), each)
    expiry = np.tile(np.array(months, dtype="datetime64[D]"), count)
    level = (np.rint(spot[place] * np.tile(carry, count) / TICK) * TICK).round(2)
    expires = expiry == np.datetime64(day, "D")
    volume = np.tile(10 ** (4 - np.arange(each)), count).astype(np.int64)
    ordinal = (expiry - np.datetime64("2020-01-01")).astype(np.int64)
    return pd.DataFrame(
        {
            "day": pd.Timestamp(day),
            "symbol": _SYMBOLS[place],
            "kind": _KINDS[place],
            "expiry": expiry.astype("datetime64[s]"),
            "strike": 0.0,
            "right": "XX",
            "instrument_id": ordinal * 100 + place,
            "lot_size": lots[place],
            "open": level,
            "high": level,
            "low": level,
            "close": level,
            "settle": level,
            "final_settlement": np.where(expires, spot[place].round(2), np.nan),
            "previous_close": np.nan,
            "underlying": spot[place].round(2),
            "lots_traded": volume,
            "open_interest": volume * lots[place] * 3,
            "oi_change": np.zeros(len(place), dtype=np.int64),
            "traded": True,
        }
    )


def quotes_frame(
    at: datetime,
    ladder: Ladder,
    spot: Floats,
    worth: Floats,
    volume: NDArray[np.int64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One intraday snapshot as ``QUOTES`` rows: two-sided around the value, on the tick."""
    import pandas as pd

    count = len(ladder.place)
    width = np.maximum(TICK, worth * (0.004 + 0.004 * ladder.order)) * rng.uniform(0.6, 1.4, count)
    bid = np.floor((worth - width) / TICK) * TICK
    ask = np.maximum(np.ceil((worth + width) / TICK), 1.0) * TICK
    sizes = rng.integers(2, 40, (2, count)) * ladder.lot
    return pd.DataFrame(
        {
            "at": pd.Timestamp(at).tz_convert("Asia/Kolkata"),
            "symbol": _SYMBOLS[ladder.place],
            "expiry": ladder.expiry.astype("datetime64[s]"),
            "strike": ladder.strike,
            "right": np.where(ladder.is_call, "CE", "PE").astype(object),
            "bid": np.where(bid >= TICK / 2, bid.round(2), np.nan),
            "ask": ask.round(2),
            "last": on_tick(worth),
            "bid_size": np.where(bid >= TICK / 2, sizes[0], 0),
            "ask_size": sizes[1],
            "volume": volume,
            "open_interest": volume * 2,
            "spot": spot[ladder.place].round(2),
        }
    )
