"""Cash bhavcopy and index files to ``CASH`` and ``INDICES``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.bhavcopy.contracts import DAY_MONTH, ISO
from strikeloom.adapters.bhavcopy.table import days, floats, read_table, texts
from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Names of the exchange's index files that we know by a symbol.
INDEX_SYMBOLS = {
    "Nifty 50": "NIFTY",
    "Nifty Bank": "BANKNIFTY",
    "Nifty Financial Services": "FINNIFTY",
    "Nifty Midcap Select": "MIDCPNIFTY",
    "Nifty Next 50": "NIFTYNXT50",
    "India VIX": "INDIAVIX",
}


def cash(body: bytes, name: str, header: list[str]) -> pd.DataFrame:
    """Cash bhavcopy, one day or stacked; the EQ series alone (underlyings of options are EQ)."""
    import pandas as pd

    columns = {
        "open": "OPEN_PRICE",
        "high": "HIGH_PRICE",
        "low": "LOW_PRICE",
        "close": "CLOSE_PRICE",
        "previous_close": "PREV_CLOSE",
    }
    table = _texts(
        body, name, header, "SYMBOL", "SERIES", "DATE1", "TTL_TRD_QNTY", *columns.values()
    )
    frame = pd.DataFrame(
        {
            "day": days(table, "DATE1", name, DAY_MONTH),
            "symbol": texts(table, "SYMBOL"),
            **{ours: _numbers(table, theirs, name) for ours, theirs in columns.items()},
            "volume": _numbers(table, "TTL_TRD_QNTY", name).astype(np.int64),
        }
    )
    return frame[texts(table, "SERIES") == "EQ"].reset_index(drop=True)


def index_closes(body: bytes, name: str, header: list[str]) -> pd.DataFrame:
    """The exchange's closes of all indices of a day."""
    columns = {
        "open": "Open Index Value",
        "high": "High Index Value",
        "low": "Low Index Value",
        "close": "Closing Index Value",
    }
    table = _texts(body, name, header, "Index Name", "Index Date", *columns.values())
    names = np.array([INDEX_SYMBOLS.get(n, n) for n in texts(table, "Index Name")], dtype=object)
    return _levels(table, name, names, "Index Date", "%d-%m-%Y", "nse", columns)


def vix(body: bytes, name: str, header: list[str]) -> pd.DataFrame:
    """India VIX as the exchange's history page gives it (four decimals, kept to the paisa)."""
    columns = {"open": "Open", "high": "High", "low": "Low", "close": "Close"}
    table = _texts(body, name, header, "Date", *columns.values())
    names = np.full(table.num_rows, "INDIAVIX", dtype=object)
    return _levels(table, name, names, "Date", DAY_MONTH, "nse-history", columns)


def index_history(body: bytes, name: str, header: list[str]) -> pd.DataFrame:
    """History of one index whose name is not in the file; ``index`` is left empty."""
    import pyarrow as pa

    columns = {side: side for side in ("open", "high", "low", "close")}
    types = {"date": pa.string(), **{side: pa.float64() for side in columns}}
    table = read_table(body, name, header, types)
    names = np.full(table.num_rows, "", dtype=object)
    return _levels(table, name, names, "date", ISO, "other", columns)


def _levels(
    table: pa.Table,
    name: str,
    names: np.ndarray,
    date_column: str,
    form: str,
    publisher: str,
    columns: dict[str, str],
) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    def read(column: str) -> np.ndarray:
        typed = pa.types.is_floating(table.schema.field(column).type)
        return floats(table, column) if typed else _numbers(table, column, name)

    frame = pd.DataFrame(
        {
            "day": days(table, date_column, name, form),
            "index": names,
            "publisher": publisher,
            **{ours: read(theirs) for ours, theirs in columns.items()},
        }
    )
    if frame["close"].isna().all():
        raise BadFile(f"{name}: no closing level in any line")
    return frame[frame["close"].notna()].reset_index(drop=True)


def _texts(body: bytes, name: str, header: list[str], *columns: str) -> pa.Table:
    """Columns as texts: these files pad their numbers with blanks and write - for missing."""
    import pyarrow as pa

    return read_table(body, name, header, {column: pa.string() for column in columns})


def _numbers(table: pa.Table, column: str, name: str) -> np.ndarray:
    import pandas as pd

    raw = texts(table, column)
    values = pd.to_numeric(pd.Series(raw).replace({"-": None, "": None}), errors="coerce")
    bad = values.isna().to_numpy() & (raw != "-") & (raw != "")
    if bad.any():
        line = int(np.argmax(bad)) + 2
        raise BadFile(
            f"{name}: line {line}: {column} is {raw[line - 2]!r}, expected a number", line=line
        )
    return values.to_numpy(dtype=np.float64)
