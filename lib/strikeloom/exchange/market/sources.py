"""Where a market day comes from: rows of quotes, a history with quotes, an end-of-day file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import Instrument, order_of
from strikeloom.domain.quotes import QuoteSource
from strikeloom.errors import DataError, MissingHistory
from strikeloom.exchange.market.columns import DayColumns, Ints, tabled
from strikeloom.exchange.market.day_facts import DayFacts
from strikeloom.exchange.market.end_of_day import MOMENTS, option_rows, priced_day
from strikeloom.exchange.market.end_of_day_delta_one import delta_one_of, delta_one_rows
from strikeloom.exchange.market.listing import (
    NAMES,
    PreviousDay,
    instruments_of,
    keys_of,
    listing_and_previous_day,
)
from strikeloom.exchange.market.securities import listed_instruments, listed_underlyings
from strikeloom.exchange.market.settlement_prices import SettledOn, settlement_price
from strikeloom.exchange.market.tape import Tape
from strikeloom.nse.sessions import IST
from strikeloom.ports.clock import Clock
from strikeloom.ports.history import History
from strikeloom.ports.instruments import Instruments
from strikeloom.settings.desk import ReplaySettings

if TYPE_CHECKING:
    import pandas as pd


def tape_of_rows(
    rows: pd.DataFrame,
    contracts: Iterable[Instrument],
    clock: Clock,
    *,
    before: PreviousDay | None = None,
    tick_seconds: float = 0.0,
    source: QuoteSource = QuoteSource.QUOTED,
    settled: SettledOn | None = None,
    made: frozenset[str] = frozenset(),
) -> Tape:
    """Market day of ``QUOTES`` rows.

    Parameters
    ----------
    rows : DataFrame
        Snapshots of one day.
    contracts : iterable of Instrument
        Every instrument that is listed, quoted or not.
    tick_seconds : float
        Above 0 the market also moves between two snapshots, in steps of so many seconds and in
        straight lines (labelled synthetic).
    settled : callable, optional
        Settlement price of a future on an earlier day.
    made : frozenset of str, optional
        Keys whose quotes are made, whatever the source of the others.

    Raises
    ------
    DataError
        When there are no rows, rows of two days, or a row is of an instrument that is not listed.
    """
    import pandas as pd

    known = sorted({it.key: it for it in contracts}.values(), key=order_of)
    before = before or PreviousDay()
    moments = [at.to_pydatetime().astimezone(IST) for at in pd.DatetimeIndex(rows["at"].unique())]
    moments = sorted(moments)
    if not moments or len({at.date() for at in moments}) > 1:
        raise DataError(f"a market day needs quotes of one day, not of {len(moments)} moments")
    underlyings = listed_underlyings({c.symbol: c.kind for c in known})
    listed = listed_instruments(known, underlyings, before.ids)
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
        dict(before.futures),
        made,
    )
    return Tape(moments[0].date(), listed, underlyings, day, facts, clock, source, settled)


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
    listing, before = listing_and_previous_day(history, day)
    if times:
        rows = pd.concat([history.quotes(at) for at in times], ignore_index=True)
        source = QuoteSource.QUOTED
    elif day in history.days():
        rows = _end_of_day(history, instruments, day, settings)
        rows = rows.dropna(subset=["last"]).drop(columns="settle")
        source = QuoteSource.SYNTHETIC_SPREAD
    else:
        raise MissingHistory(f"market {history.market} has neither quotes nor contracts of {day}")
    return tape_of_rows(
        rows,
        instruments_of(listing, rows, instruments, day),
        clock,
        before=before,
        tick_seconds=tick_seconds,
        source=source,
        settled=partial(settlement_price, history),
    )


def _end_of_day(
    history: History, instruments: Instruments, day: date, settings: ReplaySettings
) -> pd.DataFrame:
    """Rows of all three kinds made from the day's files."""
    import pandas as pd

    priced = priced_day(history, day, lambda symbol, kind: instruments.tick(symbol, kind, day))
    delta_one = delta_one_rows(
        delta_one_of(*priced),
        history.cash(day, day),
        lambda symbol, kind, right: instruments.tick(symbol, kind, day, right),
        settings,
        MOMENTS,
    )
    options = option_rows(priced, settings)
    return pd.concat([options, delta_one], ignore_index=True) if len(delta_one) else options


def _columns_of(rows: pd.DataFrame, known: list[Instrument]) -> Ints:
    """Instrument of each row, as its number in ``known``."""
    import pandas as pd

    groups = rows.groupby(NAMES, sort=False, observed=True, dropna=False)  # shares do not expire
    place = groups.ngroup().to_numpy()
    distinct = rows.loc[~pd.Series(place).duplicated().to_numpy(), NAMES]
    number = {instrument.key: n for n, instrument in enumerate(known)}
    keys = keys_of(distinct)
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
