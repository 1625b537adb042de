"""Work in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from strikeloom.adapters.workers.here import done
from strikeloom.errors import StageError
from strikeloom.ports.workers import Done

T = TypeVar("T")

_MOST_LOSSES = 3


class ProcessWorkers:
    """``ports.workers.Workers`` in ``count`` processes, which end with the run or with this one.

    When a process is killed, its item and those still waiting are done by new processes. After
    three losses the run ends, since something (lack of memory) keeps killing them.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def run(self, work: Callable[[T], None], items: Sequence[T]) -> Iterator[Done]:
        """Do the work for each item, ``count`` at a time.

        Raises
        ------
        StageError
            When processes are lost three times.
        """
        left = list(items)
        for _ in range(_MOST_LOSSES):
            yield from self._round(work, left)
            if not left:
                return
        raise StageError(
            f"{_MOST_LOSSES} times a process was killed while working on {left[0]} or another "
            "item; is memory short? Completed days are kept: run again with "
            "processes=1, or free memory"
        )

    def _round(self, work: Callable[[T], None], left: list[T]) -> Iterator[Done]:
        """Work until all is done or a process is lost; removes completed items from ``left``."""
        # spawned: a fork would copy the locks of this process's threads in any state
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._count, mp_context=context, initializer=_end_with_parent)
        try:
            waiting = {pool.submit(done, work, item): item for item in left}
            for future in as_completed(waiting):
                outcome = future.result()
                left.remove(waiting[future])
                yield outcome
        except BrokenProcessPool:
            return
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when its parent ends, even if the parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
