"""Cache of the latest quotes in a small SQLite file, which may be deleted at any time."""

from __future__ import annotations

from collections.abc import Iterable
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


class SqliteQuoteCache:
    """``ports.quotes.QuoteCache`` of one market."""

    def __init__(self, path: Path, market: str) -> None:
        self.market = market
        self._db = Database(path, durable=False)
        with self._db.transaction() as db:
            db.execute("DROP TABLE IF EXISTS quotes")  # of before 2026-12, without settlements
            db.execute(_TABLE)

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
