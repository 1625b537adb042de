"""Merging new rows into a stored partition: once, completed, or refused.

A row that is already stored and equal is left alone. A column the stored row does not know is
filled from the new one. Two known values that differ are a contradiction, and nothing of the
partition is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strikeloom.adapters.parquet.datasets import Dataset
from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import pandas as pd


def merge(
    stored: pd.DataFrame, fresh: pd.DataFrame, dataset: Dataset, *, sources: tuple[str, str]
) -> tuple[pd.DataFrame, int]:
    """Join two disk-form frames of one partition.

    Parameters
    ----------
    sources : tuple of str
        Where the stored and the fresh rows come from, for the message.

    Returns
    -------
    frame, changed
        The merged frame in key order and the rows that are new or completed.

    Raises
    ------
    BadFile
        When a known value is contradicted.
    """
    import numpy as np
    import pandas as pd

    key = dataset.key
    both = stored.merge(fresh, on=key, how="outer", suffixes=("", "\0new"), indicator="\0side")
    side = both["\0side"].to_numpy()
    only_new, shared = side == "right_only", side == "both"
    completed = np.zeros(len(both), dtype=bool)
    out: dict[str, object] = {name: both[name] for name in key}
    for name in dataset.columns:
        if name in key:
            continue
        old, new = both[name], both[f"{name}\0new"]
        old_known = _known(old, name, dataset) & ~only_new
        new_known = _known(new, name, dataset) & (side != "left_only")
        differs = shared & old_known & new_known & ~_equal(old, new)
        if differs.any():
            row = both.loc[differs].iloc[0]
            where = ", ".join(f"{k} {_plain(row[k])}" for k in key)
            raise BadFile(
                f"{sources[1]} contradicts {sources[0]}: {name} of {where} is "
                f"{_value(row[f'{name}{chr(0)}new'], name, dataset)}, stored "
                f"{_value(row[name], name, dataset)} "
                f"({int(differs.sum())} rows differ). Remove the wrong file and import again",
                column=name,
                rows=int(differs.sum()),
            )
        filled = shared & ~old_known & new_known
        completed |= filled
        out[name] = old.where(~(only_new | filled), new).astype(stored[name].dtype)
    frame = pd.DataFrame(out)[list(dataset.columns)]
    frame = frame.sort_values(key, kind="stable", ignore_index=True)
    return frame, int(only_new.sum() + completed.sum())


def _known(column: pd.Series, name: str, dataset: Dataset) -> pd.Series:
    known = column.notna()
    if dataset.unknown.get(name) is not None:
        known &= column != dataset.unknown[name]
    return known.astype(bool)


def _equal(old: pd.Series, new: pd.Series) -> pd.Series:
    return (old == new).fillna(False).astype(bool)


def _plain(value: object) -> str:
    return str(value).removesuffix(" 00:00:00")


def _value(value: Any, name: str, dataset: Dataset) -> str:
    if dataset.columns[name] == "price":
        return f"{int(value) / 100:.2f}"
    return str(value)
