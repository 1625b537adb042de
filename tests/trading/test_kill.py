"""kill -9 of the watcher between a request and its fills: the next start finishes it.

Whatever the moment, there is never a second exit order for a leg, never a position of the
wrong sign, and our record agrees with the broker's own.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from strikeloom import execution
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk, to_next_session
from strikeloom.domain.positions import RequestState
from strikeloom.monitor import request_exit, watch
from strikeloom.ports.desk import Desk

PROGRAM = Path(__file__).with_name("killed_watcher.py")

MOMENTS = [
    ("before", "store.record_intents", 1),
    ("after", "store.record_intents", 1),
    ("before", "store.settle_request", 1),
    ("after", "store.settle_request", 1),
    ("before", "store.move_intent", 1),
    ("after", "store.move_intent", 1),
    ("before", "broker.submit", 1),
    ("after", "broker.submit", 1),
    ("before", "store.record_order", 1),
    ("after", "store.record_order", 1),
    ("after", "store.move_intent", 2),
    ("before", "store.record_fills", 2),
    ("after", "store.record_fills", 2),
    ("before", "broker.submit", 2),
    ("after", "broker.submit", 2),
    ("after", "store.record_fills", 3),
    ("before", "store.beat", 1),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Home of a desk with open positions and a request to leave one of them."""
    home = tmp_path_factory.mktemp("kill") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKELOOM_HOME", str(home))
        desk = open_desk("synthetic", stage="execution")
        to_next_session(desk)
        plan = execution.plan_entries(desk, execution.load_marked(desk))
        execution.place(desk, plan)
        desk.clock.wait(0)
        position = min(
            (p for p in desk.store.positions() if len(p.legs) == 2), key=lambda p: p.position_id
        )
        request_exit(desk, position.position_id, who="test")
        desk.store.close()
    return home, position.position_id


def _reopen(home: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    shutil.copytree(home, folder)
    patch.setenv("STRIKELOOM_HOME", str(folder))


def _judge(desk: Desk, position_id: str) -> None:
    position = desk.store.position(position_id)
    assert [leg.net_units for leg in position.legs] == [0, 0]
    for leg in position.legs:
        fills = desk.store.fills(position_id=position_id)
        signed = [int(f.side) * f.units for f in fills if f.instrument_key == leg.instrument.key]
        assert sum(signed) == 0
        # one entry, one exit: nothing was bought or sold twice
        assert sum(abs(units) for units in signed) == 2 * abs(leg.first_units)
    live = [o for o in desk.broker.orders() if o.filled_units]
    names = Counter(order.correlation_id for order in live)
    assert max(names.values()) == 1, "an order is twice at the broker"
    ours: dict[str, int] = {}
    for held in desk.store.positions():
        for leg in held.legs:
            ours[leg.instrument.key] = ours.get(leg.instrument.key, 0) + leg.net_units
    theirs = {p.instrument_key: p.net_units for p in desk.broker.positions()}
    assert {key: units for key, units in ours.items() if units} == theirs
    (request,) = [r for r in desk.store.requests() if r.position_id == position_id]
    assert request.state is RequestState.DONE


@pytest.mark.parametrize(
    ("place", "call", "count"), MOMENTS, ids=[f"{p} {c} {n}" for p, c, n in MOMENTS]
)
def test_the_next_start_finishes_what_a_killed_watcher_began(
    prepared: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    call: str,
    count: int,
) -> None:
    home, position_id = prepared
    _reopen(home, tmp_path / "home", monkeypatch)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), place, call, str(count)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    desk = open_desk("synthetic")
    watch(desk, SystemClock(), once=True)
    watch(desk, SystemClock(), once=True)
    _judge(desk, position_id)


def test_an_unharmed_watcher_does_the_same(
    prepared: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, position_id = prepared
    _reopen(home, tmp_path / "home", monkeypatch)
    desk = open_desk("synthetic")
    watch(desk, SystemClock(), once=True)
    _judge(desk, position_id)
