"""Lot sizes of index options by expiry. Lots of a real contract come with the contract."""

from __future__ import annotations

from datetime import date

from strikeloom.errors import DataError
from strikeloom.nse.tables import in_force, rows


def index_lot(symbol: str, expiry: date) -> int:
    """Units a lot of an index contract that expires on ``expiry``.

    A contract listed before a review may keep its old lot: where the exchange's file or the
    broker's list is at hand, it is right and this is not asked.

    Raises
    ------
    DataError
        When the symbol has no row.
    """
    known = [row for row in rows("index_lots") if row["symbol"] == symbol]
    if not known:
        raise DataError(
            f"no lot size is on record for {symbol}; lots of stocks come with the contract",
            symbol=symbol,
        )
    return int(in_force(known, expiry, what=f"lot size of {symbol}")["lot"])
