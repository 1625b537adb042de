"""Shares that a contract had to deliver and that were not there: bought in by the exchange.

What is not bought in by auction is closed out, at the highest price from the day of trading to that
of the auction, or 20 % above the settlement price on the day of the auction, whichever is higher.
The auction is on the session after the one whose shares were owed. Source: NSE Clearing, shortages
handling (SEBI SMD/Policy/Cir-03/2002 of 2002-01-30).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import Share
from strikeloom.nse.edges import expected_after

#: Percent above the auction day's price at which a shortage is closed out.
CLOSE_OUT_PERCENT = 20


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
    return max(delivered, -(-last * (100 + CLOSE_OUT_PERCENT) // 100))
