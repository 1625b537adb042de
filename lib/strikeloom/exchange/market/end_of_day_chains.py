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
from strikeloom.exchange.market.opening_interest import opening_interest
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Dates = NDArray[np.datetime64]

#: Price step in paise of the options on an underlying.
TickOf = Callable[[str, InstrumentKind], int]

_DATES = 1_000_000  # larger than any date as a number of days
_BAR = ["open", "low", "high", "close"]


class EndOfDayChains(NamedTuple):
    """Contracts that live on a day, in arrays.

    Attributes
    ----------
    rows : DataFrame
        The options of ``CONTRACTS``, in the order of ``options``, with their
        ``opening_interest``.
    futures : DataFrame
        Its futures, with the same; ``future_group`` is the row of each one's expiry in ``series``.
    names : ndarray
        Symbol by its number in ``series``.
    """

    rows: pd.DataFrame
    options: Options
    series: Series
    futures: pd.DataFrame
    future_group: NDArray[np.int64]
    names: NDArray[np.object_]


def published_bars(history: History, day: date) -> pd.DataFrame:
    """Open, low, high and close in rupees of the underlyings of a day, by symbol.

    Of the cash market or the index as published, the exchange's own figure first.
    """
    import pandas as pd

    indices = history.indices(day, day).rename(columns={"index": "symbol"})
    indices = indices.iloc[(indices["publisher"] != "nse").argsort(kind="stable")]
    both = pd.concat([history.cash(day, day)[["symbol", *_BAR]], indices[["symbol", *_BAR]]])
    return both.dropna().drop_duplicates("symbol")


def end_of_day_chains(
    history: History,
    day: date,
    tick_of: TickOf,
    symbols: Sequence[str] | None,
    published: pd.DataFrame,
) -> EndOfDayChains:
    """Chains of the underlyings named, or of all.

    Parameters
    ----------
    published : DataFrame
        ``published_bars`` of the day.

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
    key = (codes * _DATES + last_day.astype(np.int64)) * _DATES
    key += frame["expiry"].to_numpy().astype("datetime64[D]").astype(np.int64)
    distinct, group = np.unique(key, return_inverse=True)
    future = _by_group(frame["settle"].fillna(frame["close"]), group, len(distinct),
                       ~is_option & frame["traded"].to_numpy())  # fmt: skip
    final = _by_group(frame["final_settlement"], group, len(distinct), np.isfinite(
        frame["final_settlement"].to_numpy()))  # fmt: skip
    of, ends = distinct // _DATES**2, (distinct // _DATES % _DATES).astype("datetime64[D]")
    is_index = np.zeros(len(names), dtype=bool)
    is_index[codes[(frame["kind"] == InstrumentKind.INDEX.value).to_numpy()]] = True
    spot, bar = _bars(frame, names, published)
    over = ends == np.datetime64(day, "D")
    final = np.where(over, np.where(np.isnan(final), spot[of], final), np.nan)
    series = Series(of, is_index[of], ends, future, spot[of], final, bar[of])
    rows = frame[is_option].reset_index(drop=True)
    futures = frame[~is_option].reset_index(drop=True)
    rows, futures = (
        part.assign(opening_interest=opening_interest(history, day, part))
        for part in (rows, futures)
    )
    options = _options(rows, group[is_option], tick_of)
    return EndOfDayChains(rows, options, series, futures, group[~is_option], np.asarray(names))


def _by_group(
    values: pd.Series, group: NDArray[np.int64], groups: int, known: NDArray[np.bool_]
) -> Floats:
    found = np.full(groups, np.nan)
    found[group[known]] = values.to_numpy()[known]
    return found


def _options(rows: pd.DataFrame, group: NDArray[np.int64], tick_of: TickOf) -> Options:
    settle, close = rows["settle"].to_numpy(), rows["close"].to_numpy()
    traded = rows["traded"].to_numpy()
    known = np.where(settle > 0, settle, close)  # one of 0 is rounded: no price to value at
    kinds = rows.drop_duplicates("symbol").set_index("symbol")["kind"]
    steps = {name: tick_of(str(name), InstrumentKind(kind)) / 100 for name, kind in kinds.items()}
    return Options(
        group,
        rows["strike"].to_numpy(),
        (rows["right"] == "CE").to_numpy(),
        rows["open"].to_numpy(),
        known,
        np.where(traded, rows["lots_traded"].to_numpy(dtype=np.float64), 0.0),
        traded & (np.isnan(settle) | (close == settle)),
        np.asarray(rows["symbol"].map(steps), dtype=np.float64),
    )


def _bars(
    frame: pd.DataFrame, names: NDArray[np.str_], published: pd.DataFrame
) -> tuple[Floats, Floats]:
    """Close of each underlying in rupees, and its open, low, high and close as shares of it.

    As published, else of the nearest future; NaN where neither is stored. The close is the
    file's own level of the underlying where it has one.
    """
    import pandas as pd

    place = {name: n for n, name in enumerate(names)}
    published = published[published["symbol"].isin(place)]
    futures = frame[(frame["right"] == "XX").to_numpy() & frame["traded"].to_numpy()]
    futures = futures.sort_values("expiry")[["symbol", *_BAR]].dropna()
    bars = pd.concat([published, futures]).drop_duplicates("symbol")
    rows = bars["symbol"].map(place).to_numpy(dtype=np.int64)
    bar = np.full((len(names), 4), np.nan)
    bar[rows] = bars[_BAR].to_numpy() / bars[["close"]].to_numpy()
    closes = dict(zip(published["symbol"], published["close"], strict=True))
    known = frame.dropna(subset=["underlying"]).drop_duplicates("symbol")
    closes |= dict(zip(known["symbol"], known["underlying"], strict=True))
    return np.array([closes.get(name, np.nan) for name in names], dtype=np.float64), bar
