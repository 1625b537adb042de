"""Shares and futures of a day of recorded chains, whose files have neither.

A share is quoted around the level that its chain was recorded with, the future of a month around
the forward that the recorded calls and puts of its expiry agree on. Both are made, and labelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    SHARE_RIGHT,
    FutureContract,
    Instrument,
    InstrumentKind,
    Share,
)
from strikeloom.domain.money import paise, rupees
from strikeloom.nse.expiries import monthly_expiry
from strikeloom.nse.sessions import years_array
from strikeloom.nse.ticks import future_tick, share_tick
from strikeloom.quant.forwards import weighted_median
from strikeloom.quant.quoted_width import BUSY_LOTS, delta_one_width, sides

if TYPE_CHECKING:
    import pandas as pd

_RATE = 0.065  # a year; it hardly matters at strikes near the forward
_NEAR = 0.03  # distance of those strikes from the level, as a share of it
_FUTURE_LOTS = 10_000  # a day; volume is not recorded
_SHOWN = 40  # lots of the options on each side


class RecordedDeltaOne(NamedTuple):
    """``QUOTES`` rows of shares and futures, and what they are of."""

    rows: pd.DataFrame
    instruments: list[Instrument]


def recorded_delta_one(
    day: date, options: pd.DataFrame, kinds: Mapping[str, InstrumentKind], lots: Mapping[str, int]
) -> RecordedDeltaOne:
    """Shares of the stocks and futures of the monthly expiries of recorded chains.

    Parameters
    ----------
    options : DataFrame
        ``QUOTES`` of the options of a day, with both sides.
    """
    import pandas as pd

    levels = options.dropna(subset=["spot"]).drop_duplicates(["at", "symbol"])
    levels = levels[["at", "symbol", "spot"]].reset_index(drop=True)
    stock = levels["symbol"].map(lambda symbol: kinds[symbol] is InstrumentKind.STOCK)
    shares = levels[stock.to_numpy(dtype=bool)].assign(
        price=lambda rows: rows["spot"], expiry=np.datetime64(day, "s"), right=SHARE_RIGHT
    )
    futures = _forwards(options).assign(right=FUTURE_RIGHT)
    found: dict[tuple[str, object], Instrument] = {}
    first = levels.drop_duplicates("symbol")
    for symbol, spot in zip(first["symbol"].tolist(), first["spot"].tolist(), strict=True):
        level, kind = paise(spot, what=f"level of {symbol}"), kinds[symbol]
        if kind is InstrumentKind.STOCK:  # the close that decides the tick is not recorded
            found[symbol, SHARE_RIGHT] = Share(symbol, share_tick(level, day))
        tick = future_tick(kind, level, day)
        for expiry in futures.loc[futures["symbol"] == symbol, "expiry"].unique():
            ends = pd.Timestamp(expiry).date()
            found[symbol, ends] = FutureContract(symbol, ends, kind, lots[symbol], tick)
    parts = [part for part in (shares, futures) if len(part)]
    if not parts:
        return RecordedDeltaOne(options.iloc[:0], [])
    rows = _quoted(pd.concat(parts, ignore_index=True), kinds, lots, found)
    return RecordedDeltaOne(rows[list(options.columns)], list(found.values()))


def _forwards(options: pd.DataFrame) -> pd.DataFrame:
    """``price`` by moment and expiry: what calls and puts near the money agree on."""
    monthly = {day: day.date() == monthly_expiry(day.year, day.month)
               for day in options["expiry"].unique()}  # fmt: skip
    two = options[options["expiry"].map(monthly)].dropna(subset=["bid", "ask", "spot"])
    names = ["at", "symbol", "expiry", "strike"]
    pairs = two[two["right"] == "CE"].merge(
        two[two["right"] == "PE"], on=names, suffixes=("", "_put")
    )
    pairs = pairs[(pairs["strike"] / pairs["spot"] - 1).abs() <= _NEAR]
    groups = pairs.groupby(names[:3], sort=False)
    found = pairs.drop_duplicates(names[:3])[[*names[:3], "spot"]].reset_index(drop=True)
    width = pairs["ask"] - pairs["bid"] + pairs["ask_put"] - pairs["bid_put"]
    spread = (pairs["ask"] + pairs["bid"] - pairs["ask_put"] - pairs["bid_put"]) / 2
    years = np.zeros(len(found))
    for rows in found.groupby("at", sort=False).indices.values():
        at = found["at"].iloc[rows[0]].to_pydatetime()
        ends = found["expiry"].to_numpy()[rows].astype("datetime64[D]")
        years[rows] = years_array(at, ends)
    group = np.asarray(groups.ngroup(), dtype=np.int64)
    carried = np.exp(_RATE * years)[group]
    implied = (pairs["strike"] + spread * carried).to_numpy(dtype=np.float64)
    weight = 1 / np.maximum(width.to_numpy(dtype=np.float64), 0.05)
    return found.assign(price=weighted_median(implied, weight, group, len(found)))


def _quoted(
    part: pd.DataFrame,
    kinds: Mapping[str, InstrumentKind],
    lots: Mapping[str, int],
    found: Mapping[tuple[str, object], Instrument],
) -> pd.DataFrame:
    """Rows with both sides around ``price``. Neither volume nor interest is recorded."""
    share = (part["right"] == SHARE_RIGHT).to_numpy()
    names = [
        found[symbol, SHARE_RIGHT if one else expiry.date()]
        for symbol, expiry, one in zip(part["symbol"], part["expiry"], share, strict=True)
    ]
    tick = np.array([rupees(it.tick) for it in names])
    index = np.array([kinds[symbol] is InstrumentKind.INDEX for symbol in part["symbol"]])
    price = part["price"].to_numpy(dtype=np.float64)
    of_lots = np.where(share, BUSY_LOTS, _FUTURE_LOTS)
    half = np.maximum(delta_one_width(price, of_lots, index) / 2, tick)
    unbounded = np.full(len(part), np.inf)
    bid, ask = sides(price, half, tick, -unbounded, unbounded)
    size = np.array([_SHOWN * lots[symbol] for symbol in part["symbol"]], dtype=np.int64)
    return part.assign(
        strike=0.0, bid=bid, ask=ask, last=np.where(share, price, np.nan),
        bid_size=np.where(np.isnan(bid), 0, size), ask_size=np.where(np.isnan(ask), 0, size),
        volume=np.int64(0), open_interest=np.int64(0),
        expiry=part["expiry"].mask(share).astype("datetime64[s]"),
    )  # fmt: skip
