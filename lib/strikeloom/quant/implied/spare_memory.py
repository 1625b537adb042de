"""Large results in memory that an earlier result has given back.

The system hands out large blocks page by page, zeroed, each time anew: for six Greeks of a
million options that takes as long as computing them. A result here gives its memory back when
the last array that looks at it is gone.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Smaller blocks are kept by the allocator itself; larger ones (in numbers) are not worth keeping.
_LEAST, _MOST = 1 << 19, 1 << 24
_spare: deque[Floats] = deque(maxlen=2)


class _Lease:
    """Owner of a block while arrays look at it."""

    __slots__ = ("__array_interface__", "_give_back", "_memory")

    def __init__(self, memory: Floats, size: int) -> None:
        self._memory = memory
        self._give_back = _spare.append  # still known when the interpreter ends
        self.__array_interface__: dict[str, Any] = memory[:size].__array_interface__

    def __del__(self) -> None:
        self._give_back(self._memory)


def empty_table(lines: int, size: int) -> Floats:
    """Table of that shape, C-contiguous, holding anything."""
    count = lines * size
    if not _LEAST <= count <= _MOST:
        return np.empty((lines, size))
    try:
        memory = _spare.pop()
    except IndexError:
        memory = np.empty(count)
    if not count <= memory.size <= 4 * count:
        memory = np.empty(count)
    return np.asarray(_Lease(memory, count)).reshape(lines, size)
