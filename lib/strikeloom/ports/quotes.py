"""Cache of the watcher's latest quotes, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from strikeloom.domain.quotes import Quote


class QuoteCache(Protocol):
    """One quote per contract and market; only a newer quote replaces a stored one."""

    def put(self, quotes: Iterable[Quote]) -> None:
        """Store the quotes that are newer than the stored ones."""
        ...

    def get(self, keys: Iterable[str]) -> dict[str, Quote]:
        """Quotes by contract key; unknown keys are absent."""
        ...
