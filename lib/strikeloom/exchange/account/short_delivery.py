"""Shares that an account had to deliver and that were not there (``nse/shortages.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import Share
from strikeloom.nse.edges import expected_after
from strikeloom.nse.shortages import above_market


@dataclass(frozen=True, slots=True)
class ShortDelivery:
    """Shares owed since a day, and the paise each that was received for them."""

    number: int
    share: Share
    units: int
    price: int
    day: date

    @property
    def auction_day(self) -> date:
        """Session on which they are bought in."""
        return expected_after(self.day)

    @property
    def most(self) -> int:
        """Paise to keep for them while the auction's price is not known."""
        return self.units * close_out_price(self.price, self.price)


def close_out_price(delivered: int, last: int) -> int:
    """Paise a share at which a shortage is closed out.

    Parameters
    ----------
    delivered : int
        Final value at which the shares were owed; the only price of the days in between that is
        known here.
    last : int
        Close of the share on the day of the auction.
    """
    return max(delivered, above_market(last))
