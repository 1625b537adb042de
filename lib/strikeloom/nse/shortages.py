"""Shares that had to be delivered and were not there: bought in by the exchange.

What is not bought in by auction is closed out, at the highest price from the day of trading to that
of the auction, or 20 % above the settlement price on the day of the auction, whichever is higher.
The auction is on the session after the one whose shares were owed; its offers are within 20 % of
the close of the session before it. Source: NSE Clearing, shortages handling (SEBI
SMD/Policy/Cir-03/2002 of 2002-01-30).
"""

from __future__ import annotations

from collections.abc import Sequence

#: Percent above the auction day's price at which a shortage is closed out.
CLOSE_OUT_PERCENT = 20

#: What becomes of shares that a seller does not deliver, for messages.
AUCTION_RULE = (
    "a short delivery, which the exchange buys in by auction on the next session, or closes out at "
    f"{CLOSE_OUT_PERCENT} % above the market or more, at the account's cost"
)


def above_market(paise: int) -> int:
    """Price or value in paise raised by the close-out percentage, rounded up."""
    return -(-paise * (100 + CLOSE_OUT_PERCENT) // 100)


def below_market(paise: int) -> int:
    """Price in paise lowered by as many percent, rounded down."""
    return paise * (100 - CLOSE_OUT_PERCENT) // 100


def plausible_purchase(known: Sequence[int], *, complete: bool) -> tuple[int, int]:
    """Lowest and highest price in paise at which lacking shares can have been bought in.

    Parameters
    ----------
    known : sequence of int
        Price at which the shares were owed, and closes from that day to the auction's.
    complete : bool
        Whether every close is known; one that is not may be 20 % away.
    """
    low, high = below_market(min(known)), above_market(max(known))
    return (low, high) if complete else (below_market(low), above_market(high))
