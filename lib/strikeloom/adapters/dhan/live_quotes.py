"""Last quotes of the feed, in this process's memory, behind ``ports.quotes``."""

from __future__ import annotations

from collections.abc import Iterable

from strikeloom.domain.quotes import Quote


class LiveQuotes:
    """``ports.quotes.QuoteCache`` without a file; safe between threads."""

    def __init__(self) -> None:
        self._held: dict[str, Quote] = {}

    def put(self, quotes: Iterable[Quote]) -> None:
        """Keep the quotes that are not older than those held."""
        held = self._held
        for quote in quotes:
            before = held.get(quote.key)
            if before is None or before.at <= quote.at:
                held[quote.key] = quote

    def get(self, keys: Iterable[str]) -> dict[str, Quote]:
        """Quotes by contract key; unknown keys are absent."""
        held = self._held
        return {key: quote for key in keys if (quote := held.get(key)) is not None}
