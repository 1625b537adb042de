"""Splits, bonus issues, demergers and renames by date. Source: ``corporate_actions.csv``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.nse.tables import rows


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """What happened to a share before the open of a day.

    Attributes
    ----------
    kind : str
        ``split``, ``bonus``, ``demerger`` or ``rename``.
    ratio : float or None
        Shares that one became; the exchange divides strikes and multiplies lots by it.
        ``None`` for a demerger, whose price step is no ratio, and a rename.
    successor : str
        New symbol of a rename, else empty.
    """

    symbol: str
    day: date
    kind: str
    ratio: float | None
    successor: str

    def __str__(self) -> str:
        """Say it in one sentence."""
        if self.successor:
            return f"{self.symbol} became {self.successor} on {self.day}"
        became = f": one share became {self.ratio:g}" if self.ratio else ""
        return f"{self.symbol} had a {self.kind} on {self.day}{became}"


def actions(symbol: str, until: date) -> list[CorporateAction]:
    """Actions on record for a symbol up to ``until`` inclusive, oldest first."""
    found = [
        CorporateAction(
            symbol,
            date.fromisoformat(row["effective_from"]),
            row["action"],
            float(row["ratio"]) if row["ratio"] else None,
            row["successor"],
        )
        for row in rows("corporate_actions")
        if row["symbol"] == symbol
    ]
    return sorted((item for item in found if item.day <= until), key=lambda item: item.day)
