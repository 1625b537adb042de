"""The send lock: one holder at a time, and whoever asks for it is answered at once."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, cast

import pytest

from strikeloom.errors import LeaseTaken, SettingsError, StoreError
from strikeloom.trading.lease import Lease, file_name, held_elsewhere


class Records:
    """The part of a store that a lease uses."""

    def __init__(self, account: str = "paper:one") -> None:
        self.account = account
        self.taken: list[tuple[str, int]] = []

    def take_lease(self, token: str, pid: int) -> None:
        self.taken.append((token, pid))


@pytest.fixture
def store() -> Any:
    return cast("Any", Records())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where anything waits for the lock."""

    def wait(seconds: float) -> None:
        raise AssertionError(f"it waits {seconds} seconds for the lock")

    monkeypatch.setattr(time, "sleep", wait)


def refusal(home: Path, store: Any) -> LeaseTaken | None:
    """Ask for the lock; the error when it is taken."""
    try:
        with Lease(home, store):
            return None
    except LeaseTaken as error:
        return error


def test_a_second_holder_is_refused_at_once(tmp_path: Path, store: Any) -> None:
    with Lease(tmp_path, store):
        error = refusal(tmp_path, store)
        assert isinstance(error, LeaseTaken)
        assert "another process sends orders for paper:one" in str(error)
        assert error.facts["account"] == "paper:one"
        assert len(store.taken) == 1  # the token of the holder stays in the store
    assert refusal(tmp_path, store) is None


def test_the_holder_is_recorded_with_a_token_of_its_own(tmp_path: Path, store: Any) -> None:
    lease = Lease(tmp_path, store)
    assert (lease.token, store.taken) == ("", [])
    for turn in range(2):
        with lease as held:
            assert store.taken[turn] == (held.token, os.getpid())
        assert lease.token == ""
    first, second = (token for token, _ in store.taken)
    assert first
    assert first != second


def test_the_lock_is_released_when_the_work_fails(tmp_path: Path, store: Any) -> None:
    with pytest.raises(ZeroDivisionError), Lease(tmp_path, store):
        _ = 1 / 0
    assert refusal(tmp_path, store) is None


def test_a_lock_that_cannot_be_recorded_is_released(tmp_path: Path, store: Any) -> None:
    class Full(Records):
        def take_lease(self, token: str, pid: int) -> None:
            raise StoreError(f"{token} of {pid} is not written: the disk is full")

    full = Lease(tmp_path, cast("Any", Full()))
    with pytest.raises(StoreError), full:
        pass
    assert full.token == ""
    assert refusal(tmp_path, store) is None  # although the first one still exists


def test_another_account_has_a_lock_of_its_own(tmp_path: Path, store: Any) -> None:
    other = cast("Any", Records("paper:two"))
    with Lease(tmp_path, store), Lease(tmp_path, other):
        assert len(other.taken) == 1
    assert file_name("live:1234") == "live-1234"


def test_whether_the_lock_is_held_is_answered_at_once(tmp_path: Path, store: Any) -> None:
    with Lease(tmp_path, store):
        assert held_elsewhere(tmp_path, store) is True
        other = cast("Any", Records("paper:two"))
        assert held_elsewhere(tmp_path, other) is False
    assert held_elsewhere(tmp_path, store) is False
    assert store.taken[1:] == []  # asking takes nothing
    assert refusal(tmp_path, store) is None


def test_the_lock_of_a_new_desk_is_free(tmp_path: Path, store: Any) -> None:
    home = tmp_path / "new" / "home"
    assert held_elsewhere(home, store) is False
    assert not home.exists()  # asking writes nothing
    assert refusal(home, store) is None
    assert (home / "locks").stat().st_mode & 0o777 == 0o700  # no other user can hold it


def test_a_page_load_takes_no_send_lock(
    tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOILA_KERNEL_ID", "1")
    with (
        pytest.raises(SettingsError, match="is not available on this page"),
        Lease(tmp_path, store),
    ):
        pass
    assert store.taken == []
    assert not held_elsewhere(tmp_path, store)
