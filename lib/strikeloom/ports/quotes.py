"""Last-value cache: what the watcher last saw, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from strikeloom.domain.quotes import Quote


class QuoteCache(Protocol):
    """One quote a contract and market; a newer one replaces an older one, never the reverse."""

    def put(self, quotes: Iterable[Quote]) -> None:
        """Keep the quotes that are newer than those held."""
        ...

    def get(self, keys: Iterable[str]) -> dict[str, Quote]:
        """Quotes by contract key; unknown keys are absent."""
        ...
