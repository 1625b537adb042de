"""Positions: rows computed from fills and adjustments, in the transaction that inserts these."""

from __future__ import annotations

import json
import math
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from strikeloom.adapters.sqlite.replayed import replayed_legs
from strikeloom.adapters.sqlite.rows import Row, day, insert, instrument, instrument_columns, moment
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.instruments import Share
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position
from strikeloom.errors import StoreError

_STRATEGY_COLUMNS = "s.symbol, s.template, s.exit_plan, s.spot, s.forward, s.day"


def _version(owner: str) -> str:
    """SQL of the version that was marked for a position, else the newest."""
    same = f"market = {owner}.market AND strategy_id = {owner}.position_id"
    marked = f"SELECT version FROM marks WHERE {same} AND account = {owner}.account"  # noqa: S608
    return f"COALESCE(({marked}), (SELECT MAX(version) FROM strategies WHERE {same}))"  # noqa: S608


_TRADES = f"""
SELECT t.position_id, t.purpose, t.leg, t.side, t.units, t.price, t.charges, t.at, t.fill_id,
       i.contract, i.kind, i.lot_size, i.tick, {_STRATEGY_COLUMNS}
FROM order_intents i
JOIN trades t USING (market, account, correlation_id)
LEFT JOIN strategies s ON s.market = i.market AND s.strategy_id = i.position_id
  AND s.version = {_version("i")}
WHERE i.market = ? AND i.account = ? {{position}}
ORDER BY t.at, t.fill_id
"""  # noqa: S608 (constants of this module)
_POSITIONS = f"""
SELECT p.position_id, p.revision, p.opened_at, l.leg, l.contract, l.kind, l.lot_size, l.tick,
       l.net_units, l.first_units, l.entry_value, l.open_value, l.realised, l.charges, l.since,
       l.dividends,
       {_STRATEGY_COLUMNS}
FROM positions p
JOIN position_legs l USING (market, account, position_id)
LEFT JOIN strategies s ON s.market = p.market AND s.strategy_id = p.position_id
  AND s.version = {_version("p")}
WHERE p.market = ? AND p.account = ? {{which}}
ORDER BY p.opened_at, p.first_fill, l.leg
"""  # noqa: S608 (constants of this module)
_ADJUSTMENTS = """
SELECT a.* FROM contract_adjustments a WHERE a.market = ? AND a.account = ? {position}
ORDER BY a.day, a.leg
"""
_FIRST_FILL = """
SELECT t.fill_id FROM order_intents i JOIN trades t USING (market, account, correlation_id)
WHERE i.market = ? AND i.account = ? AND i.position_id = ? ORDER BY t.at, t.fill_id LIMIT 1
"""
_ID_NAMESPACE = uuid.UUID("5b0c1b1e-6f0e-4f55-9f57-0d6a4c1f2f11")
_DAYS_A_YEAR = 365


class PositionRows(StorePart):
    """The positions of ``ports.store.TradingStore``."""

    def positions(self, *, open_only: bool = True) -> list[Position]:
        """Positions, oldest first."""
        which = "AND p.open = 1" if open_only else ""
        return _positions(self.market, self.account, self._rows(which))

    def position(self, position_id: str) -> Position:
        """One position."""
        rows = self._rows("AND p.position_id = ?", position_id)
        if rows:
            return _positions(self.market, self.account, rows)[0]
        known = ", ".join(p.position_id for p in self.positions()) or "none"
        raise StoreError(
            f"account {self.account} has no position {position_id}; open positions: {known}",
            position_id=position_id,
        )

    def audit_positions(self) -> list[str]:
        """Replay all fills and compare with the stored rows. Returns the ids that differ."""
        replayed = {p.position_id: p for p in replay(self.db.rows, self.market, self.account)}
        kept = {p.position_id: p for p in self.positions(open_only=False)}
        names = sorted(replayed.keys() | kept.keys())
        return [name for name in names if replayed.get(name) != kept.get(name)]

    def rebuild_positions(self, position_ids: Collection[str]) -> None:
        """Recompute these rows from their fills; a row without any fill is deleted."""
        names = json.dumps(list(position_ids))
        with self.db.transaction() as db:
            for table in ("position_legs", "positions"):
                db.execute(
                    f"DELETE FROM {table} WHERE market = ? AND account = ? AND "  # noqa: S608
                    "position_id IN (SELECT value FROM json_each(?))",
                    (*self.pair, names),
                )
            traded = db.execute(
                "SELECT DISTINCT position_id FROM trades WHERE market = ? AND account = ? AND "
                "position_id IN (SELECT value FROM json_each(?))",
                (*self.pair, names),
            ).fetchall()
            found = [row["position_id"] for row in traded]
            update_positions(db, self.market, self.account, found)
        self.changes += 1

    def _rows(self, which: str, *values: object) -> list[Row]:
        return self.db.rows(_POSITIONS.format(which=which), (*self.pair, *values))


def replay(rows: Any, market: str, account: str, position_id: str | None = None) -> list[Position]:
    """Positions computed from all their fills and adjustments, oldest first.

    Parameters
    ----------
    rows : callable
        Runs a query and returns its rows.
    """
    only, values = ("", ()) if position_id is None else ("AND {}.position_id = ?", (position_id,))
    found: dict[str, list[Row]] = {}
    for row in rows(_TRADES.format(position=only.format("i")), (market, account, *values)):
        found.setdefault(row["position_id"], []).append(row)
    changed: dict[str, list[Row]] = {}
    for row in rows(_ADJUSTMENTS.format(position=only.format("a")), (market, account, *values)):
        changed.setdefault(row["position_id"], []).append(row)
    return [
        _replayed(market, account, trades, changed.get(name, [])) for name, trades in found.items()
    ]


def update_positions(
    db: sqlite3.Connection, market: str, account: str, position_ids: Iterable[str]
) -> None:
    """Update the rows of some positions within the caller's transaction."""

    def rows(sql: str, values: tuple[object, ...]) -> list[Row]:
        return db.execute(sql, values).fetchall()

    for name in position_ids:
        (position,) = replay(rows, market, account, name)
        (first,) = rows(_FIRST_FILL, (market, account, name))
        _write(db, position, first["fill_id"])


def fill_positions(db: sqlite3.Connection) -> None:
    """Compute the rows of all accounts from fills: a store of an earlier schema has none."""
    found = db.execute("SELECT DISTINCT market, account, position_id FROM trades").fetchall()
    for market, account, name in found:
        update_positions(db, market, account, [name])


def _write(db: sqlite3.Connection, position: Position, first_fill: str) -> None:
    key = {
        "market": position.market,
        "account": position.account,
        "position_id": position.position_id,
    }
    row = {
        **key,
        "id": str(uuid.uuid5(_ID_NAMESPACE, "|".join(key.values()))),
        "version": 1,
        "open": int(position.is_open),
        "revision": position.revision,
        "opened_at": position.opened_at.isoformat(),
        "first_fill": first_fill,
    }
    changed = ("open", "revision", "opened_at", "first_fill")
    conflict = (
        "ON CONFLICT (market, account, position_id) DO UPDATE SET version = version + 1, "
        + ", ".join(f"{name} = :{name}" for name in changed)
    )
    db.execute(insert("positions", row, conflict=conflict), row)
    for leg in position.legs:
        values = {
            **key,
            "leg": leg.leg,
            **instrument_columns(leg.instrument),
            "since": leg.since.isoformat() if leg.since else None,
            "net_units": leg.net_units,
            "first_units": leg.first_units,
            "entry_value": leg.entry_value,
            "open_value": leg.open_value,
            "realised": leg.realised,
            "charges": leg.charges,
            "dividends": leg.dividends,
        }
        again = "ON CONFLICT (market, account, position_id, leg) DO UPDATE SET " + ", ".join(
            f"{name} = :{name}" for name in values if name not in (*key, "leg")
        )
        db.execute(insert("position_legs", values, conflict=again), values)


def _positions(market: str, account: str, rows: list[Row]) -> list[Position]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["position_id"], []).append(row)
    return [
        _position(
            market,
            account,
            legs[0],
            [
                PositionLeg(
                    leg=row["leg"],
                    instrument=instrument(row),
                    net_units=row["net_units"],
                    first_units=row["first_units"],
                    open_value=row["open_value"],
                    realised=row["realised"],
                    charges=row["charges"],
                    entry_value=row["entry_value"],
                    since=day(row["since"]) if row["since"] else None,
                    dividends=row["dividends"],
                )
                for row in legs
            ],
            legs[0]["revision"],
            moment(legs[0]["opened_at"]),
        )
        for legs in found.values()
    ]


def _replayed(market: str, account: str, rows: list[Row], adjustments: list[Row]) -> Position:
    legs, changes = replayed_legs(rows, adjustments)
    return _position(market, account, rows[0], legs, changes, moment(rows[0]["at"]))


def _position(
    market: str,
    account: str,
    row: Row,
    legs: Sequence[PositionLeg],
    revision: int,
    opened_at: datetime,
) -> Position:
    return Position(
        account=account,
        market=market,
        position_id=row["position_id"],
        # a strategy keeps the symbol that it was proposed under
        symbol=(not legs[0].since and row["symbol"]) or legs[0].instrument.symbol,
        template=row["template"] or "unknown",
        exit_plan=row["exit_plan"] or "",
        legs=tuple(legs),
        revision=revision,
        opened_at=opened_at,
        carry=_carry(row, legs),
    )


def _carry(row: Row, legs: Sequence[PositionLeg]) -> float | None:
    """Annualised log of forward over level on the day of the proposal; ``None`` if unknown.

    Spot is kept in paise, the forward in rupees.
    """
    if row["day"] is None or not row["spot"] or not row["forward"] or row["forward"] <= 0:
        return None
    contracts = (it for leg in legs if not isinstance(it := leg.instrument, Share))
    first = min((contract.expiry for contract in contracts), default=None)
    days = 0 if first is None else (first - day(row["day"])).days
    if days <= 0:
        return None
    ratio = row["forward"] * PAISE_PER_RUPEE / row["spot"]
    return math.log(ratio) * _DAYS_A_YEAR / days
