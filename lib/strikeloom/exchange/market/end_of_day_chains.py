"""Options and expiries of an end-of-day file, as arrays, with the way the underlyings went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.exchange.market.one_moment import Options, Series
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Dates = NDArray[np.datetime64]

#: Price step in paise of the options on an underlying.
TickOf = Callable[[str, InstrumentKind], int]

_DATES = 1_000_000  # larger than any date as a number of days
_BAR = ["open", "high", "low", "close"]
#: How far the two moments between go from the straight line to the day's extremes. Contracts
#: trade at their own extremes at other times: at the underlying's very extremes two thirds of the
#: liquid ones would have no room for both sides in their own range, half way a fifth.
_OUTWARD = 0.5


class DayChains(NamedTuple):
    """``rows``: the options of ``CONTRACTS`` that live on the day, in the order of ``options``."""

    rows: pd.DataFrame
    options: Options
    series: Series


def day_chains(
    history: History, day: date, tick_of: TickOf, symbols: Sequence[str] | None
) -> DayChains:
    """Chains of the underlyings named, or of all.

    Raises
    ------
    DataError
        When no option of the whole day traded.
    """
    import pandas as pd

    frame = history.contracts(day, symbols=symbols)
    last_day = frame["last_day"].fillna(frame["expiry"]).to_numpy().astype("datetime64[D]")
    live = last_day >= np.datetime64(day, "D")
    frame, last_day = frame[live].reset_index(drop=True), last_day[live]
    is_option = (frame["right"] != "XX").to_numpy()
    if symbols is None and not frame["traded"].to_numpy()[is_option].any():
        raise DataError(f"no option of {day} traded: there is nothing to make a market from")
    codes, names = pd.factorize(frame["symbol"].to_numpy(), sort=True)
    distinct, group = np.unique(codes * _DATES + last_day.astype(np.int64), return_inverse=True)
    future = _by_group(frame["settle"].fillna(frame["close"]), group, len(distinct),
                       ~is_option & frame["traded"].to_numpy())  # fmt: skip
    final = _by_group(frame["final_settlement"], group, len(distinct), np.isfinite(
        frame["final_settlement"].to_numpy()))  # fmt: skip
    of, ends = distinct // _DATES, (distinct % _DATES).astype("datetime64[D]")
    is_index = np.zeros(len(names), dtype=bool)
    is_index[codes[(frame["kind"] == InstrumentKind.INDEX.value).to_numpy()]] = True
    spot, path = _paths(history, frame, day, names, symbols)
    over = ends == np.datetime64(day, "D")
    final = np.where(over, np.where(np.isnan(final), spot[of], final), np.nan)
    series = Series(of, is_index[of], ends, future, spot[of], final, path[of])
    rows = frame[is_option].reset_index(drop=True)
    return DayChains(rows, _options(rows, group[is_option], tick_of), series)


def _by_group(
    values: pd.Series, group: NDArray[np.int64], groups: int, known: NDArray[np.bool_]
) -> Floats:
    found = np.full(groups, np.nan)
    found[group[known]] = values.to_numpy()[known]
    return found


def _options(rows: pd.DataFrame, group: NDArray[np.int64], tick_of: TickOf) -> Options:
    settle, close = rows["settle"].to_numpy(), rows["close"].to_numpy()
    traded = rows["traded"].to_numpy()
    known = np.where(np.isnan(settle), close, settle)
    kinds = rows.drop_duplicates("symbol").set_index("symbol")["kind"]
    steps = {name: tick_of(str(name), InstrumentKind(kind)) / 100 for name, kind in kinds.items()}
    return Options(
        group,
        rows["strike"].to_numpy(),
        (rows["right"] == "CE").to_numpy(),
        rows["open"].to_numpy(),
        known,
        np.where(traded, rows["lots_traded"].to_numpy(dtype=np.float64), 0.0),
        traded & (close == known),
        np.asarray(rows["symbol"].map(steps), dtype=np.float64),
    )


def _paths(
    history: History,
    frame: pd.DataFrame,
    day: date,
    names: NDArray[np.str_],
    symbols: Sequence[str] | None,
) -> tuple[Floats, Floats]:
    """Close of each underlying, and its level at the four moments as shares of the close.

    On a day that rose the low is the second moment and the high the third, else the other way.
    Of the cash market or the index as published (the exchange's own figure first), else of the
    nearest future. NaN where neither is stored; at the close the file has the level itself.
    """
    import pandas as pd

    place = {name: n for n, name in enumerate(names)}
    indices = history.indices(day, day, names=symbols).rename(columns={"index": "symbol"})
    indices = indices.iloc[(indices["publisher"] != "nse").argsort(kind="stable")]
    futures = frame[(frame["right"] == "XX") & frame["traded"]].sort_values("expiry")
    published = pd.concat([t[["symbol", *_BAR]].dropna() for t in (
        history.cash(day, day, symbols=symbols), indices)])  # fmt: skip
    bars = pd.concat([published, futures[["symbol", *_BAR]].dropna()])
    bars = bars[bars["symbol"].isin(place)].drop_duplicates("symbol")
    rows = bars["symbol"].map(place).to_numpy(dtype=np.int64)
    first, high, low, last = (bars[name].to_numpy() for name in _BAR)
    rose = last >= first
    path = np.full((len(names), 4), np.nan)
    path[:, 3] = 1.0
    line = first + np.arange(4)[:, None] / 3 * (last - first)
    far = np.stack([first, np.where(rose, low, high), np.where(rose, high, low), last])
    path[rows] = ((line + _OUTWARD * (far - line)) / last).T
    closes = dict(zip(published["symbol"][::-1], published["close"][::-1], strict=True))
    known = frame.dropna(subset=["underlying"]).drop_duplicates("symbol")
    closes |= dict(zip(known["symbol"], known["underlying"], strict=True))
    return np.array([closes.get(name, np.nan) for name in names], dtype=np.float64), path
