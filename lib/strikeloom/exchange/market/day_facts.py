"""What is known of a market day besides its prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from strikeloom.exchange.market.columns import Ints


@dataclass(frozen=True)
class DayFacts:
    """What is known of a day before it begins, and after it ends. Paise and units.

    Attributes
    ----------
    previous_close, previous_interest, previous_volume : ndarray, shape (contracts,)
        0 where unknown.
    spot_close : mapping of str to int
        Close of the day before by underlying.
    settlements : mapping of str to int
        Final value of the underlying for contracts that end today; where it is absent the
        last level of the day is used.
    early_last_days : mapping of (str, date) to date
        Last days by symbol and expiry, of the series that end before their expiry.
    futures : mapping of str to int
        Settlement prices of the day's futures by key.
    made : frozenset of str
        Keys whose quotes are made though those of others were recorded.
    """

    previous_close: Ints
    previous_interest: Ints
    previous_volume: Ints
    spot_close: Mapping[str, int]
    settlements: Mapping[str, int]
    early_last_days: Mapping[tuple[str, date], date]
    futures: Mapping[str, int] = field(default_factory=dict)
    made: frozenset[str] = frozenset()
