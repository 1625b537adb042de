"""Conditional orders of an account, active and ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from strikeloom.exchange.account.mirror import MirroredFile
from strikeloom.exchange.account.rows import CONDITIONAL
from strikeloom.exchange.conditional.records import ConditionalKind, ConditionalOrder
from strikeloom.exchange.conditional.rows import body_of, conditional_of

_INSERT = f"INSERT INTO {CONDITIONAL} (kind, active, ended_on, body) VALUES (?, 1, '', ?)"  # noqa: S608
_UPDATE = f"UPDATE {CONDITIONAL} SET active = ?, ended_on = ?, body = ? WHERE number = ?"  # noqa: S608
_GET = f"SELECT body FROM {CONDITIONAL} WHERE number = ?"  # noqa: S608
_OF_KIND = (
    f"SELECT number, body FROM {CONDITIONAL} WHERE kind = ? AND (active > 0 OR ended_on >= ?) "  # noqa: S608
    "ORDER BY number"
)


class ConditionalRecords:
    """Conditional orders in one account's file, within the caller's transaction."""

    def __init__(self, store: MirroredFile) -> None:
        self._store = store
        self._file = store.file

    def add(self, item: ConditionalOrder) -> ConditionalOrder:
        """Record a new conditional order and give it its number."""
        number = self._file.execute(_INSERT, (item.kind, body_of(item)))
        numbered = replace(item, number=number)
        self._store.mirror.conditional.put(numbered)
        return numbered

    def save(self, item: ConditionalOrder) -> ConditionalOrder:
        """Store a conditional order as it is now."""
        ended = "" if item.active else item.updated_at.date().isoformat()
        self._file.execute(_UPDATE, (int(item.active), ended, body_of(item), item.number))
        self._store.mirror.conditional.put(item)
        return item

    def get(self, number: int) -> ConditionalOrder | None:
        """One conditional order, active or ended."""
        rows = self._file.rows(_GET, (number,))
        return conditional_of(number, rows[0]["body"]) if rows else None

    def all(self, kind: ConditionalKind, since: date | None = None) -> list[ConditionalOrder]:
        """Conditional orders of a kind, oldest first: all, or active ones and those ended since."""
        rows = self._file.rows(_OF_KIND, (kind, since.isoformat() if since else ""))
        return [conditional_of(row["number"], row["body"]) for row in rows]
