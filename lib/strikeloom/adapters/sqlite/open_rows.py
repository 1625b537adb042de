"""Everything that is open in an account, read in a fixed number of statements."""

from __future__ import annotations

from strikeloom.adapters.sqlite.adjustment_rows import AdjustmentRows
from strikeloom.adapters.sqlite.order_rows import OrderRows
from strikeloom.adapters.sqlite.positions import PositionRows
from strikeloom.adapters.sqlite.rows import intent, moment, order
from strikeloom.adapters.sqlite.watch_rows import WatchRows
from strikeloom.domain.positions import RequestState
from strikeloom.ports.store import OpenRecord

_NOT_TERMINAL = "state NOT IN ('TRADED', 'CANCELLED', 'REJECTED', 'EXPIRED')"
#: Groups that are not closed, and groups with an order that is not terminal.
_GROUPS = f"""
SELECT intent_id FROM order_intents WHERE market = :market AND account = :account AND closed = 0
UNION
SELECT i.intent_id FROM orders o JOIN order_intents i USING (market, account, correlation_id)
WHERE o.market = :market AND o.account = :account AND o.{_NOT_TERMINAL}
"""  # noqa: S608 (constants of this module)
_INTENTS = f"""
SELECT i.*, (SELECT SUM(f.units) FROM fills f WHERE f.market = i.market
             AND f.account = i.account AND f.correlation_id = i.correlation_id) AS filled
FROM order_intents i
WHERE i.market = :market AND i.account = :account AND i.intent_id IN ({_GROUPS})
ORDER BY i.priority, i.seq
"""  # noqa: S608 (constants of this module)
_ORDERS = f"""
SELECT o.* FROM order_intents i JOIN orders o USING (market, account, correlation_id)
WHERE i.market = :market AND i.account = :account AND i.intent_id IN ({_GROUPS}) ORDER BY i.seq
"""  # noqa: S608 (constants of this module)
_OPEN_REQUESTS = (RequestState.PENDING, RequestState.ACCEPTED)


class OpenRows(OrderRows, AdjustmentRows, PositionRows, WatchRows):
    """``ports.store.TradingStore.open_record``."""

    def open_record(self) -> OpenRecord:
        """Open positions, intents of groups that are not closed, their orders, open requests."""
        intents = self.db.rows(_INTENTS, self.key)
        orders = self.db.rows(_ORDERS, self.key) if intents else []
        return OpenRecord(
            positions=tuple(self.positions()),
            intents=tuple(intent(row) for row in intents),
            changed_at={row["correlation_id"]: moment(row["changed_at"]) for row in intents},
            filled={row["correlation_id"]: row["filled"] or 0 for row in intents},
            orders=tuple(order(row) for row in orders),
            requests=tuple(self.requests(states=_OPEN_REQUESTS)),
            kill_switch=self.kill_switch(),
            peaks=self.open_peaks(),
        )
