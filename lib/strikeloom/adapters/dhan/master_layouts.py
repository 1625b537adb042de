"""The two layouts of Dhan's instrument list, read by the names in their headers."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import pyarrow as pa

#: Our column -> header in the compact and in the detailed layout.
_COMPACT = {
    "exchange": "SEM_EXM_EXCH_ID",
    "part": "SEM_SEGMENT",
    "security_id": "SEM_SMST_SECURITY_ID",
    "instrument": "SEM_INSTRUMENT_NAME",
    "name": "SEM_TRADING_SYMBOL",
    "lot_size": "SEM_LOT_UNITS",
    "expiry": "SEM_EXPIRY_DATE",
    "strike": "SEM_STRIKE_PRICE",
    "right": "SEM_OPTION_TYPE",
    "tick": "SEM_TICK_SIZE",
    "series": "SEM_SERIES",
}
_DETAILED = {
    "exchange": "EXCH_ID",
    "part": "SEGMENT",
    "security_id": "SECURITY_ID",
    "instrument": "INSTRUMENT",
    "name": "UNDERLYING_SYMBOL",
    "lot_size": "LOT_SIZE",
    "expiry": "SM_EXPIRY_DATE",
    "strike": "STRIKE_PRICE",
    "right": "OPTION_TYPE",
    "tick": "TICK_SIZE",
    "series": "SERIES",
}
#: Columns that not every list has; empty text where they are absent.
_OPTIONAL = {"freeze": "SM_FREEZE_QTY"}
LAYOUTS = {"compact": _COMPACT, "detailed": _DETAILED}


def content(path: Path) -> bytes:
    """Bytes of a file, unpacked.

    Raises
    ------
    BadFile
        When it does not exist or cannot be unpacked.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data)
        if data[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return archive.read(archive.namelist()[0])
    except FileNotFoundError:
        raise BadFile(f"{path} does not exist", path=str(path)) from None
    except (OSError, EOFError, zipfile.BadZipFile, IndexError) as error:
        raise BadFile(f"{path} cannot be read ({error}); fetch it again", path=str(path)) from None
    return data


def columns(raw: bytes, where: str) -> tuple[pa.Table, str, list[str]]:
    """Return the columns we need as text under our names, the layout, and rows of another width.

    Raises
    ------
    BadFile
        When the header has neither layout, or the rows are not a table.
    """
    import pyarrow as pa
    from pyarrow import csv

    head, _, rest = raw.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    names = [name.strip().upper() for name in head.decode("utf-8", "replace").split(",")]
    layout = next((n for n, cols in LAYOUTS.items() if set(cols.values()) <= set(names)), "")
    if not layout:
        raise BadFile(
            f"{where} is not an instrument list of Dhan's: its header begins "
            f"{', '.join(names[:4])}; expected SEM_EXM_EXCH_ID, ... or EXCH_ID, SEGMENT, ...",
            path=where,
        )
    width = rest.partition(b"\n")[0].count(b",") + 1
    # either the header or its rows may end with an additional comma
    names = [name or f"_{place}" for place, name in enumerate(names)]
    names = (names + [f"_{place}" for place in range(len(names), width)])[: max(width, 1)]
    ragged: list[str] = []

    def skip_row(row: Any) -> str:
        ragged.append(f"row {row.number}: {row.actual_columns} columns, {row.expected_columns}")
        return "skip"

    optional = {name: header for name, header in _OPTIONAL.items() if header in names}
    wanted = LAYOUTS[layout] | optional
    try:
        found = csv.read_csv(
            io.BytesIO(rest),
            read_options=csv.ReadOptions(column_names=names),
            parse_options=csv.ParseOptions(invalid_row_handler=skip_row),
            convert_options=csv.ConvertOptions(
                include_columns=list(wanted.values()),
                column_types=dict.fromkeys(wanted.values(), pa.string()),
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, KeyError) as error:
        raise BadFile(f"{where} cannot be read as a table: {error}", path=where) from None
    found = found.rename_columns(list(wanted))
    for name in _OPTIONAL.keys() - optional.keys():
        found = found.append_column(name, pa.array([""] * found.num_rows, pa.string()))
    return found, layout, ragged
