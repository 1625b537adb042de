"""The store: its parts over one database, bound to one market and one account."""

from __future__ import annotations

from pathlib import Path

from strikeloom.adapters.sqlite.allocation_rows import AllocationRows
from strikeloom.adapters.sqlite.database import Database
from strikeloom.adapters.sqlite.open_rows import OpenRows
from strikeloom.adapters.sqlite.positions import fill_positions
from strikeloom.adapters.sqlite.run_rows import RunRows
from strikeloom.adapters.sqlite.strategy_rows import StrategyRows
from strikeloom.adapters.sqlite.volatility_rows import VolatilityRows

_MIGRATIONS = "strikeloom.adapters.sqlite.migrations"


class SqliteStore(RunRows, VolatilityRows, StrategyRows, AllocationRows, OpenRows):
    """``ports.store.Store``, composed of parts that each implement a group of its methods."""

    def close(self) -> None:
        """Release the file."""
        self.db.close()


def open_store(path: Path, market: str, account: str) -> SqliteStore:
    """Open (and create or migrate) the store for one market and account.

    Raises
    ------
    StoreError
        When the file is no store or was written by a newer version.
    """
    connection = Database(path)
    connection.migrate(_MIGRATIONS, after={6: fill_positions})
    return SqliteStore(connection, market, account)


def stored_accounts(path: Path) -> list[tuple[str, str]]:
    """Market and account of every account with intents in a store file."""
    connection = Database(path)
    try:
        connection.migrate(_MIGRATIONS, after={6: fill_positions})
        found = connection.rows("SELECT DISTINCT market, account FROM order_intents ORDER BY 1, 2")
        return [(row["market"], row["account"]) for row in found]
    finally:
        connection.close()
