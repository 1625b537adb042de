"""Format of each dataset on disk: partitions, key, prices in paise.

Prices are int64 paise (null when there is none; index levels in hundredths, so a volatility
index loses its third and fourth decimals), dates date32, times microseconds in UTC. Rows of
a partition are in key order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from strikeloom.domain.frames import CASH, CONTRACTS, INDICES, QUOTES, Schema
from strikeloom.errors import BadFrame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

PAISE = 100


@dataclass(frozen=True)
class Dataset:
    """One kind of history.

    Attributes
    ----------
    moment : str
        Column that determines the partition of a row.
    grain : str
        Partition name as a ``strftime`` format of that column.
    scope : tuple of str
        Columns by which the sources of a partition are recorded: those of a month of cash by
        day, those of a year of indices by day and publisher.
    unknown : dict
        Columns that a file layout may lack, with the value that marks them as unknown; a known
        value replaces it. In every other column a missing value is information like any other.
    tolerance : int
        Prices within this distance, in paise, are equal; the larger is kept. For index levels: the
        exchange publishes India VIX with four decimals in one file (14.465) and with two in
        another (14.47), and republishers round in their own ways.
    """

    name: str
    schema: Schema
    moment: str
    grain: str
    scope: tuple[str, ...] = ()
    unknown: dict[str, Any] = field(default_factory=dict)
    tolerance: int = 0

    @cached_property
    def columns(self) -> dict[str, str]:
        """Columns on disk with their families."""
        extra = {} if self.moment in self.schema.columns else {self.moment: "date"}
        return {**extra, **self.schema.columns}

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row on disk."""
        extra = () if self.moment in self.schema.key else (self.moment,)
        return extra + self.schema.key

    @cached_property
    def on_disk(self) -> pa.Schema:
        """Arrow schema of a partition."""
        import pyarrow as pa

        types = {
            "text": pa.string(),
            "date": pa.date32(),
            "time": pa.timestamp("us", "UTC"),
            "price": pa.int64(),
            "number": pa.float64(),
            "count": pa.int64(),
            "flag": pa.bool_(),
        }
        return pa.schema([pa.field(name, types[kind]) for name, kind in self.columns.items()])

    @cached_property
    def coded(self) -> pa.Schema:
        """``on_disk`` with texts dictionary-coded: in memory each distinct text is there once."""
        import pyarrow as pa

        coded = pa.dictionary(pa.int32(), pa.string())
        texts = {name for name, kind in self.columns.items() if kind == "text"}
        return pa.schema(
            [each.with_type(coded) if each.name in texts else each for each in self.on_disk]
        )


_LEVELS = dict.fromkeys(("open", "high", "low", "close"))

DATASETS = {
    kind.name: kind
    for kind in (
        Dataset(
            "contracts",
            CONTRACTS,
            "day",
            "%Y-%m-%d",
            unknown={
                "last_day": None,
                "instrument_id": 0,
                "lot_size": 0,
                "previous_close": None,
                "underlying": None,
            },
        ),
        Dataset("cash", CASH, "day", "%Y-%m", scope=("day",)),
        Dataset(
            "indices",
            INDICES,
            "day",
            "%Y",
            scope=("day", "publisher"),
            unknown=_LEVELS,
            tolerance=1,
        ),
        Dataset("quotes", QUOTES, "at", "%Y-%m-%d", unknown={"expiry": None}),  # of a share
        Dataset("chains", QUOTES, "at", "%Y-%m-%d", scope=("symbol",)),
    )
}


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds texts, plain or dictionary-coded."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_dictionary(kind))


def to_disk(frame: pd.DataFrame, dataset: Dataset, *, source: str) -> pa.Table:
    """Rupees to paise, Asia/Kolkata to UTC, columns as ``dataset.on_disk``.

    Raises
    ------
    BadFrame
        When a column is missing, of the wrong type, or lacks a required value.
    """
    import numpy as np
    import pyarrow as pa

    absent = [name for name in dataset.columns if name not in frame.columns]
    if absent:
        raise BadFrame(f"{source}: table {dataset.name} lacks column {', '.join(absent)}")
    arrays = []
    for name, family in dataset.columns.items():
        column = frame[name]
        try:
            if family == "price":
                array = paise_array(column.to_numpy(dtype=np.float64))
            elif family == "date":
                array = pa.array(column.to_numpy().astype("datetime64[D]"))
            else:
                array = pa.array(column, from_pandas=family != "number")
            array = array.cast(dataset.on_disk.field(name).type)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise BadFrame(
                f"{source}: column {name} of {dataset.name} is {column.dtype}, expected {family} "
                f"({error})",
                column=name,
            ) from error
        if family != "price" and name not in dataset.unknown and array.null_count:
            raise BadFrame(
                f"{source}: column {name} of {dataset.name} is empty in {array.null_count} rows; "
                "only prices and optional columns may be empty",
                column=name,
            )
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=dataset.on_disk)


def paise_array(rupees: np.ndarray) -> pa.Array:
    """Rupees (NaN: none) as int64 paise (null: none), rounded half to even.

    Raises
    ------
    ValueError
        When a price is infinite.
    """
    import numpy as np
    import pyarrow as pa

    absent = np.isnan(rupees)
    if np.isinf(rupees).any():
        raise ValueError("a price is infinite")
    paise = np.rint(np.where(absent, 0.0, rupees) * PAISE).astype(np.int64)
    return pa.array(paise, mask=absent)


def from_disk(table: pa.Table, dataset: Dataset) -> pd.DataFrame:
    """Paise to rupees, UTC to Asia/Kolkata, in the columns that the table has."""
    import pandas as pd

    from strikeloom.nse.sessions import IST

    out: dict[str, object] = {}
    for name in table.column_names:
        column, family = table[name], dataset.columns[name]
        if family == "text":
            out[name] = _texts(column)
            continue
        values = column.to_numpy()
        if family == "price":
            out[name] = values / PAISE
        elif family == "date":
            out[name] = values.astype("datetime64[s]")
        elif family == "time":
            moments = pd.DatetimeIndex(values).tz_localize("UTC")
            out[name] = moments.tz_convert(IST).as_unit("us")
        else:  # Arrow's read-only memory is copied
            out[name] = values if values.flags.writeable else values.copy()
    return pd.DataFrame(out, copy=False)


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    """Texts as objects, each distinct text of a chunk created once."""
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    texts = [
        chunk.dictionary.to_numpy(zero_copy_only=False)[chunk.indices.to_numpy()]
        for chunk in column.chunks
    ]
    return np.concatenate(texts) if texts else np.empty(0, dtype=object)
