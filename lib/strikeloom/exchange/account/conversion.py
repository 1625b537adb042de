"""Moving what is held from one product to another."""

from __future__ import annotations

from datetime import datetime

from strikeloom.domain.instruments import Instrument, Share
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.orders.validation import INPUT, ORDER, product_refusal


def convert(
    account: Account, instrument: Instrument, before: Product, after: Product, units: int,
    at: datetime,
) -> None:  # fmt: skip
    """Move open units of a position to another product, at their cost, in a transaction.

    Raises
    ------
    Rejected
        When both products are the same, or the instrument is not held so; fewer units are open;
        shares for delivery would be short, or were not bought today (fact ``code``).
    """
    if before is after:
        raise Rejected(f"{instrument.label} is held as {after} already", code=INPUT)
    day = at.date()
    wrong = product_refusal(instrument, before, day) or product_refusal(instrument, after, day)
    if wrong:
        raise Rejected(wrong.reason, code=wrong.code)
    ledger = account.ledger
    held = ledger.position(instrument.key, before) or NetPosition(instrument, before, at.date())
    target = ledger.position(instrument.key, after) or NetPosition(instrument, after, at.date())
    kept, moved = held.split(units)
    if isinstance(instrument, Share) and before is Product.CNC:
        most = min(held.exit_units, account.shares.sellable(instrument))
        if units > most:
            raise Rejected(
                f"{units} {instrument.label}s cannot be converted, {most} were bought today and "
                "are not offered",
                code=ORDER,
            )
    if isinstance(instrument, Share) and after is Product.CNC:
        most = account.shares.sellable(instrument)
        if -moved.net > most:
            raise Rejected(
                f"{-moved.net} {instrument.label}s cannot be delivered, {most} are held and not "
                "offered",
                code=ORDER,
            )
    for position in (kept, target.joined(moved)):
        ledger.save_position(position)
    account.file.execute(
        "INSERT INTO conversions (contract, before, after, units, at) VALUES (?, ?, ?, ?, ?)",
        (instrument.key, before, after, units, at.isoformat()),
    )
