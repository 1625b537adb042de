"""Lot sizes of index options and futures. A real contract carries its own lot size."""

from __future__ import annotations

from datetime import date

from strikeloom.errors import DataError
from strikeloom.nse.tables import rows


def index_lot(symbol: str, expiry: date, day: date) -> int:
    """Units per lot of an index contract on a trading day; an option's and a future's are one.

    A review gives new series a new lot, and long contracts a later date on which theirs
    changes: the lot depends on the expiry and on the day. Where the exchange's file or the
    broker's list is available, its lot size is used instead. Source: ``index_lots.csv``.

    Raises
    ------
    DataError
        When the symbol has no row, or none that old.
    """
    known = [row for row in rows("index_lots") if row["symbol"] == symbol]
    if not known:
        raise DataError(
            f"no lot size is on record for {symbol}; stock contracts carry their own",
            symbol=symbol,
        )
    # ISO dates sort as text
    valid = [
        row
        for row in known
        if row["first_expiry"] <= expiry.isoformat() and row["effective_from"] <= day.isoformat()
    ]
    if not valid:
        first = min(known, key=lambda row: (row["effective_from"], row["first_expiry"]))
        raise DataError(
            f"the lot size of {symbol} is on record for expiries from {first['first_expiry']} "
            f"traded from {first['effective_from']}, not for {expiry} on {day}; import the day's "
            "UDiFF file, or add a dated row with its source to nse/data/index_lots.csv",
            symbol=symbol,
            day=day.isoformat(),
        )
    return int(max(valid, key=lambda row: (row["first_expiry"], row["effective_from"]))["lot"])
