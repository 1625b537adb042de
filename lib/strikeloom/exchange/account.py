"""The engine's own durable record of one account: orders, fills, settlements, money.

A separate SQLite file, never the desk's tables, so that reconciliation compares two
independent records. Every change is committed before it is answered.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from strikeloom.domain.instruments import Kind, OptionContract, parse_key
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, Order, OrderRequest, OrderState, Validity
from strikeloom.exchange.file import AccountFile, Row
from strikeloom.exchange.resting import Resting


class Account:
    """One account's file.

    Parameters
    ----------
    path : pathlib.Path
        Created with ``cash`` (paise) when it does not exist.
    """

    def __init__(self, path: Path, cash: int) -> None:
        self._file = AccountFile(path, cash)

    def transaction(self) -> AbstractContextManager[None]:
        """Group changes: all or none."""
        return self._file.transaction()

    def add_order(
        self, request: OrderRequest, at: datetime, state: OrderState, reason: str = ""
    ) -> int:
        """Record an order and return its number."""
        c = request.contract
        return self._file.execute(
            "INSERT INTO orders (correlation_id, contract, kind, lot_size, tick, side, units, "
            "limit_price, validity, state, reason, placed_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                request.correlation_id,
                c.key,
                c.kind.value,
                c.lot_size,
                c.tick,
                int(request.side),
                request.units,
                request.limit,
                request.validity.value,
                state.value,
                reason,
                at.isoformat(),
                at.isoformat(),
            ),
        )

    def set_state(self, number: int, state: OrderState, at: datetime, reason: str = "") -> None:
        """Change an order's state."""
        self._file.execute(
            "UPDATE orders SET state = ?, reason = ?, updated_at = ? WHERE number = ?",
            (state.value, reason, at.isoformat(), number),
        )

    def add_fill(
        self, number: int, units: int, price: int, charges: int, at: datetime, quote_at: datetime
    ) -> None:
        """Record a trade of an order and its new state, together."""
        with self.transaction():
            self._file.execute(
                "INSERT INTO fills (order_number, correlation_id, contract, kind, lot_size, tick, "
                "side, units, price, charges, at, quote_at, what) SELECT number, correlation_id, "
                "contract, kind, lot_size, tick, side, ?, ?, ?, ?, ?, 'trade' FROM orders "
                "WHERE number = ?",
                (units, price, charges, at.isoformat(), quote_at.isoformat(), number),
            )
            self._file.execute(
                "UPDATE orders SET filled = filled + ?, updated_at = ?, state = CASE WHEN "
                "filled + ? >= units THEN 'TRADED' ELSE 'PART_TRADED' END WHERE number = ?",
                (units, at.isoformat(), units, number),
            )

    def add_settlement(
        self, contract: OptionContract, net_units: int, price: int, charges: int, at: datetime
    ) -> None:
        """Close a holding at its settlement value."""
        side = Side.SELL if net_units > 0 else Side.BUY
        self._file.execute(
            "INSERT INTO fills (order_number, correlation_id, contract, kind, lot_size, tick, "
            "side, units, price, charges, at, quote_at, what) "
            "VALUES (0, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'settlement')",
            (
                contract.key,
                contract.kind.value,
                contract.lot_size,
                contract.tick,
                int(side),
                abs(net_units),
                price,
                charges,
                at.isoformat(),
                at.isoformat(),
            ),
        )

    def taken(self, key: str, side: Side, quote_at: datetime) -> int:
        """Units already taken from one side of one quote."""
        return int(
            self._file.number(
                "SELECT COALESCE(SUM(units), 0) FROM fills WHERE contract = ? AND side = ? "
                "AND quote_at = ? AND what = 'trade'",
                (key, int(side), quote_at.isoformat()),
            )
        )

    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        return [_order(row) for row in self._file.rows("SELECT * FROM orders ORDER BY number")]

    def order(self, number: int) -> Order | None:
        """One order."""
        rows = self._file.rows("SELECT * FROM orders WHERE number = ?", (number,))
        return _order(rows[0]) if rows else None

    def resting(self) -> list[Resting]:
        """Orders that can still trade, by price and then time: the best bid or offer first."""
        rows = self._file.rows(
            "SELECT * FROM orders WHERE state IN ('PENDING', 'PART_TRADED') "
            "ORDER BY contract, side, -side * limit_price, number"
        )
        return [
            Resting(
                row["number"],
                _contract(row),
                Side(row["side"]),
                row["units"] - row["filled"],
                row["filled"] == 0,
                row["limit_price"],
                Validity(row["validity"]),
                _moment(row["placed_at"]),
            )
            for row in rows
        ]

    def fills(self) -> list[Fill]:
        """All fills and settlements, oldest first."""
        return [
            Fill(
                fill_id=f"F{row['number']}",
                order_id=f"E{row['order_number']}",
                correlation_id=row["correlation_id"],
                contract_key=row["contract"],
                side=Side(row["side"]),
                units=row["units"],
                price=row["price"],
                charges=row["charges"],
                at=_moment(row["at"]),
                kind=row["what"],
            )
            for row in self._file.rows("SELECT * FROM fills ORDER BY number")
        ]

    def holdings(self) -> list[tuple[OptionContract, int]]:
        """Contracts held with their net units; flat ones are absent."""
        rows = self._file.rows(
            "SELECT contract, kind, lot_size, tick, SUM(side * units) AS net FROM fills "
            "GROUP BY contract HAVING net <> 0 ORDER BY contract"
        )
        return [(_contract(row), row["net"]) for row in rows]

    def cash(self) -> int:
        """Paise: what was paid in, and every premium, settlement and charge since."""
        return int(
            self._file.number(
                "SELECT start + (SELECT COALESCE(SUM(-side * units * price - charges), 0) "
                "FROM fills) FROM money"
            )
        )

    def matched_to(self) -> datetime | None:
        """Moment up to which resting orders were matched."""
        rows = self._file.rows("SELECT matched_to FROM progress")
        return _moment(rows[0]["matched_to"]) if rows else None

    def note_matched(self, at: datetime) -> None:
        """Keep the moment up to which resting orders were matched."""
        self._file.execute(
            "INSERT INTO progress (one, matched_to) VALUES (1, ?) "
            "ON CONFLICT (one) DO UPDATE SET matched_to = excluded.matched_to",
            (at.isoformat(),),
        )

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _contract(row: Row) -> OptionContract:
    symbol, expiry, strike, right = parse_key(row["contract"])
    kind = Kind(row["kind"])
    return OptionContract(symbol, expiry, strike, right, kind, row["lot_size"], row["tick"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _order(row: Row) -> Order:
    return Order(
        order_id=f"E{row['number']}",
        correlation_id=row["correlation_id"],
        contract_key=row["contract"],
        side=Side(row["side"]),
        units=row["units"],
        filled_units=row["filled"],
        limit=row["limit_price"],
        state=OrderState(row["state"]),
        reason=row["reason"],
        updated_at=_moment(row["updated_at"]),
    )
