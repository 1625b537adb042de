"""Where work is done: in this process, in processes of this machine, on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """One piece of work that ended.

    Attributes
    ----------
    item : object
        What it was done for.
    error : str
        Why it failed; empty when it was done.
    """

    item: Any
    error: str = ""


class Workers(Protocol):
    """Does the same work for many items. Nothing is returned but what ended, and how."""

    def run(self, work: Callable[[T], None], items: Sequence[T]) -> Iterator[Done]:
        """Do the work for each item, in any order; each is told as it ends.

        A failure of one item stops no other. A worker that is lost has its item done by
        another.

        Parameters
        ----------
        work : callable
            Sent to the workers: it and its items can be pickled. Doing it twice is harmless.
        """
        ...
