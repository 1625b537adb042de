"""Adjustments of held contracts in the store; only ``trading/`` writes them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from strikeloom.adapters.sqlite.positions import update_positions
from strikeloom.adapters.sqlite.replayed import adjustment
from strikeloom.adapters.sqlite.rows import insert, instrument_columns
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.adjustments import LegAdjustment

_ID_NAMESPACE = uuid.UUID("3d0e5f0a-6f53-4c0c-8f57-5a0b5f6f2d44")
_ONCE = "ON CONFLICT (market, account, position_id, leg, day, old_contract) DO NOTHING"


class AdjustmentRows(StorePart):
    """The adjustments of ``ports.store.TradingStore``."""

    def record_adjustments(self, rows: Sequence[LegAdjustment], at: datetime) -> int:
        """Record adjustments once each, and update their positions in the same transaction."""
        new: set[str] = set()
        with self.db.transaction() as db:
            for row in rows:
                change = row.change
                place = (row.position_id, str(row.leg), change.day.isoformat(), change.old)
                values = {
                    **self.key,
                    "position_id": row.position_id,
                    "leg": row.leg,
                    "day": change.day.isoformat(),
                    "id": str(uuid.uuid5(_ID_NAMESPACE, "|".join((*self.pair, *place)))),
                    "version": 1,
                    "old_contract": change.old,
                    **instrument_columns(change.new),
                    "new_units": change.new_units,
                    "old_units": change.old_units,
                    "cause": change.cause,
                    "amount": change.amount,
                    "recorded_at": at.isoformat(),
                }
                statement = insert("contract_adjustments", values, conflict=_ONCE)
                if db.execute(statement, values).rowcount:
                    new.add(row.position_id)
            update_positions(db, self.market, self.account, sorted(new))
        self.changes += len(new)
        return len(new)

    def adjustments(self, *, position_id: str | None = None) -> list[LegAdjustment]:
        """Recorded adjustments, oldest first."""
        which: str = ""
        values: tuple[str, ...] = self.pair
        if position_id is not None:
            which, values = "AND position_id = ?", (*self.pair, position_id)
        found = self.db.rows(
            "SELECT * FROM contract_adjustments WHERE market = ? AND account = ? "  # noqa: S608
            f"{which} ORDER BY day, position_id, leg",
            values,
        )
        return [adjustment(row) for row in found]
