"""Reading one row of a response of Dhan's: counts, moments, and errors that name the row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from strikeloom.errors import BrokerError, DataError
from strikeloom.nse.sessions import IST

Row = Mapping[str, Any]
#: Times up to this year mean that something never happened.
NEVER_YEAR = 1980


def signed_count_of(value: Any) -> int:
    """Net units of a field; ``DataError`` when it is no whole number."""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise DataError(f"{value!r} is not a count of units")
    return int(exact)


def count_of(value: Any) -> int:
    """Units of a field; ``DataError`` when it is no whole number from 0."""
    units = signed_count_of(value)
    if units < 0:
        raise DataError(f"{value!r} is not a count of units")
    return units


def moment_of(text: Any) -> datetime | None:
    """Time of a text in Indian time; ``None`` for none and for year 1."""
    try:
        at = datetime.fromisoformat(str(text)).replace(tzinfo=IST)
    except ValueError:
        return None
    return at if at.year > NEVER_YEAR else None


class RowReading:
    """Turn any error in a row into one that names the row."""

    def __init__(self, what: str, row: Row) -> None:
        self._what = what
        self._row = row

    def __enter__(self) -> None:
        if not isinstance(self._row, Mapping):
            raise BrokerError(f"Dhan's response contains {self._row!r} for {self._what}")

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, KeyError):
            shown = {name: self._row[name] for name in list(self._row)[:8] if "lient" not in name}
            raise BrokerError(f"{self._what} lacks {error}: {shown}") from None
        if isinstance(error, DataError | TypeError | ValueError | ArithmeticError):
            number = self._row.get("orderId") or self._row.get("securityId") or ""
            raise BrokerError(f"{self._what} {number} cannot be read: {error}") from None
