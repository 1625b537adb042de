"""What is listed on a day, by underlying and expiry, with stage 01's forwards and smiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import numpy as np

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    SHARE_RIGHT,
    FutureContract,
    InstrumentKind,
    Share,
    Underlying,
)
from strikeloom.domain.volatility import EXPIRIES
from strikeloom.errors import MissingHistory, StageError
from strikeloom.nse.edges import ending, expected_days
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.ports.desk import Desk
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.fit import SmileKind
from strikeloom.strategy_creation.bars import DailyBars, forecast_variance
from strikeloom.strategy_creation.chain import ChainExpiry, Smile, UnderlyingQuote
from strikeloom.strategy_creation.index_history import IndexHistory

if TYPE_CHECKING:
    import pandas as pd

_NO_SMILE = "no smile: no out-of-the-money option of the expiry has a volatility"


class _ListedFuture(NamedTuple):
    """Columns of a future's row in ``CONTRACTS``; prices in rupees."""

    symbol: str
    expiry: pd.Timestamp
    close: float
    lot_size: int
    lots_traded: int


class _Solved(NamedTuple):
    """Columns of an expiry in ``IV_EXPIRIES`` before those of its smile."""

    symbol: str
    expiry: pd.Timestamp
    years: float
    forward: float
    atm_iv: float
    smile: str
    quotes: int
    residual: float


_Row = TypeVar("_Row", _ListedFuture, _Solved)


class DayListing(NamedTuple):
    """Listed contracts of a day, with what stage 01 found of their expiries.

    Attributes
    ----------
    options : dict
        ``CONTRACTS`` of the options by symbol and expiry, untraded ones too.
    expiries : dict
        Expiries with listed options by symbol, ascending.
    futures : dict
        Futures that traded by symbol, ascending.
    solved : dict
        Forward, time and smile by symbol and expiry.
    """

    options: dict[tuple[str, date], pd.DataFrame]
    expiries: dict[str, list[date]]
    futures: dict[str, list[_ListedFuture]]
    solved: dict[tuple[str, date], tuple[_Solved, Smile]]


def read_listing(desk: Desk, contracts: pd.DataFrame) -> DayListing:
    """Group ``CONTRACTS`` of the day, and read the smiles that stage 01 stored with them.

    Parameters
    ----------
    contracts : pandas.DataFrame
        All of each symbol that is wanted.

    Raises
    ------
    StageError
        When they are not stored; names the command.
    """
    try:
        table = desk.partitions.read(desk.day, EXPIRIES)
    except MissingHistory as error:
        raise StageError(
            f"the smiles of {desk.day} are not stored ({error}); run strikeloom run iv-history "
            f"--date {desk.day}"
        ) from None
    table = table[table["symbol"].isin(contracts["symbol"].unique())]
    is_future = contracts["right"] == FUTURE_RIGHT
    options: dict[tuple[str, date], pd.DataFrame] = {}
    expiries: dict[str, list[date]] = {}
    for key, rows in contracts[~is_future].groupby(["symbol", "expiry"], sort=True):
        symbol, stamp = cast("tuple[str, pd.Timestamp]", key)
        expiry = stamp.date()
        options[symbol, expiry] = rows
        expiries.setdefault(symbol, []).append(expiry)
    traded = contracts[is_future & contracts["traded"]].sort_values("expiry")
    futures: dict[str, list[_ListedFuture]] = {}
    for row in _tuples(traded, _ListedFuture):
        futures.setdefault(row.symbol, []).append(row)
    solved = {
        (row.symbol, row.expiry.date()): (row, smile)
        for row, smile in zip(_tuples(table, _Solved), _smiles(table), strict=True)
    }
    return DayListing(options, expiries, futures, solved)


def named_expiries(listing: DayListing, symbol: str, front: date) -> tuple[date | None, date]:
    """First expiry listed after the front, and the first from it on that is last of its month."""
    later = [expiry for expiry in listing.expiries[symbol] if expiry >= front]
    ends = [
        expiry
        for place, expiry in enumerate(later)
        if place + 1 == len(later) or _month(later[place + 1]) != _month(expiry)
    ]
    return (later[1] if len(later) > 1 else None), ends[0]


def why_unusable(listing: DayListing, symbol: str, expiry: date) -> str:
    """Why no structure can have options of an expiry; empty when it can."""
    import pandas as pd

    last_day = listing.options[symbol, expiry]["last_day"].min()
    if last_day < pd.Timestamp(expiry):  # false for NaT, where the source lacks the day
        return f"the exchange ends this series on {last_day:%Y-%m-%d}, before its expiry"
    found = listing.solved.get((symbol, expiry))
    if found is None or found[1].kind is SmileKind.REFUSED or not found[0].atm_iv > 0:
        return _NO_SMILE
    return ""


def chain_expiry(
    desk: Desk,
    listing: DayListing,
    underlying: Underlying,
    expiry: date,
    spot: float,
    variance: float | None,
    indices: IndexHistory,
) -> ChainExpiry:
    """One usable expiry; ``spot`` in rupees, ``variance`` forecast until it."""
    row, smile = listing.solved[underlying.symbol, expiry]
    rows = listing.options[underlying.symbol, expiry]
    return ChainExpiry(
        expiry=expiry,
        years=row.years,
        calendar=years_to_expiry(ending(desk.day), expiry),
        forward=row.forward,
        atm_iv=row.atm_iv,
        rows=rows[rows["traded"]],
        smile=smile,
        forecast=variance,
        past=indices.over(_sessions_left(desk.day, expiry)),
        underlying=_underlying_quote(desk, listing, underlying, expiry, spot),
    )


def forecast_expiries(
    desk: Desk, bars: DailyBars, wanted: Mapping[str, Sequence[date]]
) -> dict[tuple[str, date], float]:
    """Variance until each expiry of each symbol that has a month of bars.

    Parameters
    ----------
    wanted : mapping of str to sequence of datetime.date
        Expiries by symbol, ascending.
    """
    found: dict[tuple[str, date], float] = {}
    days = {expiry for expiries in wanted.values() for expiry in expiries}
    left = {day: _sessions_left(desk.day, day) for day in days}
    for place in range(max((len(expiries) for expiries in wanted.values()), default=0)):
        here = {name: dates[place] for name, dates in wanted.items() if len(dates) > place}
        variance = forecast_variance(bars, {name: left[day] for name, day in here.items()})
        found.update({(name, here[name]): value for name, value in variance.items()})
    return found


def _sessions_left(day: date, expiry: date) -> int:
    return len(expected_days(day, expiry)) - 1


def _month(expiry: date) -> tuple[int, int]:
    return expiry.year, expiry.month


def _tuples(frame: pd.DataFrame, kind: type[_Row]) -> Iterator[_Row]:
    columns: Iterable[list[object]] = (frame[name].to_list() for name in kind._fields)
    return (kind(*row) for row in zip(*columns, strict=True))


def _smiles(table: pd.DataFrame) -> Iterator[Smile]:
    fields = np.array([table[name].to_numpy(dtype=np.float64) for name in Curves._fields])
    kinds = table["smile"].astype(str).str.upper()
    columns = (kinds.to_list(), table["quotes"].to_list(), table["residual"].to_list())
    for place, (kind, used, error) in enumerate(zip(*columns, strict=True)):
        curves = Curves(*(field[place : place + 1] for field in fields))
        yield Smile(curves, SmileKind[kind], int(used), float(error))


def _underlying_quote(
    desk: Desk, listing: DayListing, underlying: Underlying, expiry: date, spot: float
) -> UnderlyingQuote | None:
    """The share of a stock; of an index the first future that traded and lives as long."""
    symbol, kind = underlying.symbol, underlying.kind
    if kind is InstrumentKind.STOCK:
        if not spot > 0:
            return None
        tick = desk.instruments.tick(symbol, kind, desk.day, SHARE_RIGHT)
        return UnderlyingQuote(Share(symbol, tick), spot, 0.0, None)
    for future in listing.futures.get(symbol, ()):
        ends = future.expiry.date()
        if ends >= expiry and future.lot_size > 0:
            tick = desk.instruments.tick(symbol, kind, desk.day, FUTURE_RIGHT)
            contract = FutureContract(symbol, ends, kind, future.lot_size, tick)
            years = years_to_expiry(ending(desk.day), ends)
            return UnderlyingQuote(contract, future.close, years, int(future.lots_traded))
    return None
