"""Where a market day comes from: rows of quotes, a history with quotes, an end-of-day file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import (
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    order_of,
)
from strikeloom.domain.money import paise
from strikeloom.domain.quotes import QuoteSource
from strikeloom.errors import DataError, MissingHistory
from strikeloom.exchange.market.columns import DayColumns, Ints, tabled
from strikeloom.exchange.market.day_facts import DayFacts
from strikeloom.exchange.market.end_of_day import end_of_day_rows
from strikeloom.exchange.market.opening_interest import opening_interest
from strikeloom.exchange.market.securities import Listed, listed_underlyings, made_ids
from strikeloom.exchange.market.tape import Tape
from strikeloom.nse.sessions import IST
from strikeloom.ports.clock import Clock
from strikeloom.ports.history import History
from strikeloom.ports.instruments import Instruments
from strikeloom.settings.desk import ReplaySettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PreviousDay:
    """What is known from the day before, by contract key and by symbol; paise and units."""

    ids: Mapping[str, int] = field(default_factory=dict)
    close: Mapping[str, int] = field(default_factory=dict)
    interest: Mapping[str, int] = field(default_factory=dict)
    volume: Mapping[str, int] = field(default_factory=dict)
    spot_close: Mapping[str, int] = field(default_factory=dict)
    settlements: Mapping[str, int] = field(default_factory=dict)
    early_last_days: Mapping[tuple[str, date], date] = field(default_factory=dict)


def tape_of_rows(
    rows: pd.DataFrame,
    contracts: Iterable[Instrument],
    clock: Clock,
    *,
    before: PreviousDay | None = None,
    tick_seconds: float = 0.0,
    source: QuoteSource = QuoteSource.QUOTED,
) -> Tape:
    """Market day of ``QUOTES`` rows.

    Parameters
    ----------
    rows : DataFrame
        Snapshots of one day.
    contracts : iterable of Instrument
        Every option that is listed, quoted or not.
    tick_seconds : float
        Above 0 the market also moves between two snapshots, in steps of so many seconds and in
        straight lines (labelled synthetic).

    Raises
    ------
    DataError
        When there are no rows, rows of two days, or a row is of an option that is not listed.
    """
    import pandas as pd

    known = sorted({it.key: it for it in contracts}.values(), key=order_of)
    before = before or PreviousDay()
    moments = [at.to_pydatetime().astimezone(IST) for at in pd.DatetimeIndex(rows["at"].unique())]
    moments = sorted(moments)
    if not moments or len({at.date() for at in moments}) > 1:
        raise DataError(f"a market day needs quotes of one day, not of {len(moments)} moments")
    ids = made_ids((c.key for c in known), before.ids)
    listed = tuple(Listed(n, c, ids[c.key]) for n, c in enumerate(known))
    underlyings = listed_underlyings({c.symbol: c.kind for c in known})
    column = _columns_of(rows, known)
    stamps = [pd.Timestamp(at) for at in moments]
    day = DayColumns(
        moments,
        tabled(rows, stamps, column, len(known)),
        _spots(rows, stamps, [u.symbol for u in underlyings]),
        np.array([c.tick for c in known], dtype=np.int64),
        np.array([c.lot_size for c in known], dtype=np.int64),
        timedelta(seconds=tick_seconds),
    )
    facts = DayFacts(
        _of(before.close, known),
        _of(before.interest, known),
        _of(before.volume, known),
        dict(before.spot_close),
        dict(before.settlements),
        dict(before.early_last_days),
    )
    return Tape(moments[0].date(), listed, underlyings, day, facts, clock, source)


def tape_of_history(
    history: History,
    instruments: Instruments,
    day: date,
    clock: Clock,
    settings: ReplaySettings,
    *,
    tick_seconds: float = 0.0,
) -> Tape:
    """Market day of a history: its recorded quotes, else made from the day's contracts.

    Parameters
    ----------
    settings : ReplaySettings
        How quotes are made where none were recorded.

    Raises
    ------
    MissingHistory
        When nothing of the day is stored.
    DataError
        When the day cannot be read as quotes; names the reason.
    """
    import pandas as pd

    times = history.quote_times(day)
    listing, before = _listing_and_previous_day(history, day)
    if times:
        rows = pd.concat([history.quotes(at) for at in times], ignore_index=True)
        source = QuoteSource.QUOTED
    elif day in history.days():
        rows = end_of_day_rows(
            history, day, lambda symbol, kind: instruments.tick(symbol, kind, day), settings
        )
        rows = rows.dropna(subset=["last"]).drop(columns="settle")
        source = QuoteSource.SYNTHETIC_SPREAD
    else:
        raise MissingHistory(f"market {history.market} has neither quotes nor contracts of {day}")
    contracts = _contracts(listing, rows, instruments, day)
    return tape_of_rows(
        rows, contracts, clock, before=before, tick_seconds=tick_seconds, source=source
    )


def _listing_and_previous_day(history: History, day: date) -> tuple[pd.DataFrame, PreviousDay]:
    """Listing of the day, and what is known of it from the day before."""
    days = history.days()
    past = [stored for stored in days if stored < day]
    if day not in days and not past:
        raise MissingHistory(f"market {history.market} has no contracts up to {day}")
    today = history.contracts(day) if day in days else None
    prior = history.contracts(past[-1]) if past else None
    shown = today if today is not None else prior
    if shown is None:
        raise MissingHistory(f"market {history.market} has no contracts up to {day}")
    last = shown["last_day"].fillna(shown["expiry"])
    options = shown[(shown["right"] != "XX") & (last.dt.date >= day)]
    early = options[last[options.index] < options["expiry"]]
    early = early.drop_duplicates(["symbol", "expiry"])
    keys = _keys(options)
    close = _paise(options["previous_close"]) if today is not None else _closes(options)
    interest = options["open_interest"].to_numpy()
    if today is not None:
        interest = opening_interest(history, day, options)
    volume = np.zeros(len(options), dtype=np.int64)
    if today is None:
        volume = (options["lots_traded"] * options["lot_size"]).to_numpy()
    spot = prior if prior is not None else shown.iloc[:0]
    levels = spot.dropna(subset=["underlying"]).drop_duplicates("symbol")
    finals = shown[last.dt.date == day].dropna(subset=["final_settlement"])
    finals = finals.drop_duplicates("symbol") if today is not None else finals.iloc[:0]
    return options, PreviousDay(
        ids=dict(zip(keys, options["instrument_id"].tolist(), strict=True)),
        close=dict(zip(keys, close, strict=True)),
        interest=dict(zip(keys, interest.tolist(), strict=True)),
        volume=dict(zip(keys, volume.tolist(), strict=True)),
        spot_close={
            s: paise(v, what="close")
            for s, v in zip(levels["symbol"], levels["underlying"], strict=True)
        },
        settlements={
            s: paise(v, what="final settlement")
            for s, v in zip(finals["symbol"], finals["final_settlement"], strict=True)
        },
        early_last_days={
            (s, e.date()): d.date()
            for s, e, d in zip(early["symbol"], early["expiry"], early["last_day"], strict=True)
        },
    )


def _closes(options: pd.DataFrame) -> list[int]:
    """Closes of the evening: traded ones, else the one carried, else the settlement price."""
    found = options["close"].fillna(options["previous_close"]).fillna(options["settle"])
    return _paise(found)


def _paise(column: pd.Series) -> list[int]:
    whole: list[int] = np.nan_to_num(np.rint(column.to_numpy() * 100)).astype(np.int64).tolist()
    return whole


def _keys(frame: pd.DataFrame) -> list[str]:
    strikes = np.rint(frame["strike"].to_numpy() * 100).astype(np.int64)
    days = frame["expiry"].dt.strftime("%Y-%m-%d")
    parts = zip(frame["symbol"], days, strikes.tolist(), frame["right"], strict=True)
    return [f"{symbol}:{day}:{strike}:{right}" for symbol, day, strike, right in parts]


def _contracts(
    listing: pd.DataFrame, rows: pd.DataFrame, instruments: Instruments, day: date
) -> list[Instrument]:
    """Listed options; one that first shows in the quotes has the lot of its neighbours."""
    names = ["symbol", "expiry", "strike", "right"]
    import pandas as pd

    quoted = rows[names].drop_duplicates()
    all_of = pd.concat([listing[names], quoted]).drop_duplicates(names)
    all_of = all_of[all_of["expiry"].dt.date >= day]
    sized = all_of.merge(listing[[*names, "kind", "lot_size"]], on=names, how="left")
    neighbours = listing.groupby("symbol")[["kind", "lot_size"]].last()
    ticks: dict[str, int] = {}
    found: list[Instrument] = []
    for symbol, expiry, strike, right, kind, lot in sized.itertuples(index=False):
        near = neighbours.loc[symbol] if symbol in neighbours.index else None
        if near is None:
            raise DataError(f"{symbol} has quotes on {day} but is not listed", symbol=symbol)
        sort = InstrumentKind(near["kind"] if pd.isna(kind) else kind)
        size = int(near["lot_size"] if pd.isna(lot) else lot)
        if symbol not in ticks:
            ticks[symbol] = instruments.tick(symbol, sort, day)
        if size <= 0:
            raise DataError(f"the lot size of {symbol} {expiry:%Y-%m-%d} is not stored; import "
                            "the day's UDiFF file", symbol=symbol)  # fmt: skip
        found.append(
            OptionContract(
                symbol, expiry.date(), paise(strike), Right(right), sort, size, ticks[symbol]
            )
        )
    return found


def _columns_of(rows: pd.DataFrame, known: list[Instrument]) -> Ints:
    """Contract of each row, as its number in ``known``."""
    import pandas as pd

    names = ["symbol", "expiry", "strike", "right"]
    place = rows.groupby(names, sort=False, observed=True).ngroup().to_numpy()
    distinct = rows.loc[~pd.Series(place).duplicated().to_numpy(), names]
    number = {instrument.key: n for n, instrument in enumerate(known)}
    keys = _keys(distinct)
    absent = [key for key in keys if key not in number]
    if absent:
        raise DataError(f"{absent[0]} has quotes but is not listed ({len(absent)} such)")
    column: Ints = np.array([number[key] for key in keys], dtype=np.int64)[place]
    return column


def _spots(rows: pd.DataFrame, moments: list[pd.Timestamp], symbols: list[str]) -> Ints:
    levels = rows.dropna(subset=["spot"]).drop_duplicates(["at", "symbol"])
    table = levels.pivot_table(index="at", columns="symbol", values="spot", observed=True)
    table = table.reindex(index=moments, columns=symbols).ffill()
    found: Ints = np.nan_to_num(np.rint(table.to_numpy() * 100)).astype(np.int64)
    return found


def _of(table: Mapping[str, int], known: list[Instrument]) -> Ints:
    return np.array([table.get(instrument.key, 0) for instrument in known], dtype=np.int64)
