"""Reuse of the memory of earlier large results.

The system allocates large blocks page by page and zeroes them each time: for six Greeks of a
million options that takes as long as computing them. A result returns its memory when the last
array that refers to it is gone.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Smaller blocks are kept by the allocator itself; larger ones (in numbers) are not kept.
_LEAST, _MOST = 1 << 19, 1 << 24
_spare: deque[Floats] = deque(maxlen=2)


class _Loan:
    """Owner of a block while arrays refer to it."""

    __slots__ = ("__array_interface__", "_give_back", "_memory")

    def __init__(self, memory: Floats, size: int) -> None:
        self._memory = memory
        self._give_back = _spare.append  # still bound when the interpreter exits
        self.__array_interface__: dict[str, Any] = memory[:size].__array_interface__

    def __del__(self) -> None:
        self._give_back(self._memory)


def empty_table(lines: int, size: int) -> Floats:
    """Uninitialised C-contiguous table of that shape."""
    count = lines * size
    if not _LEAST <= count <= _MOST:
        return np.empty((lines, size))
    try:
        memory = _spare.pop()
    except IndexError:
        memory = np.empty(count)
    if not count <= memory.size <= 4 * count:
        memory = np.empty(count)
    return np.asarray(_Loan(memory, count)).reshape(lines, size)
