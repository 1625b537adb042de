"""Index files to ``INDICES`` rows: closes of all indices, India VIX, histories without a name.

Levels are kept to two decimals. A level of 0 or ``-`` is missing (India VIX of 2021-02-12 has
only a close); a row without a close is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.parsed import ParsedRows
from strikeloom.adapters.bhavcopy.table import CsvTable, TextColumn
from strikeloom.adapters.parquet.datasets import DATASETS, paise_array

if TYPE_CHECKING:
    import pyarrow as pa

#: The exchange's names of indices that have a symbol, in lower case, since their case varies.
SYMBOLS = {
    "nifty 50": "NIFTY",
    "nifty bank": "BANKNIFTY",
    "nifty financial services": "FINNIFTY",
    "nifty midcap select": "MIDCPNIFTY",
    "nifty next 50": "NIFTYNXT50",
    "india vix": "INDIAVIX",
}
EXCHANGE, OTHER = "nse", "other"

_SIDES = ("open", "high", "low", "close")
_NAME, _DAY = "Index Name", "Index Date"
_CLOSES = dict(
    zip(
        _SIDES,
        ("Open Index Value", "High Index Value", "Low Index Value", "Closing Index Value"),
        strict=True,
    )
)
_VIX = dict(zip(_SIDES, ("Open", "High", "Low", "Close"), strict=True))
CLOSES_COLUMNS = (_NAME, _DAY, *_CLOSES.values())
VIX_COLUMNS = ("Date", *_VIX.values(), "Prev. Close", "% Change")
#: Compared without regard to case; further columns (volume, returns) are not read.
SERIES_COLUMNS = ("date", *_SIDES)


def symbol_of(name: str) -> str:
    """Our symbol of an index where there is one, else the exchange's name."""
    return SYMBOLS.get(name.lower(), name)


def index_closes(text: CsvText) -> ParsedRows:
    """``ind_close_all``: every index of a day."""
    table = CsvTable(text, texts=[_NAME, _DAY], numbers=list(_CLOSES.values()))
    names = table.texts(_NAME)
    symbols = TextColumn([symbol_of(name) for name in names.distinct], names.codes)
    return _levels(table, symbols.array(), _DAY, _CLOSES, EXCHANGE)


def volatility_index(text: CsvText) -> ParsedRows:
    """India VIX from the exchange's history page. No other index has this header."""
    return _single_index(text, "Date", _VIX, "INDIAVIX", EXCHANGE)


def index_series(text: CsvText) -> ParsedRows:
    """History of one index that the file does not name; column ``index`` is empty."""
    theirs = {name.lower(): name for name in reversed(text.header)}
    sides = {side: theirs[side] for side in _SIDES}
    return _single_index(text, theirs["date"], sides, "", OTHER)


def _single_index(
    text: CsvText, day: str, sides: Mapping[str, str], name: str, publisher: str
) -> ParsedRows:
    import pyarrow as pa

    table = CsvTable(text, texts=[day], numbers=list(sides.values()))
    return _levels(table, pa.repeat(name, table.rows), day, sides, publisher)


def _levels(
    table: CsvTable, names: pa.Array, day: str, sides: Mapping[str, str], publisher: str
) -> ParsedRows:
    import pyarrow as pa

    levels = {side: table.prices(theirs) for side, theirs in sides.items()}
    opens, high, low, close = levels.values()
    table.refuse((opens > high) | (opens < low), sides["open"], "low <= open <= high")
    if not table.text.body.endswith(b"\n"):
        last = np.arange(table.rows) == table.rows - 1
        cut = last & ((close > high) | (close < low))
        table.refuse(cut, sides["close"], "a level from low to high; the file may be cut off")
        if table.text.body.endswith(b",") and table.text.header[-1]:
            table.text.refuse(table.rows - 1, "ends at a comma; the file is cut off")
    columns = {
        "day": pa.array(table.days(day)),
        "index": names,
        "publisher": pa.repeat(publisher, table.rows),
        **{side: paise_array(values) for side, values in levels.items()},
    }
    schema = DATASETS["indices"].on_disk
    arrays = [columns[name].cast(schema.field(name).type) for name in schema.names]
    known = ~np.isnan(close)
    left_out = table.rows - int(known.sum())
    return ParsedRows(
        pa.Table.from_arrays(arrays, schema=schema).filter(pa.array(known)),
        f"{left_out} rows without a close left out" if left_out else "",
    )
