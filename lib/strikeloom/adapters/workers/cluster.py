"""Work on a Dask cluster whose workers share the folders and have this package installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from strikeloom.adapters.workers.here import done
from strikeloom.errors import SettingsError
from strikeloom.ports.workers import Done

T = TypeVar("T")

_CONNECT_SECONDS = 10
_TRIES = 3


class ClusterWorkers:
    """``ports.workers.Workers`` over a scheduler's address (``tcp://host:8786``)."""

    def __init__(self, address: str) -> None:
        self._address = address

    def run(self, work: Callable[[T], None], items: Sequence[T]) -> Iterator[Done]:
        """Do the work for each item on the cluster.

        Items of a lost worker are done by others; an item that kills several workers ends as
        failed.

        Raises
        ------
        SettingsError
            When the cluster cannot be reached or the extra is not installed.
        """
        distributed = _distributed()
        with self._client(distributed) as client:
            futures = client.map(lambda item: done(work, item), items, pure=False, retries=_TRIES)
            places = {future.key: item for future, item in zip(futures, items, strict=True)}
            for future in distributed.as_completed(futures, loop=client.loop):
                error = future.exception()
                if error is None:
                    yield future.result()
                else:
                    yield Done(places[future.key], f"{type(error).__name__}: {error}")

    def _client(self, distributed: Any) -> Any:
        try:
            return distributed.Client(self._address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise SettingsError(
                f"no cluster responds at {self._address} ({type(error).__name__}); start one with "
                "dask scheduler and dask worker, or omit --cluster",
                address=self._address,
            ) from None


def _distributed() -> Any:
    """Import the library, an optional extra without types."""
    try:
        import distributed
    except ImportError:
        raise SettingsError(
            "a cluster needs the package distributed: pip install 'strikeloom[cluster]'"
        ) from None
    return distributed
