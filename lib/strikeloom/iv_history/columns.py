"""The options of one day of the whole exchange as arrays: underlyings, expiries, contracts."""

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


#: Columns of ``CONTRACTS`` that are looked at.
READ = (
    "symbol", "kind", "expiry", "last_day", "strike", "right", "lot_size", "high", "low", "close",
    "settle", "underlying", "lots_traded", "open_interest", "traded",
)  # fmt: skip

_DATES = 1_000_000  # more than a date counts days


class Columns(NamedTuple):
    """Contracts that live beyond the day.

    Attributes
    ----------
    symbols : ndarray of str, shape (chains,)
        Every underlying of the file, ascending, also one without a live option.
    is_index : ndarray of bool, shape (chains,)
    spot : ndarray, shape (chains,)
        Underlying as the file gives it, rupees; NaN where it does not.
    chain, expiry, ends, calendar, years, future : ndarray, shape (groups,)
        One row an expiry with listed options, by underlying, last day and expiry: number of the
        underlying, the expiry that names the contracts, the day they end (earlier for a series
        that a corporate action ends), years from the close to that day in calendar time and in
        the time that volatilities count (``iv.year_basis``), close of the future if it traded.
    group, strike, is_call, close, lots, units, interest, traded, fresh, moved : ndarray, shape (n,)
        One row an option. ``lots`` and ``units`` traded: contracts of one underlying may differ in
        lot size; where it is not known units count lots. ``fresh``: it traded in the closing half
        hour, for the exchange settled it at its own close. ``moved``: it traded at more than one
        price.
    """

    symbols: NDArray[np.str_]
    is_index: Flags
    spot: Floats
    chain: Ints
    expiry: NDArray[np.datetime64]
    ends: NDArray[np.datetime64]
    calendar: Floats
    years: Floats
    future: Floats
    group: Ints
    strike: Floats
    is_call: Flags
    close: Floats
    lots: Floats
    units: Floats
    interest: Floats
    traded: Flags
    fresh: Flags
    moved: Flags


def columns(contracts: pd.DataFrame, day: date, basis: Basis = "calendar") -> Columns:
    """Arrays of a day's ``CONTRACTS``; an option that ends on the day has no time left."""
    import pandas as pd

    codes, names = pd.factorize(contracts["symbol"].to_numpy(), sort=True)
    chains = len(names)
    spot, is_index = np.full(chains, np.nan), np.zeros(chains, dtype=bool)
    underlying = contracts["underlying"].to_numpy()
    told = np.isfinite(underlying)
    spot[codes[told]] = underlying[told]
    is_index[codes[(contracts["kind"] == InstrumentKind.INDEX.value).to_numpy()]] = True
    right = contracts["right"].to_numpy()
    is_future = right == "XX"
    expiry = contracts["expiry"].to_numpy().astype("datetime64[D]")
    ends = contracts["last_day"].fillna(contracts["expiry"]).to_numpy().astype("datetime64[D]")
    live = ends > np.datetime64(day, "D")
    key = (codes.astype(np.int64) * _DATES + ends.astype(np.int64)) * _DATES
    key += expiry.astype(np.int64)
    option = np.flatnonzero(live & ~is_future)
    groups, group = np.unique(key[option], return_inverse=True)
    dates = (groups // _DATES % _DATES).astype("datetime64[D]")
    close, settle = contracts["close"].to_numpy(), contracts["settle"].to_numpy()
    traded = contracts["traded"].to_numpy()
    future = np.full(len(groups), np.nan)
    listed = np.flatnonzero(live & is_future & traded)
    place = np.minimum(np.searchsorted(groups, key[listed]), max(len(groups) - 1, 0))
    same = groups[place] == key[listed] if len(groups) else np.zeros(0, dtype=bool)
    future[place[same]] = close[listed[same]]
    with np.errstate(invalid="ignore"):
        fresh = traded & (np.isnan(settle) | (close == settle))
        moved = traded & (contracts["high"].to_numpy() > contracts["low"].to_numpy())
    lots = contracts["lots_traded"].to_numpy(dtype=float)
    lot_size = contracts["lot_size"].fillna(0).to_numpy(dtype=float)
    now = session(day).close
    return Columns(
        np.asarray(names, dtype=str),
        is_index,
        spot,
        groups // _DATES**2,
        (groups % _DATES).astype("datetime64[D]"),
        dates,
        years_array(now, dates),
        years_array(now, dates, basis=basis),
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
