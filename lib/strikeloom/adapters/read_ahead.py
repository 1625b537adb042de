"""Reading in threads, a few items ahead of whoever uses them.

Arrow and zlib release the interpreter lock, so that reading goes on beside the work on what was
read; a bound on the items ahead keeps memory flat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Content = TypeVar("Content")


def read_ahead(
    items: Iterable[Item], read: Callable[[Item], Content], *, threads: int, ahead: int
) -> Iterator[tuple[Item, Future[Content]]]:
    """Items in order, each with what is read of it; its ``result`` raises what reading raised.

    Parameters
    ----------
    ahead : int
        Items read, or being read, besides the one in use.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[Item, Future[Content]]] = deque()
        for item in items:
            waiting.append((item, pool.submit(read, item)))
            if len(waiting) > ahead:
                yield waiting.popleft()
        yield from waiting
