"""Shares that had to be delivered and were not there: bought in by the exchange.

What is not bought in by auction is closed out, at the highest price from the day of trading to that
of the auction, or 20 % above the settlement price on the day of the auction, whichever is higher.
The auction is on the session after the one whose shares were owed. Source: NSE Clearing, shortages
handling (SEBI SMD/Policy/Cir-03/2002 of 2002-01-30).
"""

from __future__ import annotations

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
