"""Money of an account at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.margin_check import (
    book_margin,
    bound_books,
    claims,
    tied_premium,
)
from strikeloom.ports.feed import MarketFeed


@dataclass(frozen=True, slots=True)
class Balance:
    """Paise.

    Attributes
    ----------
    day_start : int
        Cash when the day began.
    cash : int
        What was paid in, and every price, settlement and charge since.
    margin : int
        Blocked for positions.
    blocked : int
        Tied up by orders that rest: the price of buys, and the margin that others would need more;
        and what belongs to others already (``margin_check.claims``).
    realised_today, charges_today : int
        Profit on what was closed today before charges, and the charges of today.
    """

    day_start: int
    cash: int
    margin: int
    blocked: int
    realised_today: int
    charges_today: int

    @property
    def available(self) -> int:
        """What a new order may use."""
        return self.cash - self.margin - self.blocked


def balance(account: Account, feed: MarketFeed, now: datetime) -> Balance:
    """Money of an account now.

    Raises
    ------
    NoQuote
        When the level of an underlying with a sold leg is not known.
    """
    money = account.money
    margin, *resting = book_margin(bound_books(account), feed, now)
    most = max(book.total for book in resting)
    return Balance(
        day_start=money.day_start,
        cash=money.cash,
        margin=margin.total,
        blocked=max(0, most - margin.total) + tied_premium(account) + claims(account, feed),
        realised_today=sum(p.realised for p in account.ledger.positions()),
        charges_today=money.day_charges,
    )
