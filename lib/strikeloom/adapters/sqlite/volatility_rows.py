"""Volatility, ranks and views in the store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from strikeloom.adapters.sqlite.bound import Bound
from strikeloom.adapters.sqlite.rows import Row, insert
from strikeloom.adapters.sqlite.rows import day as to_day
from strikeloom.domain.market import MarketView
from strikeloom.domain.volatility import IvRank, IvSnapshot, Regime

if TYPE_CHECKING:
    import pandas as pd


class VolatilityRows(Bound):
    """The volatility part of ``ports.store.MarketStore``."""

    def save_iv(self, rows: Iterable[IvSnapshot], method: str) -> int:
        """Upsert snapshots by symbol and day; rows of an older method are replaced."""
        values = [
            {
                **asdict(row),
                "market": self.market,
                "method": method,
                "day": row.day.isoformat(),
                "expiry": row.expiry.isoformat() if row.expiry else None,
                "forward_source": row.forward_source.value if row.forward_source else None,
            }
            for row in rows
        ]
        return self._upsert("historical_iv_summary", values)

    def iv_history(self, last: date, *, first: date | None = None) -> pd.DataFrame:
        """Columns of ``IvSnapshot`` and ``method``; rows up to ``last`` inclusive."""
        import pandas as pd

        found = self.db.rows(
            "SELECT symbol, day, atm_iv, expiry, years, spot, forward, forward_source, "
            "strikes_used, reason, method FROM historical_iv_summary "
            "WHERE market = ? AND day >= ? AND day <= ? ORDER BY symbol, day",
            (self.market, (first or date.min).isoformat(), last.isoformat()),
        )
        columns = [
            "symbol",
            "day",
            "atm_iv",
            "expiry",
            "years",
            "spot",
            "forward",
            "forward_source",
            "strikes_used",
            "reason",
            "method",
        ]
        frame = pd.DataFrame([tuple(row) for row in found], columns=columns)
        for name in ("atm_iv", "years", "spot", "forward"):
            frame[name] = frame[name].astype("float64")
        for name in ("day", "expiry"):
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
        return frame

    def save_ranks(self, rows: Iterable[IvRank]) -> int:
        """Upsert ranks by symbol and day."""
        values = [
            {
                **asdict(row),
                "market": self.market,
                "day": row.day.isoformat(),
                "regime": row.regime.value if row.regime else None,
            }
            for row in rows
        ]
        return self._upsert("iv_percentiles", values)

    def ranks(self, day: date) -> dict[str, IvRank]:
        """Ranks of a day by symbol."""
        found = self.db.rows(
            "SELECT * FROM iv_percentiles WHERE market = ? AND day = ? ORDER BY symbol",
            (self.market, day.isoformat()),
        )
        return {row["symbol"]: _rank(row) for row in found}

    def save_views(self, rows: Iterable[MarketView]) -> int:
        """Upsert views by symbol and day."""
        values = [
            {
                "market": self.market,
                "symbol": row.symbol,
                "day": row.day.isoformat(),
                "outlook": row.outlook.value,
                "strength": row.strength,
                "evidence": json.dumps([asdict(item) for item in row.evidence]),
            }
            for row in rows
        ]
        return self._upsert("market_views", values)

    def _upsert(self, table: str, values: list[dict[str, Any]]) -> int:
        if not values:
            return 0
        changes = ", ".join(f"{name} = excluded.{name}" for name in values[0])
        conflict = f"ON CONFLICT (market, symbol, day) DO UPDATE SET {changes}"
        with self.db.transaction() as db:
            db.executemany(insert(table, values[0], conflict=conflict), values)
        return len(values)


def _rank(row: Row) -> IvRank:
    return IvRank(
        symbol=row["symbol"],
        day=to_day(row["day"]),
        atm_iv=row["atm_iv"],
        percentile=row["percentile"],
        rank=row["rank"],
        regime=Regime(row["regime"]) if row["regime"] else None,
        window_months=row["window_months"],
        sample=row["sample"],
        needed=row["needed"],
        reason=row["reason"],
    )
