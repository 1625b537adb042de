"""Requests, decisions, heartbeats, alerts and switches in the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from strikeloom.adapters.sqlite.database import Database
from strikeloom.adapters.sqlite.rows import Row, insert, moment
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.positions import (
    ExitDecision,
    ExitRequest,
    RequestState,
    Urgency,
)
from strikeloom.ports.store import Alert, Heartbeat, KillSwitch

_DELETE_DECISIONS = """
DELETE FROM exit_decisions WHERE market = :market AND account = :account
AND position_id IN (SELECT value FROM json_each(:names))
"""
_DECISION_ROWS = """
SELECT :market AS market, :account AS account, value ->> 0 AS position_id, value ->> 1 AS rule,
       value ->> 2 AS reason, value ->> 3 AS urgency, value ->> 4 AS fires,
       1.0 * (value ->> 5) AS closeness, value ->> 6 AS target_lots, value ->> 7 AS sentence
FROM json_each(:rows) WHERE true
"""
_UPSERT_DECISIONS = f"""
INSERT INTO exit_decisions (market, account, position_id, rule, reason, urgency, fires, closeness,
                            target_lots, sentence, at)
SELECT *, :at FROM ({_DECISION_ROWS}) WHERE true
ON CONFLICT (market, account, position_id, rule) DO UPDATE SET reason = excluded.reason,
    urgency = excluded.urgency, fires = excluded.fires, closeness = excluded.closeness,
    target_lots = excluded.target_lots, sentence = excluded.sentence, at = excluded.at
"""  # noqa: S608 (constants of this module)
_INSERT_FIRINGS = f"""
INSERT INTO exit_firings (market, account, position_id, rule, at, sentence)
SELECT market, account, position_id, rule, :at, sentence FROM ({_DECISION_ROWS}) WHERE fires = 1
ON CONFLICT DO NOTHING
"""  # noqa: S608 (constants of this module)
_UPSERT_PEAKS = """
INSERT INTO position_state (market, account, position_id, peak_pnl)
SELECT :market, :account, value ->> 0, value ->> 1 FROM json_each(:rows) WHERE true
ON CONFLICT (market, account, position_id) DO UPDATE SET
    peak_pnl = MAX(peak_pnl, excluded.peak_pnl)
"""


class WatchRows(StorePart):
    """``ports.store.WatchStore``."""

    def __init__(self, db: Database, market: str, account: str) -> None:
        super().__init__(db, market, account)
        self._rules: dict[str, set[str]] = {}
        self._peaks: dict[str, int] = {}

    def add_request(self, request: ExitRequest) -> tuple[ExitRequest, bool]:
        """Store a request unless the same (position, revision, target) exists."""
        target = json.dumps(request.target_lots)
        values = {
            **self.key,
            "request_id": request.request_id,
            "position_id": request.position_id,
            "revision": request.revision,
            "target_lots": target,
            "percent": request.percent,
            "who": request.who,
            "at": request.at.isoformat(),
            "state": request.state.value,
            "note": request.note,
        }
        once = "ON CONFLICT (market, account, position_id, revision, target_lots) DO NOTHING"
        with self.db.transaction() as db:
            new = db.execute(insert("exit_requests", values, conflict=once), values).rowcount == 1
            kept = db.execute(
                "SELECT * FROM exit_requests WHERE market = ? AND account = ? AND "
                "position_id = ? AND revision = ? AND target_lots = ?",
                (*self.pair, request.position_id, request.revision, target),
            ).fetchone()
        self.changes += 1
        return _request(kept), new

    def requests(self, *, states: Collection[RequestState] | None = None) -> list[ExitRequest]:
        """Requests, oldest first."""
        where, values = "", [*self.pair]
        if states is not None:
            where = f"AND state IN ({', '.join('?' * len(states))})"
            values += [state.value for state in states]
        found = self.db.rows(
            f"SELECT * FROM exit_requests WHERE market = ? AND account = ? {where} "  # noqa: S608
            "ORDER BY seq",
            tuple(values),
        )
        return [_request(row) for row in found]

    def settle_request(self, request_id: str, state: RequestState, note: str) -> None:
        """Record the state of a request."""
        with self.db.transaction() as db:
            db.execute(
                "UPDATE exit_requests SET state = ?, note = ? WHERE market = ? AND account = ? "
                "AND request_id = ?",
                (state.value, note, *self.pair, request_id),
            )
        self.changes += 1

    def record_cycle(
        self,
        decisions: Mapping[str, Sequence[ExitDecision]],
        peaks: Mapping[str, int],
        heartbeat: Heartbeat,
    ) -> None:
        """Store the results of one cycle of the watcher, in one transaction.

        Decisions of rules that left a position's plan are deleted. The number of statements
        does not depend on the number of positions.
        """
        rules = {name: {d.rule for d in found} for name, found in decisions.items()}
        changed = [name for name, found in rules.items() if self._rules.get(name) != found]
        higher = {name: peak for name, peak in peaks.items() if self._peaks.get(name) != peak}
        rows = [
            (
                name, d.rule, d.rule, int(d.urgency), int(d.fires), d.closeness,
                json.dumps(d.target_lots), d.sentence,
            )
            for name, found in decisions.items()
            for d in found
        ]  # fmt: skip
        values = {**self.key, "at": heartbeat.at.isoformat(), "rows": json.dumps(rows)}
        with self.db.transaction(durable=False) as db:
            if changed:
                db.execute(_DELETE_DECISIONS, {**self.key, "names": json.dumps(changed)})
            if rows:
                db.execute(_UPSERT_DECISIONS, values)
            if any(d.fires for found in decisions.values() for d in found):
                db.execute(_INSERT_FIRINGS, values)
            if higher:
                db.execute(_UPSERT_PEAKS, {**self.key, "rows": json.dumps(list(higher.items()))})
            self._write_row_in(db, "heartbeats", _heartbeat_columns(heartbeat))
        self._rules |= rules
        self._peaks |= higher

    def decisions(self, position_id: str) -> list[ExitDecision]:
        """Latest decision of each rule."""
        found = self.db.rows(
            "SELECT * FROM exit_decisions WHERE market = ? AND account = ? AND position_id = ? "
            "ORDER BY closeness DESC, rule",
            (*self.pair, position_id),
        )
        return [
            ExitDecision(
                row["rule"],
                Urgency(row["urgency"]),
                bool(row["fires"]),
                row["closeness"],
                tuple(json.loads(row["target_lots"])),
                row["sentence"],
            )
            for row in found
        ]

    def peaks(self) -> dict[str, int]:
        """Highest P&L seen by position."""
        found = self.db.rows(
            "SELECT position_id, peak_pnl FROM position_state WHERE market = ? AND account = ?",
            self.pair,
        )
        return {row["position_id"]: row["peak_pnl"] for row in found}

    def open_peaks(self) -> dict[str, int]:
        """Highest P&L seen of the open positions."""
        found = self.db.rows(
            "SELECT s.position_id, s.peak_pnl FROM positions p JOIN position_state s "
            "USING (market, account, position_id) "
            "WHERE p.market = ? AND p.account = ? AND p.open = 1",
            self.pair,
        )
        return {row["position_id"]: row["peak_pnl"] for row in found}

    def beat(self, heartbeat: Heartbeat) -> None:
        """Store a heartbeat."""
        self._write_row("heartbeats", _heartbeat_columns(heartbeat))

    def heartbeat(self) -> Heartbeat | None:
        """Last heartbeat."""
        row = self._read_row("heartbeats")
        if row is None:
            return None
        return Heartbeat(moment(row["at"]), moment(row["real_at"]), row["pid"], row["note"])

    def add_alert(self, alert: Alert) -> None:
        """Store an alert."""
        values = {
            **self.key,
            "at": alert.at.isoformat(),
            "level": alert.level,
            "text": alert.text,
        }
        with self.db.transaction() as db:
            db.execute(insert("alerts", values), values)

    def alerts(self, limit: int = 50) -> list[Alert]:
        """Alerts, newest first."""
        found = self.db.rows(
            "SELECT at, level, text FROM alerts WHERE market = ? AND account = ? "
            "ORDER BY seq DESC LIMIT ?",
            (*self.pair, limit),
        )
        return [Alert(moment(row["at"]), row["level"], row["text"]) for row in found]

    def kill_switch(self) -> KillSwitch:
        """State of the kill switch."""
        row = self._read_row("kill_switch")
        if row is None:
            return KillSwitch(engaged=False, flatten=False, reason="", at=None)
        at = moment(row["at"]) if row["at"] else None
        return KillSwitch(bool(row["engaged"]), bool(row["flatten"]), row["reason"], at)

    def set_kill_switch(self, switch: KillSwitch) -> None:
        """Engage or release the kill switch."""
        self._write_row(
            "kill_switch",
            {
                "engaged": int(switch.engaged),
                "flatten": int(switch.flatten),
                "reason": switch.reason,
                "at": switch.at.isoformat() if switch.at else None,
            },
        )
        self.changes += 1

    def replay_time(self) -> datetime | None:
        """Time of the account's replay clock; ``None`` when it was never set."""
        row = self._read_row("replay_clock")
        return moment(row["at"]) if row else None

    def set_replay_time(self, at: datetime) -> None:
        """Set the account's replay clock."""
        self._write_row("replay_clock", {"at": at.isoformat()})

    def _write_row(self, table: str, values: dict[str, Any]) -> None:
        with self.db.transaction() as db:
            self._write_row_in(db, table, values)

    def _write_row_in(self, db: sqlite3.Connection, table: str, values: dict[str, Any]) -> None:
        row = {**self.key, **values}
        changes = ", ".join(f"{name} = :{name}" for name in values)
        conflict = f"ON CONFLICT (market, account) DO UPDATE SET {changes}"
        db.execute(insert(table, row, conflict=conflict), row)

    def _read_row(self, table: str) -> Row | None:
        found = self.db.rows(
            f"SELECT * FROM {table} WHERE market = ? AND account = ?",  # noqa: S608
            self.pair,
        )
        return found[0] if found else None


def _heartbeat_columns(heartbeat: Heartbeat) -> dict[str, Any]:
    return {
        "at": heartbeat.at.isoformat(),
        "real_at": heartbeat.real_at.isoformat(),
        "pid": heartbeat.pid,
        "note": heartbeat.note,
    }


def _request(row: Row) -> ExitRequest:
    request = ExitRequest(
        request_id=row["request_id"],
        account=row["account"],
        market=row["market"],
        position_id=row["position_id"],
        revision=row["revision"],
        target_lots=tuple(json.loads(row["target_lots"])),
        percent=row["percent"],
        who=row["who"],
        at=moment(row["at"]),
    )
    return replace(request, state=RequestState(row["state"]), note=row["note"])
