"""Identify the index of a history without a name: the index whose known levels it repeats."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from strikeloom.adapters.bhavcopy.indices import SYMBOLS, symbol_of
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import BadFile, DataError
from strikeloom.nse.underlyings import known

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FEWEST_DAYS = 5
_TOLERANCE = 0.001
_MOST_AGREE = 0.95  # of the common days; republishers have occasional wrong days


def identify_index(series: pa.Table, levels: pd.DataFrame, name: str, *, given: str = "") -> str:
    """Symbol of the index whose closes a series repeats.

    Parameters
    ----------
    series : pyarrow.Table
        ``INDICES`` rows on disk without a name.
    levels : DataFrame
        Known closes: ``day``, ``index``, ``close`` in rupees.
    given : str
        Symbol given by the user; accepted unless the levels are those of another index.

    Raises
    ------
    BadFile
        When no index, or more than one, agrees within 0.1 % on five or more common days, or an
        index other than the given one agrees.
    """
    import pandas as pd

    closes = pd.DataFrame(
        {
            "day": series["day"].to_numpy().astype("datetime64[s]"),
            "here": series["close"].to_numpy() / 100,
        }
    )
    common = levels.merge(closes, on="day")
    near = (common["here"] / common["close"] - 1).abs() <= _TOLERANCE
    days = near.groupby(common["index"]).agg(["size", "mean"])
    enough = days[days["size"] >= FEWEST_DAYS]
    agreeing = sorted(enough.index[enough["mean"] >= _MOST_AGREE])
    if given:
        if agreeing and given not in agreeing:
            raise BadFile(
                f"{name}: given as {given}, but its closes are those of {', '.join(agreeing)}",
                given=given,
            )
        return given
    if len(agreeing) == 1:
        return str(agreeing[0])
    nearest = f"those of {' and of '.join(agreeing)}" if agreeing else "those of no known index"
    compared = f"{len(days)} indices were compared, {len(enough)} on {FEWEST_DAYS} days or more"
    raise BadFile(
        f"{name}: an index history that does not name its index, and its closes are {nearest} "
        f"({compared}); import contracts or index closes of its days first, or name it: "
        "strikeloom data import --index NIFTY FILE"
    )


def index_symbol(name: str, stored: set[str]) -> str:
    """Symbol of an index from a name given by a user.

    Raises
    ------
    DataError
        When it is unknown; names the nearest.
    """
    symbols = {symbol for symbol, item in known().items() if item.kind is InstrumentKind.INDEX}
    names = symbols | stored | set(SYMBOLS.values())
    for candidate in (name, name.upper(), symbol_of(name)):
        if candidate in names:
            return candidate
    near = difflib.get_close_matches(name.upper(), names, n=1, cutoff=0)
    raise DataError(f"no index is called {name!r}; the nearest is {near[0]}", name=name)
