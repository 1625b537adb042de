"""Cache of the latest quotes and levels in a small SQLite file that may be deleted at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from strikeloom.adapters.sqlite.database import Database
from strikeloom.adapters.sqlite.rows import insert, moment
from strikeloom.domain.quotes import Quote, QuoteSource

_TABLE = """
CREATE TABLE IF NOT EXISTS latest_quotes (
    market TEXT NOT NULL, contract TEXT NOT NULL, bid INTEGER, ask INTEGER, last INTEGER,
    bid_size INTEGER NOT NULL, ask_size INTEGER NOT NULL, volume INTEGER NOT NULL,
    open_interest INTEGER NOT NULL, at TEXT NOT NULL, source TEXT NOT NULL, settlement INTEGER,
    PRIMARY KEY (market, contract)
) STRICT
"""

_LEVELS = """
CREATE TABLE IF NOT EXISTS latest_levels (
    market TEXT NOT NULL, symbol TEXT NOT NULL, level INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (market, symbol)
) STRICT
"""


class SqliteQuoteCache:
    """``ports.quotes.QuoteCache`` of one market."""

    def __init__(self, path: Path, market: str) -> None:
        self.market = market
        self._db = Database(path, durable=False)
        with self._db.transaction() as db:
            db.execute("DROP TABLE IF EXISTS quotes")  # of before 2026-12, without settlements
            db.execute(_TABLE)
            db.execute(_LEVELS)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def put(self, quotes: Iterable[Quote]) -> None:
        """Store the quotes that are newer than the stored ones."""
        values = [
            {
                "market": self.market,
                "contract": q.key,
                "bid": q.bid,
                "ask": q.ask,
                "last": q.last,
                "bid_size": q.bid_size,
                "ask_size": q.ask_size,
                "volume": q.volume,
                "open_interest": q.open_interest,
                "at": q.at.isoformat(),
                "source": q.source.value,
                "settlement": q.settlement,
            }
            for q in quotes
        ]
        if not values:
            return
        changes = ", ".join(f"{name} = excluded.{name}" for name in values[0])
        conflict = (
            f"ON CONFLICT (market, contract) DO UPDATE SET {changes} "
            "WHERE excluded.at > latest_quotes.at"
        )
        with self._db.transaction() as db:
            db.executemany(insert("latest_quotes", values[0], conflict=conflict), values)

    def get(self, keys: Iterable[str]) -> dict[str, Quote]:
        """Quotes by contract key; unknown keys are absent."""
        wanted = list(keys)
        marks = ", ".join("?" * len(wanted))
        found = self._db.rows(
            f"SELECT * FROM latest_quotes WHERE market = ? AND contract IN ({marks})",  # noqa: S608
            (self.market, *wanted),
        )
        return {
            row["contract"]: Quote(
                row["contract"],
                row["bid"],
                row["ask"],
                row["last"],
                row["bid_size"],
                row["ask_size"],
                row["volume"],
                row["open_interest"],
                moment(row["at"]),
                QuoteSource(row["source"]),
                row["settlement"],
            )
            for row in found
        }

    def put_levels(self, levels: Mapping[str, tuple[int, datetime]]) -> None:
        """Store levels of underlyings, in paise with their time, newer than the stored ones."""
        if not levels:
            return
        with self._db.transaction() as db:
            db.executemany(
                "INSERT INTO latest_levels (market, symbol, level, at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (market, symbol) DO UPDATE SET level = excluded.level, "
                "at = excluded.at WHERE excluded.at > latest_levels.at",
                [
                    (self.market, symbol, level, at.isoformat())
                    for symbol, (level, at) in levels.items()
                ],
            )

    def levels(self, symbols: Iterable[str]) -> dict[str, tuple[int, datetime]]:
        """Level in paise and its time by symbol; unknown symbols are absent."""
        wanted = list(symbols)
        marks = ", ".join("?" * len(wanted))
        found = self._db.rows(
            f"SELECT * FROM latest_levels WHERE market = ? AND symbol IN ({marks})",  # noqa: S608
            (self.market, *wanted),
        )
        return {row["symbol"]: (row["level"], moment(row["at"])) for row in found}
