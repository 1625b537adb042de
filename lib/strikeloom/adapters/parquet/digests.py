"""Digest of the content of rows: equal for equal rows, whatever their file."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.adapters.parquet.datasets import Dataset, is_text
from strikeloom.adapters.parquet.scopes import scopes

if TYPE_CHECKING:
    import pyarrow as pa

Hashes = NDArray[np.uint64]

#: Sixteen hexadecimal digits by scope within the partition.
Digests = dict[str, str]

_STEP, _FIRST, _SECOND = (
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_TEXTS_KEPT = 8192  # the symbols of the exchange are 2,500
_ABSENT = np.uint64(0xD6E8FEB86659FD93)


def digests(table: pa.Table, dataset: Dataset) -> Digests:
    """Digest of the rows of each scope; their order does not matter.

    Notes
    -----
    Each row is mixed to 64 bits (SplitMix64, Steele, Lea and Flood 2014) and those of a scope are
    added: this detects unnoticed changes, not deliberate forgery.
    """
    rows, spare = np.zeros((2, len(table)), dtype=np.uint64)
    for name in dataset.columns:
        rows += _STEP
        rows ^= _hashes(table[name])
        _mix(rows, spare)
    names, place = scopes(table, dataset)
    if len(names) == 1:
        return {names[0]: _digest(rows)}
    return {name: _digest(rows[place == number]) for number, name in enumerate(names)}


def _digest(rows: Hashes) -> str:
    total = int(np.add.reduce(rows, dtype=np.uint64)) + len(rows)
    return f"{total % 2**64:016x}"


def _mix(hashes: Hashes, spare: Hashes) -> None:
    """Mix in place; ``spare`` is memory of the same size, as most time went into new arrays."""
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        np.right_shift(hashes, np.uint64(shift), out=spare)
        hashes ^= spare
        hashes *= factor
    np.right_shift(hashes, np.uint64(31), out=spare)
    hashes ^= spare


def _hashes(column: pa.ChunkedArray) -> Hashes:
    """64 bits of each value; of a text, 64 bits of its SHA-256."""
    import pyarrow as pa

    array = column.combine_chunks()
    kind, known = array.type, None
    if array.null_count:
        known = array.is_valid().to_numpy(zero_copy_only=False)
    if is_text(kind):
        coded = array.dictionary_encode()
        texts = coded.dictionary.to_pylist()
        table = np.array([_text_hash(text) for text in texts] or [0], dtype=np.uint64)
        hashes = table[coded.indices.fill_null(0).to_numpy()]
    elif pa.types.is_floating(kind):
        hashes = array.fill_null(0).to_numpy(zero_copy_only=False).view(np.uint64)
    else:
        narrow = pa.int32() if pa.types.is_date(kind) else None
        if pa.types.is_boolean(kind):
            narrow = pa.uint8()
        plain = (array.cast(narrow) if narrow else array).cast(pa.int64())
        plain = plain if known is None else plain.fill_null(0)
        hashes = plain.to_numpy().view(np.uint64)
    return hashes if known is None else np.where(known, hashes, _ABSENT)


@lru_cache(maxsize=_TEXTS_KEPT)
def _text_hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
