"""A trading day made from an end-of-day file: open, low, high and close in a plausible order.

Everything but the four prices is made, and labelled so: the order of low and high (calls rise
when the underlying does, puts fall), the spread, the sizes, the course of volume.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.exchange.market.synthetic_spread import spread_around
from strikeloom.nse.sessions import session
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

#: Price step in paise of the options on an underlying.
TickOf = Callable[[str, InstrumentKind], int]


def end_of_day_rows(history: History, day: date, tick_of: TickOf) -> pd.DataFrame:
    """``QUOTES`` rows of four moments: open, two extremes, close; traded options only.

    Parameters
    ----------
    tick_of : callable
        Price step of the day, by symbol and kind.

    Raises
    ------
    DataError
        When no option of the day traded.
    """
    import pandas as pd

    frame = history.contracts(day)
    options = frame[(frame["right"] != "XX") & frame["traded"]].reset_index(drop=True)
    if not len(options):
        raise DataError(f"no option of {day} traded: there is nothing to make a market from")
    spots = _spot_paths(history, frame, day)
    hours = session(day)
    third = timedelta(seconds=int(hours.minutes * 20))
    moments = [hours.open, hours.open + third, hours.open + 2 * third, hours.close]
    up = options["symbol"].map({s: path[3] >= path[0] for s, path in spots.items()})
    falls_first = (options["right"] == "CE").to_numpy() == up.to_numpy(dtype=bool)
    ticks = _ticks(options, tick_of)
    low, high = options["low"].to_numpy(), options["high"].to_numpy()
    prices = [
        options["open"].to_numpy(),
        np.where(falls_first, low, high),
        np.where(falls_first, high, low),
        options["close"].to_numpy(),
    ]
    return pd.concat(
        [
            _snapshot(options, at, price, ticks, n, {s: path[n] for s, path in spots.items()})
            for n, (at, price) in enumerate(zip(moments, prices, strict=True))
        ],
        ignore_index=True,
    )


def _snapshot(
    options: pd.DataFrame,
    at: datetime,
    price: np.ndarray,
    ticks: np.ndarray,
    n: int,
    spots: dict[str, float],
) -> pd.DataFrame:
    import pandas as pd

    lot = options["lot_size"].to_numpy()
    lots = options["lots_traded"].to_numpy()
    bid, ask, shown = spread_around(price, lots, lot, ticks)
    change = options["oi_change"].to_numpy() * (3 - n) // 3
    return pd.DataFrame(
        {
            "at": pd.Timestamp(at).tz_convert("Asia/Kolkata"),
            "symbol": options["symbol"],
            "expiry": options["expiry"],
            "strike": options["strike"],
            "right": options["right"],
            "bid": bid,
            "ask": ask,
            "last": price,
            "bid_size": np.where(np.isnan(bid), 0, shown),
            "ask_size": shown,
            # something has traded at the open: its price is there
            "volume": np.maximum(1, lots * (n + 1) // 4) * lot,
            "open_interest": options["open_interest"].to_numpy() - change,
            "spot": options["symbol"].map(spots).astype(np.float64),
        }
    )


def _ticks(options: pd.DataFrame, tick_of: TickOf) -> np.ndarray:
    """Price step of each option in rupees."""
    kinds = options.drop_duplicates("symbol").set_index("symbol")["kind"]
    steps = {name: tick_of(str(name), InstrumentKind(kind)) / 100 for name, kind in kinds.items()}
    return options["symbol"].map(steps).to_numpy(dtype=np.float64)


def _spot_paths(history: History, frame: pd.DataFrame, day: date) -> dict[str, list[float]]:
    """Four levels of each underlying: of the cash market or index, else open to close."""
    closes = frame.dropna(subset=["underlying"]).drop_duplicates("symbol")
    found = {s: [c] * 4 for s, c in zip(closes["symbol"], closes["underlying"], strict=True)}
    indices = history.indices(day, day).sort_values("publisher").rename(columns={"index": "symbol"})
    for table in (history.cash(day, day), indices.drop_duplicates("symbol")):
        columns = [table[name].tolist() for name in ("symbol", "open", "high", "low", "close")]
        for symbol, first, high, low, last in zip(*columns, strict=True):
            if symbol in found and not np.isnan([first, high, low, last]).any():
                middle = [low, high] if last >= first else [high, low]
                found[symbol] = [first, *middle, last]
    return found
