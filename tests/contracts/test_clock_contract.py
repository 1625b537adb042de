"""What every clock keeps, whatever moves it."""

from datetime import timedelta

import pytest

from strikeloom.adapters.replay.clock import ReplayClock
from strikeloom.adapters.sqlite.store import open_store
from strikeloom.adapters.system_clock import SystemClock
from support.fakes import ist


@pytest.fixture
def replay(tmp_path, synthetic_history):
    store = open_store(tmp_path / "store.db", "synthetic-7", "replay:synthetic-7")
    yield ReplayClock(store, synthetic_history, ist("2026-06-11 09:15"))
    store.close()


@pytest.fixture(params=["system", "replay"])
def clock(request):
    return SystemClock() if request.param == "system" else request.getfixturevalue("replay")


def test_now_is_aware_and_indian(clock):
    assert clock.now().utcoffset() == timedelta(hours=5, minutes=30)


def test_waiting_moves_forward(clock):
    before = clock.now()
    assert clock.wait(0.01)
    assert clock.now() > before


def test_two_readings_never_go_back(clock):
    readings = [clock.now() for _ in range(50)]
    assert readings == sorted(readings)
