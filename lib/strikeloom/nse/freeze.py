"""Quantity freeze: the most units of one order, and cutting a quantity into slices."""

from __future__ import annotations

from datetime import date

from strikeloom.errors import DataError
from strikeloom.nse.tables import rows


def freeze_units(symbol: str, day: date) -> int | None:
    """Freeze quantity in units; ``None`` where none is on record (stocks)."""
    past = [
        row
        for row in rows("freeze")
        if row["symbol"] == symbol and date.fromisoformat(row["effective_from"]) <= day
    ]
    return int(max(past, key=lambda row: row["effective_from"])["units"]) if past else None


def slices(units: int, lot_size: int, freeze: int | None) -> list[int]:
    """Cut units into orders of whole lots, each below the freeze quantity.

    Raises
    ------
    DataError
        When the units are not whole lots, or one lot alone reaches the freeze.
    """
    if units <= 0 or units % lot_size:
        raise DataError(f"{units} units are not whole lots of {lot_size}", units=units)
    if freeze is None:
        return [units]
    most = (freeze - 1) // lot_size * lot_size
    if most <= 0:
        raise DataError(f"one lot of {lot_size} units reaches the freeze quantity {freeze}")
    whole, rest = divmod(units, most)
    return [most] * whole + ([rest] if rest else [])
