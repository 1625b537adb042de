"""Volatility, ranks and views in the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from strikeloom.adapters.sqlite.bound import Bound
from strikeloom.adapters.sqlite.rows import Row, insert
from strikeloom.adapters.sqlite.rows import day as to_day
from strikeloom.domain.market import MarketView
from strikeloom.domain.volatility import IV_SUMMARY, IvRank, Regime, WindowRank

if TYPE_CHECKING:
    import pandas as pd


class VolatilityRows(Bound):
    """The volatility part of ``ports.store.MarketStore``."""

    def save_iv(self, rows: pd.DataFrame, method: str) -> int:
        """Upsert ``IV_SUMMARY`` rows by symbol and day; rows of an older method are replaced."""
        frame = IV_SUMMARY.check(rows, where="volatility to store")
        columns: list[list[Any]] = []
        for name, family in IV_SUMMARY.columns.items():
            if family == "date":
                text = np.datetime_as_string(frame[name].to_numpy().astype("datetime64[D]"))
                columns.append([None if value == "NaT" else value for value in text.tolist()])
            else:  # SQLite keeps NaN as NULL
                columns.append(frame[name].to_numpy().tolist())
        names = ("market", "method", *IV_SUMMARY.columns)
        values = [dict(zip(names, (self.market, method, *row), strict=True))
                  for row in zip(*columns, strict=True)]  # fmt: skip
        return self._upsert("historical_iv_summary", values)

    def iv_history(
        self, last: date, *, first: date | None = None, columns: Sequence[str] = ()
    ) -> pd.DataFrame:
        """``IV_SUMMARY`` columns, or those named, and ``method``; up to ``last`` inclusive."""
        import pandas as pd

        names = [name for name in IV_SUMMARY.columns if not columns or name in columns]
        found = self.db.rows(
            f"SELECT {', '.join(names)}, method FROM historical_iv_summary "  # noqa: S608
            "WHERE market = ? AND day >= ? AND day <= ? ORDER BY symbol, day",
            (self.market, (first or date.min).isoformat(), last.isoformat()),
        )
        frame = pd.DataFrame([tuple(row) for row in found], columns=[*names, "method"])
        for name in names:
            family = IV_SUMMARY.columns[name]
            if family == "date":
                frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
            elif family in ("number", "price"):
                frame[name] = frame[name].astype("float64")
            elif family == "count":
                frame[name] = frame[name].astype("int64")
        return frame

    def save_ranks(self, rows: Iterable[IvRank]) -> int:
        """Upsert ranks by symbol and day."""
        values = [
            {
                **asdict(row),
                "market": self.market,
                "day": row.day.isoformat(),
                "regime": row.regime.value if row.regime else None,
                "windows": json.dumps([asdict(window) for window in row.windows]),
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

    def rank_history(self, symbol: str, last: date, *, first: date | None = None) -> list[IvRank]:
        """Ranks of a symbol up to ``last`` inclusive, oldest first."""
        found = self.db.rows(
            "SELECT * FROM iv_percentiles WHERE market = ? AND symbol = ? "
            "AND day >= ? AND day <= ? ORDER BY day",
            (self.market, symbol, (first or date.min).isoformat(), last.isoformat()),
        )
        return [_rank(row) for row in found]

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
        windows=tuple(WindowRank(**window) for window in json.loads(row["windows"])),
    )
