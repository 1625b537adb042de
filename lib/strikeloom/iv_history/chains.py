"""Option chains of the whole exchange on one day, as arrays: underlyings, expiries, options."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.sessions import Basis, session, years_array

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


#: Columns of ``CONTRACTS`` that are used.
CONTRACT_COLUMNS = (
    "symbol", "kind", "expiry", "last_day", "strike", "right", "lot_size", "high", "low", "close",
    "settle", "underlying", "lots_traded", "open_interest", "traded",
)  # fmt: skip

_DATES = 1_000_000  # larger than any date as a number of days


class DayChains(NamedTuple):
    """Option chains of a day: every option and expiry that lives beyond the day.

    Attributes
    ----------
    symbols : ndarray of str, shape (underlyings,)
        Every underlying of the file, ascending, including those without a live option.
    is_index : ndarray of bool, shape (underlyings,)
    spot : ndarray, shape (underlyings,)
        Price of the underlying in the file, rupees; NaN where the file has none.
    underlying, expiry, last_day, calendar_years, years, future : ndarray, shape (expiries,)
        One row an expiry with listed options, ordered by underlying, last day and expiry: row of
        the underlying, the expiry that names the contracts, the last day (earlier for a series
        that a corporate action ends), years from the close to the last day in calendar time and
        in the time basis of volatilities (``iv.year_basis``), close of the future if it traded.
    group, strike, is_call, close, lots, units, open_interest, traded, fresh, moved : ndarray
        One row an option; ``group`` is the row of its expiry. ``lots`` and ``units`` traded: the
        contracts of one underlying may differ in lot size; where it is unknown, units count lots.
        ``fresh``: traded in the closing half hour, for the exchange settled it at its own close.
        ``moved``: traded at more than one price.
    """

    symbols: NDArray[np.str_]
    is_index: Flags
    spot: Floats
    underlying: Ints
    expiry: NDArray[np.datetime64]
    last_day: NDArray[np.datetime64]
    calendar_years: Floats
    years: Floats
    future: Floats
    group: Ints
    strike: Floats
    is_call: Flags
    close: Floats
    lots: Floats
    units: Floats
    open_interest: Floats
    traded: Flags
    fresh: Flags
    moved: Flags


def underlying_levels(contracts: pd.DataFrame) -> tuple[Ints, NDArray[np.object_], Floats]:
    """Underlying of each contract as a number, the symbols, and the level of each (NaN: none).

    Parameters
    ----------
    contracts : DataFrame
        ``CONTRACTS`` of a day, at least its columns symbol and underlying.
    """
    import pandas as pd

    codes, names = pd.factorize(contracts["symbol"].to_numpy(), sort=True)
    levels = np.full(len(names), np.nan)
    underlying = contracts["underlying"].to_numpy()
    priced = np.isfinite(underlying)
    levels[codes[priced]] = underlying[priced]
    return codes, np.asarray(names, dtype=object), levels


def day_chains(contracts: pd.DataFrame, day: date, basis: Basis = "calendar") -> DayChains:
    """Chains of a day's ``CONTRACTS``, without the options whose last day it is."""
    codes, names, spot = underlying_levels(contracts)
    is_index = np.zeros(len(names), dtype=bool)
    is_index[codes[(contracts["kind"] == InstrumentKind.INDEX.value).to_numpy()]] = True
    right = contracts["right"].to_numpy()
    is_future = right == "XX"
    expiry = contracts["expiry"].to_numpy().astype("datetime64[D]")
    last_day = contracts["last_day"].fillna(contracts["expiry"]).to_numpy().astype("datetime64[D]")
    live = last_day > np.datetime64(day, "D")
    key = (codes.astype(np.int64) * _DATES + last_day.astype(np.int64)) * _DATES
    key += expiry.astype(np.int64)
    option = np.flatnonzero(live & ~is_future)
    groups, group = np.unique(key[option], return_inverse=True)
    last_days = (groups // _DATES % _DATES).astype("datetime64[D]")
    close, settle = contracts["close"].to_numpy(), contracts["settle"].to_numpy()
    traded = contracts["traded"].to_numpy()
    future = np.full(len(groups), np.nan)
    listed = np.flatnonzero(live & is_future & traded)
    at = np.minimum(np.searchsorted(groups, key[listed]), max(len(groups) - 1, 0))
    same = groups[at] == key[listed] if len(groups) else np.zeros(0, dtype=bool)
    future[at[same]] = close[listed[same]]
    with np.errstate(invalid="ignore"):
        fresh = traded & (np.isnan(settle) | (close == settle))
        moved = traded & (contracts["high"].to_numpy() > contracts["low"].to_numpy())
    lots = contracts["lots_traded"].to_numpy(dtype=float)
    lot_size = contracts["lot_size"].fillna(0).to_numpy(dtype=float)
    now = session(day).close
    return DayChains(
        np.asarray(names, dtype=str),
        is_index,
        spot,
        groups // _DATES**2,
        (groups % _DATES).astype("datetime64[D]"),
        last_days,
        years_array(now, last_days),
        years_array(now, last_days, basis=basis),
        future,
        group.astype(np.int64),
        contracts["strike"].to_numpy()[option],
        (right == "CE")[option],
        close[option],
        lots[option],
        (lots * np.maximum(lot_size, 1))[option],
        contracts["open_interest"].to_numpy(dtype=float)[option],
        traded[option],
        fresh[option],
        moved[option],
    )
