"""Daily prices of underlyings from cash, index levels and contracts, the best source of each day.

Partitions are cached, reduced to the symbols requested: the window of the next day is nearly the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.adapters.parquet.datasets import DATASETS, PAISE
from strikeloom.adapters.parquet.partitions import stamp, stored
from strikeloom.adapters.parquet.reading import read_frame, read_tables

if TYPE_CHECKING:
    import pandas as pd

_WHOLE_KEPT = 10  # months of cash, years of indices: 50,000 rows each
_CUT_KEPT = 20  # the same, 5,000 rows each
_DAYS_KEPT = 260  # of spots: 200 rows each
_SIDES = ("open", "high", "low", "close")

#: Symbols to keep, ascending; ``None``: all.
Wanted = tuple[str, ...] | None


class PriceArrays(NamedTuple):
    """Daily prices as arrays of one length; ``sides`` has a row each of open to close, rupees."""

    symbol: NDArray[np.object_]
    day: NDArray[np.datetime64]
    sides: NDArray[np.float64]


def daily_prices(
    folder: Path, days: Iterable[date], first: date, last: date, symbols: Sequence[str] | None
) -> pd.DataFrame:
    """``symbol``, ``day``, ``open`` to ``close`` as published, each symbol and day once, sorted.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the history.
    days : iterable of datetime.date
        Days with contracts or chains, whose levels fill gaps of cash and indices.

    Notes
    -----
    The cash market comes first, then the exchange's index levels, another publisher's, and the
    underlying's level in the contracts (a close only).
    """
    import pandas as pd

    wanted = None if symbols is None else tuple(sorted(symbols))
    parts = [
        _inside(_cut(path, name, wanted, stamp(path)), first, last)
        for name in ("cash", "indices")
        for path in _between(folder / name, DATASETS[name].grain, first, last)
    ]
    for day in days:
        path, name, column = folder / "contracts" / f"{day}.parquet", "contracts", "underlying"
        if not path.exists():
            path, name, column = folder / "chains" / f"{day}.parquet", "chains", "spot"
        parts.append(_levels(path, name, column, stamp(path)))
    parts = [part for part in parts if len(part.day)] or [_NOTHING]
    symbols_of_rows = pd.Index(np.concatenate([part.symbol for part in parts]), dtype=object)
    codes, names = symbols_of_rows.factorize(sort=True)
    when = np.concatenate([part.day for part in parts])
    key = pd.Series(codes * _SPAN + when.astype("datetime64[D]").astype(np.int64))
    once = ~key.duplicated().to_numpy()
    if wanted is not None:
        once &= pd.Index(names).isin(wanted)[codes]
    order = np.flatnonzero(once)
    order = order[np.argsort(key.to_numpy()[order])]
    sides = np.concatenate([part.sides for part in parts], axis=1)[:, order]
    symbol = np.asarray(names, dtype=object)[codes[order]]
    columns = dict(zip(_SIDES, sides, strict=True))
    return pd.DataFrame({"symbol": symbol, "day": when[order], **columns}, copy=False)


_SPAN = 10_000_000  # larger than any date as a number of days
_NOTHING = PriceArrays(np.empty(0, dtype=object), np.empty(0, "datetime64[s]"), np.empty((4, 0)))


def _between(folder: Path, grain: str, first: date, last: date) -> list[Path]:
    low, high = (f"{day.strftime(grain)}.parquet" for day in (first, last))
    return [path for path in stored(folder) if low <= path.name <= high]


def _inside(bars: PriceArrays, first: date, last: date) -> PriceArrays:
    rows = (bars.day >= np.datetime64(first)) & (bars.day <= np.datetime64(last))
    return (
        bars if rows.all() else PriceArrays(bars.symbol[rows], bars.day[rows], bars.sides[:, rows])
    )


@lru_cache(maxsize=_CUT_KEPT)
def _cut(path: Path, name: str, wanted: Wanted, mark: tuple[int, int]) -> PriceArrays:
    """Rows of the wanted symbols in a partition of cash or indices."""
    codes, names, bars = _whole(path, name, mark)
    if wanted is None:
        return bars
    rows = np.flatnonzero(names.isin(wanted)[codes])
    return PriceArrays(bars.symbol[rows], bars.day[rows], bars.sides[:, rows])


@lru_cache(maxsize=_WHOLE_KEPT)
def _whole(
    path: Path, name: str, _mark: tuple[int, int]
) -> tuple[NDArray[np.int64], Any, PriceArrays]:
    """Symbol codes, symbols and all rows; the exchange's rows before another publisher's."""
    column = "symbol" if name == "cash" else "index"
    extra = [] if name == "cash" else ["publisher"]
    frame = read_frame([path], DATASETS[name], columns=[column, "day", *_SIDES, *extra])
    if extra:
        frame = frame.sort_values("publisher", key=lambda who: who != "nse", kind="stable")
    codes, names = frame[column].factorize()
    sides = np.stack([frame[side].to_numpy() for side in _SIDES])
    return codes, names, PriceArrays(frame[column].to_numpy(), frame["day"].to_numpy(), sides)


@lru_cache(maxsize=_DAYS_KEPT)
def _levels(path: Path, name: str, column: str, _mark: tuple[int, int]) -> PriceArrays:
    """Last level of every underlying in a partition, as a close without open, high and low."""
    table = read_tables([path], DATASETS[name], columns=["symbol", column])
    spots = table.group_by("symbol", use_threads=False).aggregate([(column, "last")])
    close = spots[f"{column}_last"].to_numpy().astype(np.float64) / PAISE
    known = ~np.isnan(close)
    sides = np.full((len(_SIDES), np.count_nonzero(known)), np.nan)
    sides[-1] = close[known]
    symbol = spots["symbol"].to_numpy()[known]
    return PriceArrays(symbol, np.full(len(symbol), np.datetime64(path.stem, "s")), sides)
