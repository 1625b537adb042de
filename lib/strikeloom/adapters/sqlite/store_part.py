"""Base of the parts of the store, bound to one market and one account."""

from __future__ import annotations

from strikeloom.adapters.sqlite.database import Database


class StorePart:
    """Shared by all parts of the store: the database, and the key columns of every row."""

    def __init__(self, db: Database, market: str, account: str) -> None:
        self.db = db
        self.market = market
        self.account = account
        #: Number of changes to what ``open_record`` reads, made through this object.
        self.changes = 0

    @property
    def key(self) -> dict[str, str]:
        """Market and account columns of every row."""
        return {"market": self.market, "account": self.account}

    @property
    def pair(self) -> tuple[str, str]:
        """The same as positional parameters."""
        return self.market, self.account
