"""Digest of the content of rows: equal for equal rows, whatever their file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.adapters.parquet.datasets import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

Hashes = NDArray[np.uint64]

#: Sixteen hexadecimal digits by scope within the partition.
Digests = dict[str, str]

_STEP, _FIRST, _SECOND = (
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_ABSENT = np.uint64(0xD6E8FEB86659FD93)


def digests(table: pa.Table, dataset: Dataset) -> Digests:
    """Digest of the rows of each scope; their order does not matter.

    Notes
    -----
    Each row is mixed to 64 bits (SplitMix64, Steele, Lea and Flood 2014) and those of a scope are
    added: this detects unnoticed changes, not deliberate forgery.
    """
    rows = np.zeros(len(table), dtype=np.uint64)
    for name in dataset.columns:
        rows = _mixed((rows + _STEP) ^ _hashes(table[name]))
    if not dataset.scope:
        return {"": _digest(rows)}
    parts = table.select(dataset.scope)
    codes = np.zeros(len(table), dtype=np.int64)
    for name in dataset.scope:
        indices = parts[name].combine_chunks().dictionary_encode().indices.to_numpy()
        codes = codes * (int(indices.max(initial=0)) + 1) + indices
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    names = [
        " ".join(str(value) for value in row.values()) for row in parts.take(first).to_pylist()
    ]
    return {name: _digest(rows[place == number]) for number, name in enumerate(names)}


def _digest(rows: Hashes) -> str:
    total = int(np.add.reduce(rows, dtype=np.uint64)) + len(rows)
    return f"{total % 2**64:016x}"


def _mixed(hashes: Hashes) -> Hashes:
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _FIRST
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _SECOND
    return hashes ^ (hashes >> np.uint64(31))


def _hashes(column: pa.ChunkedArray) -> Hashes:
    """64 bits of each value; of a text, 64 bits of its SHA-256."""
    import pyarrow as pa

    array = column.combine_chunks()
    kind, known = array.type, array.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_string(kind):
        coded = array.dictionary_encode()
        texts = [
            hashlib.sha256(text.encode()).digest()[:8] for text in coded.dictionary.to_pylist()
        ]
        table = np.array([int.from_bytes(each, "big") for each in texts] or [0], dtype=np.uint64)
        return np.where(known, table[coded.indices.fill_null(0).to_numpy()], _ABSENT)
    if pa.types.is_floating(kind):
        hashes = array.fill_null(0).to_numpy(zero_copy_only=False).view(np.uint64)
    else:
        narrow = pa.int32() if pa.types.is_date(kind) else None
        if pa.types.is_boolean(kind):
            narrow = pa.uint8()
        plain = (array.cast(narrow) if narrow else array).cast(pa.int64()).fill_null(0)
        hashes = plain.to_numpy().astype(np.int64).view(np.uint64)
    return np.where(known, hashes, _ABSENT)
