"""CSV bytes to an Arrow table, with errors that name the file and the line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def read_table(
    body: bytes, name: str, header: list[str], types: dict[str, Any], null: tuple[str, ...] = ("",)
) -> pa.Table:
    """Columns named in ``types`` (by their stripped names), converted.

    Raises
    ------
    BadFile
        When a line has too few or too many fields, a value does not convert, or there is no
        line below the header.
    """
    import pyarrow as pa
    from pyarrow import csv

    stripped = [column.strip().strip('"').removeprefix("\ufeff") for column in header]
    names = [n if stripped.index(n) == i else f"{n}\0{i}" for i, n in enumerate(stripped)]
    try:
        table = csv.read_csv(
            pa.py_buffer(body),
            read_options=csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=False),
            convert_options=csv.ConvertOptions(
                include_columns=list(types),
                column_types=types,
                null_values=list(null),
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise _explained(str(error), name, len(names)) from None
    if not table.num_rows:
        raise BadFile(f"{name}: no line below the header", line=2)
    return table


def _explained(text: str, name: str, width: int) -> BadFile:
    """Arrow counts rows below the skipped header from 2 (the header itself is row 1)."""
    row = re.search(r"Row #(\d+)", text)
    line = int(row.group(1)) if row else 0
    where = f"line {line}" if line else "a line"
    fields = re.search(r"Expected (\d+) columns, got (\d+)", text)
    if fields:
        return BadFile(
            f"{name}: {where} has {fields.group(2)} fields, expected {width}; the file is cut off "
            "or of another kind",
            line=line,
        )
    first = text.splitlines()[0]
    return BadFile(f"{name}: {where}: {first}", line=line)


def floats(table: pa.Table, name: str) -> np.ndarray:
    """Column as float64, null as NaN."""
    import numpy as np

    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)


def counts(table: pa.Table, name: str) -> np.ndarray:
    """Column as int64, null as 0."""
    import numpy as np
    import pyarrow.compute as pc

    column = pc.fill_null(table[name], 0)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)


def texts(table: pa.Table, name: str) -> np.ndarray:
    """Column as str objects, trimmed, null as an empty string."""
    import numpy as np
    import pyarrow.compute as pc

    column = pc.utf8_trim_whitespace(pc.fill_null(table[name], ""))
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)


def days(table: pa.Table, name: str, file: str, form: str) -> np.ndarray:
    """Column of texts as dates; each distinct text is read once.

    Raises
    ------
    BadFile
        When a text is no date of that form.
    """
    import numpy as np
    import pandas as pd

    raw = texts(table, name)
    codes, distinct = pd.factorize(raw)
    parsed = pd.to_datetime(pd.Series(distinct), format=form, errors="coerce")
    if parsed.isna().any():
        bad = distinct[int(np.argmax(parsed.isna().to_numpy()))]
        line = int(np.argmax(raw == bad)) + 2
        raise BadFile(f"{file}: line {line}: {name} is {bad!r}, expected a date", line=line)
    return np.asarray(parsed.to_numpy().astype("datetime64[s]")[codes])
