"""Quantity freeze: the largest order, and splitting a quantity into slices."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from strikeloom.errors import DataError
from strikeloom.nse.corporate_actions import on_record
from strikeloom.nse.tables import rows


@lru_cache(maxsize=1024)
def freeze_units(symbol: str, day: date) -> int | None:
    """Freeze quantity in units: the largest order that the exchange takes.

    The exchange revises the list monthly; the latest on record by ``day`` applies. After a later
    split this limit is too low, never too high. Lists that give the first quantity to be frozen,
    as the contract file and the brokers' do, print one unit more. Until the list names a renamed
    symbol, the limit is that of its former name. Source: ``freeze.csv``.

    Returns
    -------
    int or None
        ``None`` where none is on record: the symbol or the day is older than the table.
    """
    past = [
        row
        for row in rows("freeze")
        if row["symbol"] == symbol and row["effective_from"] <= day.isoformat()
    ]
    if past:
        return int(max(past, key=lambda row: row["effective_from"])["units"])
    former = (item for item in on_record() if item.successor == symbol and item.day <= day)
    return next((freeze_units(item.symbol, day) for item in former), None)


def slices(units: int, lot_size: int, freeze: int | None) -> list[int]:
    """Split units into orders of whole lots, none above the freeze quantity.

    Raises
    ------
    DataError
        When the units are not whole lots, or one lot alone is above the freeze.
    """
    if units <= 0 or units % lot_size:
        raise DataError(f"{units} units are not whole lots of {lot_size}", units=units)
    if freeze is None:
        return [units]
    most = freeze // lot_size * lot_size
    if most <= 0:
        raise DataError(
            f"one lot of {lot_size} units is above the freeze quantity {freeze} on record; add the "
            "newer one to nse/data/freeze.csv",
            lot_size=lot_size,
            freeze=freeze,
        )
    whole, rest = divmod(units, most)
    return [most] * whole + ([rest] if rest else [])
