"""A database: a failed transaction leaves nothing behind, not even a lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from strikeloom.adapters.sqlite.database import Database
from strikeloom.errors import StoreError


def test_a_commit_that_fails_leaves_no_lock(tmp_path: Path) -> None:
    db, other = Database(tmp_path / "a.db"), Database(tmp_path / "a.db", busy_seconds=0.01)
    with db.transaction() as it:
        it.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        it.execute("CREATE TABLE two (id REFERENCES one DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(StoreError, match="FOREIGN KEY"), db.transaction() as it:
        it.execute("INSERT INTO two VALUES (7)")  # is refused by the commit alone
    for each in (other, db):
        with each.transaction() as it:
            it.execute("INSERT INTO one DEFAULT VALUES")
    assert len(db.rows("SELECT * FROM one")) == 2
    assert db.rows("SELECT * FROM two") == []
    db.close()
    other.close()


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    with pytest.raises(StoreError, match=r"a\.db is not a usable store"):
        Database(tmp_path / "a.db")
