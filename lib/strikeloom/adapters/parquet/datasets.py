"""How each dataset lies on disk: its partitions, its key, its paise.

Prices are int64 paise (null when there is none), dates date32, moments microseconds in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from strikeloom.domain.frames import CASH, CONTRACTS, INDICES, QUOTES, Schema

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of history.

    Attributes
    ----------
    moment : str
        Column that says which partition a row belongs to.
    grain : str
        Partition name as a ``strftime`` format of that column.
    unknown : dict
        Value of a column that a file's layout does not carry; a known value replaces it.
    """

    schema: Schema
    moment: str
    grain: str
    unknown: dict[str, object]

    @property
    def columns(self) -> dict[str, str]:
        """Columns on disk with their families."""
        extra = {} if self.moment in self.schema.columns else {self.moment: "date"}
        return {**extra, **self.schema.columns}

    @property
    def key(self) -> list[str]:
        """Columns that identify a row on disk."""
        extra = [] if self.moment in self.schema.key else [self.moment]
        return extra + list(self.schema.key)


DATASETS = {
    "contracts": Dataset(
        CONTRACTS,
        "day",
        "%Y-%m-%d",
        {"instrument_id": 0, "lot_size": 0, "underlying": None},
    ),
    "cash": Dataset(CASH, "day", "%Y-%m", {}),
    "indices": Dataset(INDICES, "day", "%Y", {}),
    "quotes": Dataset(QUOTES, "at", "%Y-%m-%d", {}),
}

INDIA = "Asia/Kolkata"


def to_disk(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Rupees to paise, in key order."""
    import numpy as np
    import pandas as pd

    out: dict[str, object] = {}
    for name, family in dataset.columns.items():
        column = frame[name]
        if family == "price":
            values = column.to_numpy(dtype=np.float64)
            absent = np.isnan(values)
            paise = np.rint(np.where(absent, 0.0, values) * 100).astype(np.int64)
            out[name] = pd.arrays.IntegerArray(paise, absent)
        elif family == "text":
            out[name] = column.astype("str").to_numpy(dtype=object)
        elif family == "time":
            out[name] = column.dt.tz_convert(None).astype("datetime64[us]").to_numpy()
        elif family == "date":
            out[name] = column.astype("datetime64[s]").to_numpy()
        else:
            out[name] = column.to_numpy()
    return pd.DataFrame(out).sort_values(dataset.key, kind="stable", ignore_index=True)


def from_disk(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Paise to rupees, UTC to Asia/Kolkata."""
    import numpy as np
    import pandas as pd

    out: dict[str, object] = {}
    for name, family in dataset.columns.items():
        column = frame[name]
        if family == "price":
            out[name] = column.to_numpy(dtype=np.float64, na_value=np.nan) / 100
        elif family == "date":
            out[name] = pd.to_datetime(column).astype("datetime64[s]").to_numpy()
        elif family == "time":
            moments = pd.to_datetime(column)
            moments = moments.dt.tz_localize("UTC") if moments.dt.tz is None else moments
            out[name] = moments.dt.tz_convert(INDIA).astype(f"datetime64[us, {INDIA}]")
        elif family == "count":
            out[name] = column.to_numpy(dtype=np.int64)
        else:
            out[name] = column
    return pd.DataFrame(out)
