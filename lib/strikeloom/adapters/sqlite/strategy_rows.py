"""Proposals, outcomes and marks in the store."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from strikeloom.adapters.sqlite.outcome_rows import (
    FRONT_COLUMNS,
    OUTCOME_COLUMNS,
    insert_fronts,
    insert_outcomes,
    read_front,
    read_outcome,
)
from strikeloom.adapters.sqlite.rows import Row, insert, instrument, instrument_columns, moment
from strikeloom.adapters.sqlite.rows import day as to_day
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.outcomes import Outcome
from strikeloom.domain.proposals import Proposal, RiskSummary, Score
from strikeloom.domain.results import Stage
from strikeloom.domain.templates import Stance, StructurePurpose, Tier
from strikeloom.domain.volatility import Regime
from strikeloom.errors import StoreError
from strikeloom.ports.store import MarkRow, SavedProposals

_LATEST_RUN = (
    "SELECT run_id FROM runs WHERE market = ? AND account = ? AND stage = ? AND day = ? "
    "AND verdict IN ('done', 'partial') ORDER BY finished DESC, rowid DESC LIMIT 1"
)

_ONCE = "ON CONFLICT DO NOTHING"


class StrategyRows(StorePart):
    """The strategy part of ``ports.store.MarketStore``."""

    def save_proposals(
        self,
        run_id: str,
        rows: Sequence[Proposal],
        outcomes: Sequence[Outcome],
        fronts: Sequence[FrontRow] = (),
    ) -> SavedProposals:
        """Store proposals whose figures are new, and outcomes and fronts of the run."""
        key = {**self.key, "run_id": run_id}
        counts = Counter[str]()
        with self.db.transaction() as db:
            for row in rows:
                stored = self._newest(row.strategy_id)
                if stored is None or replace(row, version=stored.version) != stored:
                    version = 1 if stored is None else stored.version + 1
                    self._insert(db, row, version)
                    counts["new" if stored is None else "changed"] += 1
                else:
                    version = stored.version
                    counts["known"] += 1
                link = {**key, "strategy_id": row.strategy_id}
                values = {**link, "version": version}
                db.execute(insert("strategy_runs", values, conflict=_ONCE), values)
            insert_outcomes(db, key, outcomes)
            insert_fronts(db, key, fronts)
        return SavedProposals(counts["new"], counts["changed"], counts["known"])

    def _insert(self, db: sqlite3.Connection, row: Proposal, version: int) -> None:
        head = {**_strategy_columns(row), "version": version}
        db.execute(insert("strategies", head), head)
        for number, leg in enumerate(row.legs):
            values = {
                "market": self.market,
                "strategy_id": row.strategy_id,
                "version": version,
                "leg": number,
                **instrument_columns(leg.instrument),
                "side": int(leg.side),
                "lots": leg.lots,
                "price": leg.price,
            }
            db.execute(insert("strategy_legs", values), values)

    def proposals(self, day: date) -> list[Proposal]:
        """Proposals of the day's latest finished creation run, best score first."""
        run = self._creation_run(day)
        found = self.db.rows(
            "SELECT s.* FROM strategies s "
            "JOIN strategy_runs r USING (market, strategy_id, version) "
            "WHERE r.market = ? AND r.account = ? AND r.run_id = ? "
            "ORDER BY s.score DESC, s.strategy_id",
            (*self.pair, run),
        )
        legs = self.db.rows(
            "SELECT l.* FROM strategy_legs l "
            "JOIN strategy_runs r USING (market, strategy_id, version) "
            "WHERE r.market = ? AND r.account = ? AND r.run_id = ? ORDER BY l.leg",
            (*self.pair, run),
        )
        by_id: dict[str, list[Row]] = {}
        for leg in legs:
            by_id.setdefault(leg["strategy_id"], []).append(leg)
        return [_proposal(row, by_id[row["strategy_id"]]) for row in found]

    def proposal(self, strategy_id: str, version: int | None = None) -> Proposal:
        """One proposal of this market; the newest version without one."""
        found = self._newest(strategy_id) if version is None else self._read(strategy_id, version)
        if found is None:
            which = "" if version is None else f" in version {version}"
            raise StoreError(
                f"market {self.market} has no strategy {strategy_id}{which}; strikeloom positions "
                "and the run folder of strategy-creation list the ids",
                strategy_id=strategy_id,
            )
        return found

    def _newest(self, strategy_id: str) -> Proposal | None:
        newest = self.db.rows(
            "SELECT MAX(version) AS version FROM strategies WHERE market = ? AND strategy_id = ?",
            (self.market, strategy_id),
        )[0]["version"]
        return None if newest is None else self._read(strategy_id, newest)

    def _read(self, strategy_id: str, version: int) -> Proposal | None:
        values = (self.market, strategy_id, version)
        found = self.db.rows(
            "SELECT * FROM strategies WHERE market = ? AND strategy_id = ? AND version = ?", values
        )
        legs = self.db.rows(
            "SELECT * FROM strategy_legs WHERE market = ? AND strategy_id = ? AND version = ? "
            "ORDER BY leg",
            values,
        )
        return _proposal(found[0], legs) if found else None

    def outcomes(self, day: date, symbol: str = "") -> list[Outcome]:
        """Outcomes of the day's latest finished creation run, of one symbol or of all."""
        return [read_outcome(row) for row in self._of_run("outcomes", OUTCOME_COLUMNS, day, symbol)]

    def fronts(self, day: date, symbol: str = "") -> list[FrontRow]:
        """Pareto fronts of that run, highest expected value of a symbol first."""
        return [read_front(row) for row in self._of_run("fronts", FRONT_COLUMNS, day, symbol)]

    def _of_run(self, table: str, columns: str, day: date, symbol: str) -> list[Row]:
        """Rows of a table of this module's own, in the order they are read in."""
        order = "place" if table == "fronts" else "template"
        return self.db.rows(
            f"SELECT {columns} FROM {table} WHERE market = ? AND account = ? AND run_id = ? "  # noqa: S608
            f"AND (? = '' OR symbol = ?) ORDER BY symbol, {order}",
            (*self.pair, self._creation_run(day), symbol, symbol),
        )

    def _creation_run(self, day: date) -> str:
        found = self.db.rows(
            _LATEST_RUN, (*self.pair, Stage.STRATEGY_CREATION.value, day.isoformat())
        )
        return found[0]["run_id"] if found else ""

    def mark(self, rows: Sequence[MarkRow]) -> int:
        """Mark strategies for execution; marking twice changes nothing."""
        with self.db.transaction() as db:
            before = db.total_changes
            for row in rows:
                values = {
                    **self.key,
                    **asdict(row),
                    "day": row.day.isoformat(),
                    "at": row.at.isoformat(),
                }
                db.execute(insert("marks", values, conflict=_ONCE), values)
            return db.total_changes - before

    def unmark(self, strategy_ids: Sequence[str]) -> int:
        """Remove marks that were not executed yet."""
        with self.db.transaction() as db:
            before = db.total_changes
            for strategy_id in strategy_ids:
                db.execute(
                    "DELETE FROM marks WHERE market = ? AND account = ? AND strategy_id = ? "
                    "AND NOT EXISTS (SELECT 1 FROM order_intents i WHERE i.market = marks.market "
                    "AND i.account = marks.account AND i.position_id = marks.strategy_id)",
                    (*self.pair, strategy_id),
                )
            return db.total_changes - before

    def marks(self, day: date) -> list[MarkRow]:
        """Marks of a day by priority."""
        found = self.db.rows(
            "SELECT * FROM marks WHERE market = ? AND account = ? AND day = ? "
            "ORDER BY priority, strategy_id",
            (*self.pair, day.isoformat()),
        )
        return [
            MarkRow(
                row["strategy_id"],
                to_day(row["day"]),
                row["lots"],
                row["priority"],
                row["notes"],
                moment(row["at"]),
                row["version"],
            )
            for row in found
        ]


def _strategy_columns(row: Proposal) -> dict[str, Any]:
    return {
        "market": row.market,
        "strategy_id": row.strategy_id,
        "day": row.day.isoformat(),
        "symbol": row.symbol,
        "sector": row.sector,
        "template": row.template,
        "tier": row.tier.value,
        "stance": row.stance.value,
        "exit_plan": row.exit_plan,
        "risk": json.dumps(asdict(row.risk)),
        "score": row.score.total,
        "score_parts": json.dumps(row.score.parts),
        "reasons": json.dumps(row.reasons),
        "chain_id": row.chain_id,
        "spot": row.spot,
        "forward": row.forward,
        "atm_iv": row.atm_iv,
        "regime": row.regime.value if row.regime else None,
        "view": row.view.value,
        "conviction": row.conviction,
        "purpose": row.purpose.value,
    }


def _proposal(row: Row, legs: Sequence[Row]) -> Proposal:
    risk = json.loads(row["risk"])
    risk["breakevens"] = tuple(risk["breakevens"])
    return Proposal(
        strategy_id=row["strategy_id"],
        market=row["market"],
        day=to_day(row["day"]),
        symbol=row["symbol"],
        sector=row["sector"],
        template=row["template"],
        tier=Tier(row["tier"]),
        stance=Stance(row["stance"]),
        exit_plan=row["exit_plan"],
        legs=tuple(
            Leg(instrument(leg), Side(leg["side"]), leg["lots"], leg["price"]) for leg in legs
        ),
        risk=RiskSummary(**risk),
        score=Score(row["score"], tuple((n, v) for n, v in json.loads(row["score_parts"]))),
        reasons=tuple(json.loads(row["reasons"])),
        chain_id=row["chain_id"],
        spot=row["spot"],
        forward=row["forward"],
        atm_iv=row["atm_iv"],
        regime=Regime(row["regime"]) if row["regime"] else None,
        view=Outlook(row["view"]),
        version=row["version"],
        conviction=row["conviction"],
        purpose=StructurePurpose(row["purpose"]),
    )
