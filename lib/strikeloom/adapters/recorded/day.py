"""One recorded day: quotes, their instruments, and synthetic spreads where none were recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.recorded.delta_one import recorded_delta_one
from strikeloom.adapters.recorded.files import csv_files, csv_names
from strikeloom.adapters.recorded.layouts import day_of, rows_of
from strikeloom.domain.instruments import Instrument, InstrumentKind, OptionContract, Right
from strikeloom.domain.money import paise
from strikeloom.domain.quotes import QuoteSource
from strikeloom.errors import MissingHistory
from strikeloom.nse.sessions import session
from strikeloom.nse.underlyings import known
from strikeloom.quant.quoted_width import quoted_width, sides

if TYPE_CHECKING:
    import pandas as pd

_COARSE, _FINE = 5, 1  # ticks in paise
_SHOWN_SHARE, _MOST_SHOWN = 0.01, 40  # of the lots traded so far, and lots, on each side


@dataclass(frozen=True)
class RecordedDay:
    """Input of ``exchange.market.sources.tape_of_rows``.

    Attributes
    ----------
    rows : DataFrame
        ``QUOTES`` of the session: options, then the shares and futures made of them.
    contracts : list of Instrument
        Lot and tick derived from the recorded quantities and prices, since no list was recorded.
    source : QuoteSource
        Synthetic where the spread was derived from last trades.
    made : frozenset of str
        Keys of the shares and futures, whose quotes are always made.
    """

    day: date
    rows: pd.DataFrame
    contracts: list[Instrument]
    source: QuoteSource
    made: frozenset[str] = frozenset()


def recorded_day(paths: Iterable[Path], day: date | None = None) -> RecordedDay:
    """Read a day of recorded chains from folders or archives.

    Files outside the session repeat earlier quotes and are left out.

    Parameters
    ----------
    day : datetime.date, optional
        Default: the latest day recorded while the exchange was open.

    Raises
    ------
    MissingHistory
        When the files have nothing of the day; names their days.
    BadFile
        When a path or a file cannot be read.
    """
    paths = list(paths)
    days = {of for path in paths for name in csv_names(path) if (of := day_of(name))}
    for chosen in [day] if day else sorted(days, reverse=True):
        rows = _session_rows(paths, chosen)
        if rows is not None:
            return _recorded(chosen, rows)
    held = ", ".join(map(str, sorted(days))) or "none"
    raise MissingHistory(
        f"no chain recorded while the exchange was open{f' on {day}' if day else ''} in "
        f"{', '.join(map(str, paths))}; days of the files there: {held}"
    )


def _session_rows(paths: Iterable[Path], day: date) -> pd.DataFrame | None:
    """Rows of a day's session, each contract once per time; ``None`` without any."""
    import pandas as pd

    frames = [
        rows
        for path in paths
        for name, content in csv_files(path, lambda name: day_of(name) == day)
        if (rows := rows_of(name, content)) is not None
    ]
    if not frames:
        return None
    rows = pd.concat(frames, ignore_index=True)
    hours = session(day)
    rows = rows[(rows["at"] >= hours.open) & (rows["at"] <= hours.close)]
    names = ["at", "symbol", "expiry", "strike", "right"]
    rows = rows.drop_duplicates(names).sort_values("at", kind="stable", ignore_index=True)
    rows = rows[rows["expiry"].dt.date >= day].reset_index(drop=True)
    return rows if len(rows) else None


def _recorded(day: date, rows: pd.DataFrame) -> RecordedDay:
    import pandas as pd

    quoted = bool(rows[["bid", "ask"]].notna().to_numpy().any())
    lots = {str(name): _lot(part, quoted) for name, part in rows.groupby("symbol")}
    ticks = {str(name): _tick(part) for name, part in rows.groupby("symbol")}
    lot = np.asarray(rows["symbol"].map(lots), dtype=np.int64)
    if quoted:
        rows["volume"] = rows["volume"] * lot  # the web page counts lots
    else:
        tick = rows["symbol"].map(ticks).to_numpy(dtype=np.float64) / 100
        traded = np.asarray(rows["volume"], dtype=np.int64) // lot
        price = rows["last"].to_numpy()
        is_index = rows["symbol"].map(lambda symbol: _kind(symbol) is InstrumentKind.INDEX)
        half = np.maximum(quoted_width(price, traded, is_index.to_numpy(dtype=bool)) / 2, tick)
        unbounded = np.full(len(rows), np.inf)
        bid, ask = sides(price, half, tick, -unbounded, unbounded)
        shown = np.clip(np.floor(traded * _SHOWN_SHARE), 1, _MOST_SHOWN).astype(np.int64) * lot
        rows["bid"], rows["ask"] = bid, ask
        rows["bid_size"] = np.where(np.isnan(bid), 0, shown)
        rows["ask_size"] = np.where(np.isnan(ask), 0, shown)
    keys = rows[["symbol", "expiry", "strike", "right"]].drop_duplicates()
    contracts: list[Instrument] = [
        OptionContract(
            symbol,
            expiry.date(),
            paise(strike),
            Right(right),
            _kind(symbol),
            lots[symbol],
            ticks[symbol],
        )
        for symbol, expiry, strike, right in keys.itertuples(index=False)
    ]
    source = QuoteSource.QUOTED if quoted else QuoteSource.SYNTHETIC_SPREAD
    more = recorded_delta_one(day, rows, {symbol: _kind(symbol) for symbol in lots}, lots)
    rows = pd.concat([rows, more.rows], ignore_index=True) if len(more.rows) else rows
    made = frozenset(it.key for it in more.instruments)
    return RecordedDay(day, rows, [*more.instruments, *contracts], source, made)


def _kind(symbol: str) -> InstrumentKind:
    """Kind of an underlying on record; one no longer on record was a stock."""
    underlying = known().get(symbol)
    return underlying.kind if underlying else InstrumentKind.STOCK


def _lot(part: pd.DataFrame, quoted: bool) -> int:
    """Greatest common divisor of all quantities: sizes where quoted, else volumes."""
    names = ("bid_size", "ask_size", "open_interest") if quoted else ("volume",)
    return gcd(*(int(n) for name in names for n in part[name].unique())) or 1


def _tick(part: pd.DataFrame) -> int:
    prices = part[["bid", "ask", "last"]].to_numpy().ravel()
    whole = np.rint(prices[~np.isnan(prices)] * 100).astype(np.int64)
    return _COARSE if (whole % _COARSE == 0).all() else _FINE
