"""A part of the store, bound to one market and one account for its whole life."""

from __future__ import annotations

from strikeloom.adapters.sqlite.connection import Connection


class Bound:
    """Shared by the parts of the store: the file and the key every row carries."""

    def __init__(self, db: Connection, market: str, account: str) -> None:
        self.db = db
        self.market = market
        self.account = account
        #: Changes of what ``open_record`` reads, made through this object.
        self.changes = 0

    @property
    def key(self) -> dict[str, str]:
        """Columns of every row."""
        return {"market": self.market, "account": self.account}

    @property
    def pair(self) -> tuple[str, str]:
        """The same as positional parameters."""
        return self.market, self.account
