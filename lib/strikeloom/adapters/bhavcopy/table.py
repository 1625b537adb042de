"""CSV text to checked columns; errors name the file, the line and the expected value."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.dates import to_date
from strikeloom.adapters.bhavcopy.packed import MOST_HEADER
from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import pyarrow as pa

_MISSING = ["", "-", " ", " -", "- ", " - "]
_SHOWN = 80
_MOST = 1e13  # rupees or units; larger numbers are errors


@dataclass(frozen=True)
class TextColumn:
    """A column of texts: the distinct texts, and the code of the one in each row."""

    distinct: list[str]
    codes: np.ndarray

    def array(self) -> pa.Array:
        """Column as Arrow strings."""
        import pyarrow as pa

        texts = pa.array(self.distinct, pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(self.codes), texts).cast(pa.string())

    def coded(self) -> pa.Array:
        """Column as dictionary-coded strings, each text once, in the order of their rows."""
        import pyarrow as pa

        used = np.bincount(self.codes, minlength=len(self.distinct)) > 0
        if not used.all() or len(set(self.distinct)) < len(self.distinct):
            return self.array().dictionary_encode()
        texts = pa.array(self.distinct, pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(self.codes), texts)


class CsvTable:
    """Rows of a CSV text, column by column.

    Parameters
    ----------
    texts, numbers : sequence of str
        Columns to read (names as in ``text.header``).
    fixed : sequence of str
        Those of the texts that hold the same text in every row of a sound file.

    Raises
    ------
    BadFile
        When a line has too few or too many fields, a number is invalid, or there are no rows.
    """

    def __init__(
        self,
        text: CsvText,
        *,
        texts: Sequence[str],
        numbers: Sequence[str],
        fixed: Sequence[str] = (),
    ) -> None:
        import pyarrow as pa

        self.text = text
        kinds = {
            **dict.fromkeys(texts, pa.dictionary(pa.int32(), pa.string())),
            **dict.fromkeys(numbers, pa.float64()),
            **dict.fromkeys(fixed, pa.string()),  # to compare them costs less than to code them
        }
        self._columns = _parsed(text, kinds)
        self.rows = len(self._columns)
        self._kept: np.ndarray | None = None

    def leave_out(self, column: str, text: str) -> int:
        """Leave out the rows with a text; returns how many there are."""
        values = self._texts(column)
        if text not in values.distinct:
            return 0
        kept = np.flatnonzero(values.codes != values.distinct.index(text))
        left_out = self.rows - len(kept)
        self._columns, self._kept, self.rows = self._columns.take(kept), kept, len(kept)
        return left_out

    def texts(self, column: str) -> TextColumn:
        """Texts without surrounding blanks.

        Raises
        ------
        BadFile
            When a row is empty.
        """
        values = self._texts(column)
        empty = [code for code, text in enumerate(values.distinct) if not text]
        self._refuse_texts(column, values, empty, "a text")
        return values

    def translated(self, column: str, translation: Mapping[str, str]) -> TextColumn:
        """Texts translated by a mapping.

        Raises
        ------
        BadFile
            When a text is not in the mapping.
        """
        values = self._texts(column)
        unknown = [code for code, text in enumerate(values.distinct) if text not in translation]
        known = ", ".join(sorted(text for text in translation if text))
        self._refuse_texts(column, values, unknown, f"one of {known}")
        # rows left out may have been the only ones with a text
        return TextColumn([translation.get(text, "") for text in values.distinct], values.codes)

    def days(self, column: str) -> np.ndarray:
        """Dates as datetime64[D].

        Raises
        ------
        BadFile
            When a text is not a date.
        """
        values = self._texts(column)
        dates = [to_date(text) for text in values.distinct]
        wrong = [code for code, day in enumerate(dates) if day is None]
        self._refuse_texts(column, values, wrong, "a date such as 2026-01-31 or 31-JAN-2026")
        distinct = np.array([day or "NaT" for day in dates], dtype="datetime64[D]")
        return np.asarray(distinct[values.codes])

    def prices(self, column: str) -> np.ndarray:
        """Rupees; NaN where the file has no price or zero.

        Raises
        ------
        BadFile
            When one is negative or absurdly large.
        """
        values = self.numbers(column)
        self.refuse((values < 0) | (values > _MOST), column, "a price that is not negative")
        return np.where(values > 0, values, np.nan)

    def numbers(self, column: str) -> np.ndarray:
        """Numbers as they are; NaN where there is none."""
        return np.asarray(self._columns[column].to_numpy(), dtype=np.float64)

    def is_zero(self, column: str) -> np.ndarray:
        """Whether the file states 0."""
        return np.asarray(self.numbers(column) == 0)

    def counts(self, column: str, *, least: int | None = 0) -> np.ndarray:
        """Whole numbers as int64, ``least`` or more.

        Raises
        ------
        BadFile
            When one is missing, broken or too small.
        """
        values = self.numbers(column)
        bad = ~(np.abs(values) <= _MOST) | (values != np.rint(values))
        expected = "a whole number"
        if least is not None:
            bad |= values < least
            expected += f" of {least} or more"
        self.refuse(bad, column, expected)
        return values.astype(np.int64)

    def refuse(self, bad: np.ndarray, column: str, expected: str) -> None:
        """Raise ``BadFile`` for the first bad row, if any."""
        if bad.any():
            row = int(np.argmax(bad))
            value = self._columns[column][row].as_py()
            shown = "empty" if value is None else repr(value)[:_SHOWN]
            place = row if self._kept is None else int(self._kept[row])
            self.text.refuse(place, f"{column} is {shown}, expected {expected}")

    def _refuse_texts(self, column: str, values: TextColumn, wrong: list[int], what: str) -> None:
        """Raise ``BadFile`` for the first row with one of the distinct texts, if any is wrong."""
        if wrong:
            self.refuse(np.isin(values.codes, wrong), column, what)

    def _texts(self, name: str) -> TextColumn:
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self._columns[name]
        if pa.types.is_string(column.type):
            if pc.all(pc.equal(column, column[0])).as_py():
                return TextColumn([column[0].as_py().strip()], np.zeros(self.rows, np.int32))
            column = column.dictionary_encode()
        array = column.unify_dictionaries().combine_chunks()
        return TextColumn(
            [text.strip() for text in array.dictionary.to_pylist()],
            array.indices.to_numpy(zero_copy_only=False),
        )


def _parsed(text: CsvText, kinds: Mapping[str, pa.DataType]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = _column_names(text)
    zeros = text.body.find(b"\0")  # Arrow reads on, and joins what is on both sides to one row
    if zeros >= 0:
        line = text.body.count(b"\n", 0, zeros) + 1
        raise BadFile(
            f"{text.name}: line {line} holds zero bytes, expected text; the file is damaged, "
            "download it again",
            line=line,
        )
    try:
        table = arrow.read_csv(
            pa.BufferReader(text.body),
            # one thread: only then do Arrow's errors name the row
            read_options=arrow.ReadOptions(column_names=names, skip_rows=1, use_threads=False),
            convert_options=arrow.ConvertOptions(
                include_columns=list(kinds),
                column_types=dict(kinds),
                null_values=_MISSING,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        _explain(str(error), text, names)
    if not len(table):
        raise _without_rows(text)
    return table


def _without_rows(text: CsvText) -> BadFile:
    return BadFile(f"{text.name}: line 2 is missing, expected rows below the header", line=2)


def _column_names(text: CsvText) -> list[str]:
    """Header names, one for each field of the first row; either line may end with a comma."""
    lines = text.body[: 2 * MOST_HEADER].split(b"\n", 2)
    first = lines[1].decode("utf-8", errors="replace") if len(lines) > 1 else ""
    try:
        fields = next(csv.reader([first]), [])
    except csv.Error:
        raise BadFile(
            f"{text.name}: line 2 is {first[:_SHOWN]!r}, expected fields separated by commas; the "
            "file is damaged, download it again",
            line=2,
        ) from None
    names = list(text.header)
    if len(fields) == len(names) + 1 and not fields[-1].strip():
        names.append("")
    elif len(fields) == len(names) - 1 and not names[-1]:
        names.pop()
    return [name or f"\0{place}" for place, name in enumerate(names)]


def _explain(error: str, text: CsvText, names: Sequence[str]) -> NoReturn:
    """Raise ``BadFile`` for an Arrow error with its line. Arrow's row 1 is the header."""
    match = re.search(r"Row #(\d+)", error)
    if not match:
        if "skip initial" in error:  # only a header, without a line end
            raise _without_rows(text)
        raise BadFile(f"{text.name}: is not a CSV table: {error[:_SHOWN]}")
    row = int(match[1]) - 2
    fields = re.search(r"Expected (\d+) columns, got (\d+)", error)
    if fields:
        text.refuse(
            row,
            f"{fields[2]} fields, expected {fields[1]}; the file is cut off or damaged, download "
            "it again",
        )
    column = re.search(r"CSV column #(\d+)", error)
    value = re.search(r"invalid value '(.*)'", error, re.DOTALL)
    name = names[int(column[1])] if column else "a field"
    shown = repr(value[1])[:_SHOWN] if value else "not UTF-8"
    text.refuse(row, f"{name} is {shown}, expected {'a number' if value else 'plain text'}")
