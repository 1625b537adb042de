"""Splits, bonus issues, dividends, demergers and renames by date.

On record in ``corporate_actions.csv``; found in the exchange's own files by
``nse/contract_changes``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from strikeloom.errors import DataError
from strikeloom.nse.tables import rows


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A corporate action, in force from the open of a day.

    Attributes
    ----------
    kind : str
        ``split``, ``bonus``, ``dividend`` (one so large that the exchange lowers strikes),
        ``demerger``, ``rename``, ``unexplained`` (contracts changed by no rule known here),
        ``asked`` (a price step that may be a move: no person has stated what it was) or ``stated``
        (a person's answer to that; it adjusts prices, never contracts).
    ratio : float or None
        Shares that replace one; the exchange divides strikes and multiplies lots by it.
        ``None`` where the price step is no ratio.
    successor : str
        New symbol of a rename, else empty.
    amount : float or None
        Rupees a share by which the exchange lowered every strike (a dividend).
    reference : float or None
        Last price before a dividend, rupees.
    evidence : str
        Observation it was detected by, or the source on record.
    seen_after : datetime.date or None
        For a detected action: the stored day before, on which it was not yet in force.
    """

    symbol: str
    day: date
    kind: str
    ratio: float | None
    successor: str = ""
    amount: float | None = None
    reference: float | None = None
    evidence: str = ""
    seen_after: date | None = None

    @property
    def divisor(self) -> float:
        """Divisor of earlier prices that makes them comparable with later ones.

        Exactly 1 where the step is no known ratio: such a window must be flagged, not adjusted.
        """
        if self.ratio:
            return self.ratio
        if self.amount and self.reference and self.reference > self.amount:
            return self.reference / (self.reference - self.amount)
        return 1.0

    @property
    def breaks(self) -> bool:
        """Whether prices before and after cannot be compared at all."""
        return self.kind in ("demerger", "unexplained", "asked")

    @property
    def asked(self) -> bool:
        """Whether it may be a move of the market: no person has stated what it was."""
        return self.kind == "asked"

    @property
    def of_contracts(self) -> bool:
        """Whether the exchange may have changed contracts for it."""
        return self.kind not in ("asked", "stated")

    def __str__(self) -> str:
        """One sentence."""
        if self.successor:
            return f"{self.symbol} became {self.successor} on {self.day}"
        if self.kind == "asked":
            return f"{self.symbol} opened apart from its last close on {self.day}: {self.evidence}"
        if self.kind == "stated":
            value = f"{self.ratio:g} shares" if self.ratio else f"{self.amount:g} rupees a share"
            return f"{self.symbol} was stated to have stepped by {value} on {self.day}"
        if self.kind == "unexplained":
            return f"the contracts of {self.symbol} changed unexplained on {self.day}"
        became = f": one share became {self.ratio:g}" if self.ratio else ""
        paid = f" of {self.amount:g} rupees a share" if self.amount else ""
        return f"{self.symbol} had a {self.kind}{paid} on {self.day}{became}"


def on_record() -> list[CorporateAction]:
    """Every action of the table, oldest first."""
    found = [
        CorporateAction(
            row["symbol"],
            date.fromisoformat(row["effective_from"]),
            row["action"],
            float(row["ratio"]) if row["ratio"] else None,
            row["successor"],
            evidence=row["source"],
        )
        for row in rows("corporate_actions")
    ]
    return sorted(found, key=lambda item: (item.day, item.symbol, item.kind))


def actions(symbol: str, until: date) -> list[CorporateAction]:
    """Actions on record for a symbol up to ``until`` inclusive, oldest first."""
    return [item for item in on_record() if item.symbol == symbol and item.day <= until]


def joined(found: Iterable[CorporateAction]) -> list[CorporateAction]:
    """Detected actions merged with those on record, each once, oldest first.

    For a duplicate the record is kept: it distinguishes a bonus from a split.

    Raises
    ------
    DataError
        When the two name different ratios for one symbol and day.
    """
    known = on_record()
    result = list(known)
    for item in found:
        record = next((row for row in known if _same_step(row, item)), None)
        if record is None:
            result.append(item)
        elif record.ratio and item.ratio and abs(record.ratio / item.ratio - 1) > 1e-9:
            raise DataError(
                f"{record} by nse/data/corporate_actions.csv ({record.evidence}), but the "
                f"contracts of the day changed by {item.ratio:g} ({item.evidence}); correct the "
                "table",
                symbol=item.symbol,
                day=item.day.isoformat(),
            )
    return sorted(result, key=lambda item: (item.day, item.symbol, item.kind))


def breaks(found: Iterable[CorporateAction], until: date) -> list[CorporateAction]:
    """Actions up to ``until`` without a ratio, by the symbols of that day, oldest first.

    One of a share that was renamed later bears the new symbol.
    """
    passed = sorted((item for item in found if item.day <= until), key=lambda item: item.day)
    renames = [item for item in passed if item.successor]
    result = []
    for item in passed:
        if item.breaks:
            symbol = item.symbol
            for rename in renames:
                if rename.symbol == symbol and rename.day > item.day:
                    symbol = rename.successor
            result.append(replace(item, symbol=symbol))
    return result


def _same_step(record: CorporateAction, found: CorporateAction) -> bool:
    """Whether a detected action, whose exact day may be unknown, is the one on record."""
    begin = found.seen_after or found.day
    inside = begin < record.day <= found.day or record.day == found.day
    same = record.symbol == found.symbol and bool(record.successor) == bool(found.successor)
    return same and inside
