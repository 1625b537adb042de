"""Volatility, ranks and views in the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import date
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from strikeloom.adapters.sqlite.rows import Row
from strikeloom.adapters.sqlite.rows import day as to_day
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.market import MarketView
from strikeloom.domain.volatility import IV_SUMMARY, IvRank, Regime, WindowRank

if TYPE_CHECKING:
    import pandas as pd


_WINDOW_FIELDS = tuple(item.name for item in fields(WindowRank))
_window_values = attrgetter(*_WINDOW_FIELDS)
#: Columns of ``iv_percentiles`` that have the record's names and values.
_SAME_NAMES = tuple(
    item.name for item in fields(IvRank) if item.name not in ("day", "regime", "windows")
)
_rank_values = attrgetter(*_SAME_NAMES)


class VolatilityRows(StorePart):
    """The volatility part of ``ports.store.MarketStore``."""

    def save_iv(self, rows: pd.DataFrame, method: str) -> int:
        """Store ``IV_SUMMARY`` rows of whole days in place of the stored rows of these days."""
        frame = IV_SUMMARY.check(rows, where="volatility to store")
        columns: list[list[Any]] = []
        for name, family in IV_SUMMARY.columns.items():
            if family == "date":
                text = np.datetime_as_string(frame[name].to_numpy().astype("datetime64[D]"))
                columns.append([None if value == "NaT" else value for value in text.tolist()])
            else:  # SQLite keeps NaN as NULL
                columns.append(frame[name].to_numpy().tolist())
        names = ("market", "method", *IV_SUMMARY.columns)
        fixed = (repeat(self.market, len(frame)), repeat(method, len(frame)))
        return self._replace(
            "historical_iv_summary", names, list(zip(*fixed, *columns, strict=True))
        )

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
        """Store ranks of whole days in place of the stored ranks of these days."""
        values = [
            (
                self.market,
                *_rank_values(row),
                row.day.isoformat(),
                row.regime.value if row.regime else None,
                json.dumps(
                    [dict(zip(_WINDOW_FIELDS, _window_values(w), strict=True)) for w in row.windows]
                ),
            )
            for row in rows
        ]
        return self._replace(
            "iv_percentiles", ("market", *_SAME_NAMES, "day", "regime", "windows"), values
        )

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
            (
                self.market,
                row.symbol,
                row.day.isoformat(),
                row.outlook.value,
                row.strength,
                json.dumps([asdict(item) for item in row.evidence]),
                row.volatility.value if row.volatility else None,
                row.richness,
                row.profile,
            )
            for row in rows
        ]
        names = ("market", "symbol", "day", "outlook", "strength", "evidence")
        return self._upsert("market_views", (*names, "volatility", "richness", "profile"), values)

    def _replace(self, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        """Replace rows of whole days: a symbol that a day no longer has is deleted."""
        place = names.index("day")
        days = sorted({(self.market, row[place]) for row in rows})
        with self.db.transaction() as db:
            db.executemany(f"DELETE FROM {table} WHERE market = ? AND day = ?", days)  # noqa: S608
            db.executemany(_insert(table, names), rows)
        return len(rows)

    def _upsert(self, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        changes = ", ".join(f"{name} = excluded.{name}" for name in names)
        conflict = f" ON CONFLICT (market, symbol, day) DO UPDATE SET {changes}"
        with self.db.transaction() as db:
            db.executemany(_insert(table, names) + conflict, rows)
        return len(rows)


def _insert(table: str, names: Sequence[str]) -> str:
    """Statement for rows in the order of the names, which are constants of this package."""
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608


def _window_columns(window: WindowRank) -> dict[str, Any]:
    return dict(zip(_WINDOW_FIELDS, _window_values(window), strict=True))


def _rank(row: Row) -> IvRank:
    return IvRank(
        symbol=row["symbol"],
        day=to_day(row["day"]),
        atm_iv=row["atm_iv"],
        percentile=row["percentile"],
        rank=row["rank"],
        regime=Regime(row["regime"]) if row["regime"] else None,
        window_sessions=row["window_sessions"],
        sample=row["sample"],
        needed=row["needed"],
        reason=row["reason"],
        windows=tuple(WindowRank(**window) for window in json.loads(row["windows"])),
    )
