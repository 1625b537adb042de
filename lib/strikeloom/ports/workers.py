"""Workers that compute: this process, processes of this machine, or a cluster."""

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
        The item that it was done for.
    error : str
        Why it failed; empty when it succeeded.
    """

    item: Any
    error: str = ""


class Workers(Protocol):
    """Does the same work for many items, and reports which have ended and how."""

    def run(self, work: Callable[[T], None], items: Sequence[T]) -> Iterator[Done]:
        """Do the work for each item, in any order; yield each item as it ends.

        A failure of one item stops no other. When a worker is lost, another does its item.

        Parameters
        ----------
        work : callable
            Sent to the workers: it and its items can be pickled, and it may run twice.
        """
        ...
