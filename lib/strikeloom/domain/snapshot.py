"""The market as one moment of a desk sees it: read once, judged for staleness in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.quotes import Quote
from strikeloom.errors import NoQuote


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """Quotes and underlying levels, and how old a quote may be that decides anything.

    Attributes
    ----------
    at : datetime
        The desk's moment; ages are measured against it.
    quotes : mapping of str to Quote
        By contract key; a contract without any quote is absent.
    max_age_seconds : float
        Seconds of the desk's time after which a quote is stale.
    mode : str
        Mode of the desk that set the limit, for messages.
    levels : mapping of str to tuple
        Underlying's level in paise and the moment it was true, by symbol; an unknown level is
        absent.
    """

    at: datetime
    quotes: Mapping[str, Quote]
    max_age_seconds: float
    mode: str
    levels: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)

    def age(self, moment: datetime) -> float:
        """Seconds from a moment to the snapshot's."""
        return (self.at - moment).total_seconds()

    def is_stale(self, moment: datetime) -> bool:
        """Whether what was true at a moment is too old to decide anything."""
        return self.age(moment) > self.max_age_seconds

    def fresh(self, instrument: Instrument) -> Quote:
        """Quote by which orders may be priced and exits decided.

        Raises
        ------
        NoQuote
            When there is none, or it is stale; then with its ``age`` and the ``limit`` in
            seconds.
        """
        quote = self.quotes.get(instrument.key)
        if quote is None:
            raise NoQuote(f"{instrument.label} has no quote now", key=instrument.key)
        if self.is_stale(quote.at):
            age, limit = self.age(quote.at), self.max_age_seconds
            raise NoQuote(
                f"{instrument.label}: its quote is {age:.0f} s old, {limit:.0f} s are allowed in "
                f"mode {self.mode}",
                key=instrument.key,
                age=age,
                limit=limit,
            )
        return quote

    def level(self, symbol: str) -> int | None:
        """Fresh level of an underlying in paise; ``None`` when it is unknown or stale."""
        known = self.levels.get(symbol)
        return None if known is None or self.is_stale(known[1]) else known[0]
