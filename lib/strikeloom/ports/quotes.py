"""Cache of the watcher's latest quotes and levels, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
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

    def put_levels(self, levels: Mapping[str, tuple[int, datetime]]) -> None:
        """Store levels of underlyings, in paise with their time, newer than the stored ones."""
        ...

    def levels(self, symbols: Iterable[str]) -> dict[str, tuple[int, datetime]]:
        """Level in paise and its time by symbol; unknown symbols are absent."""
        ...
