"""Work in this process, one item after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from strikeloom.errors import StrikeloomError
from strikeloom.ports.workers import Done

T = TypeVar("T")


class HereWorkers:
    """``ports.workers.Workers`` without other processes."""

    def run(self, work: Callable[[T], None], items: Sequence[T]) -> Iterator[Done]:
        """Do the work for each item in order."""
        for item in items:
            yield done(work, item)


def done(work: Callable[[T], None], item: T) -> Done:
    """Do the work for one item. Errors of this package become outcomes; others raise."""
    try:
        work(item)
    except StrikeloomError as error:
        return Done(item, str(error))
    return Done(item)
