"""Scopes of a partition: the parts of it whose sources and content are recorded separately."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.adapters.parquet.datasets import Dataset

if TYPE_CHECKING:
    import pyarrow as pa


def scopes(table: pa.Table, dataset: Dataset) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the scopes that rows belong to, and the place among them of each row's own.

    A dataset without scopes has one without a name, even when there are no rows.
    """
    codes = np.zeros(len(table), dtype=np.int64)
    if not dataset.scope:
        return [""], codes
    parts = table.select(dataset.scope)
    for name in dataset.scope:
        indices = parts[name].combine_chunks().dictionary_encode().indices.to_numpy()
        codes = codes * (int(indices.max(initial=0)) + 1) + indices
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    columns = [parts[name].take(first).to_pylist() for name in dataset.scope]
    return [" ".join(map(str, row)) for row in zip(*columns, strict=True)], place
