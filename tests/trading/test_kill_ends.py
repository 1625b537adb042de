"""kill -9 of the watcher while a position's first leg is left or settled: the next start goes on.

A diagonal whose short call is bought back before it ends, and a covered call that is assigned.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from strikeloom.desk import open_desk, to_day_end, to_next_session
from strikeloom.domain.legs import Side
from strikeloom.monitor import watch
from strikeloom.ports.desk import Desk
from support.fakes import ManualClock, ist
from support.marked_strategy import enter_marked, mark_strategy

PROGRAM = Path(__file__).with_name("killed_watcher.py")
DAY, CLOSE, BEFORE = date(2026, 5, 20), date(2026, 5, 26), date(2026, 6, 1)
SHORT, LONG = "SYNDEX:2026-06-02:2730000:CE", "SYNDEX:2026-06-09:2730000:CE"
SHARE, CALL = "AVANTIKA:SHARE", "AVANTIKA:2026-05-26:138000:CE"
REAL = ManualClock(ist("2026-11-30 12:00"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, synthetic_history) -> Path:  # type: ignore[no-untyped-def]
    """Home with both positions at the close of the day on which the stock's call ends."""
    home = tmp_path_factory.mktemp("ends") / "home"
    (home / "history").mkdir(parents=True)
    (home / "history" / "synthetic-7").symlink_to(synthetic_history.folder)
    with open_desk("synthetic", DAY, home=home) as desk:
        to_day_end(desk, DAY)
        made = [
            mark_strategy(desk, "call_diagonal", "diagonal",
                          [(SHORT, Side.SELL), (LONG, Side.BUY)], forward=27_500.0),
            mark_strategy(desk, "covered_call", "covered",
                          [(CALL, Side.SELL), (SHARE, Side.BUY)], forward=1_422.0),
        ]  # fmt: skip
        to_next_session(desk)
        for proposal in made:
            enter_marked(desk, proposal)
        to_day_end(desk, CLOSE)
    return home


def killed(home: Path, folder: Path, patch: pytest.MonkeyPatch, *moment: object) -> None:
    """Run a watcher on a copy of a home until it is killed."""
    shutil.copytree(home, folder, symlinks=True)
    patch.setenv("STRIKELOOM_HOME", str(folder))
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, moment)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def held(desk: Desk) -> dict[str, int]:
    """What our record holds, which is what the broker holds."""
    net: dict[str, int] = {}
    for position in desk.store.positions():
        for leg in position.legs:
            net[leg.instrument.key] = net.get(leg.instrument.key, 0) + leg.net_units
    ours = {key: units for key, units in net.items() if units}
    assert ours == {p.instrument_key: p.net_units for p in desk.broker.positions()}
    assert desk.store.audit_positions() == []
    return ours


@pytest.mark.parametrize(
    "moment",
    [
        ("before", "store.record_fills", 1),
        ("after", "store.record_intents", 1),
        ("after", "store.record_fills", 1),
        ("before", "store.beat", 1),
    ],
    ids=lambda moment: " ".join(map(str, moment)),
)
def test_an_assignment_that_was_cut_off_is_booked_once(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: tuple[object, ...]
) -> None:
    killed(prepared, tmp_path / "home", monkeypatch, *moment)
    with open_desk("synthetic") as desk:
        for _ in range(2):
            watch(desk, REAL, once=True)
        assert held(desk) == {SHORT: -65, LONG: 65}
        fills = [f for f in desk.store.fills() if f.instrument_key in (SHARE, CALL)]
        assert [f.units for f in fills] == [500] * 4  # bought, sold, settled, delivered
        assert not [it.text for it in desk.store.alerts() if "lacking" in it.text]


@pytest.mark.parametrize(
    "moment",
    [
        ("before", "store.record_intents", 2),
        ("after", "store.record_intents", 2),
        ("before", "broker.submit", 1),
        ("after", "broker.submit", 1),
        ("before", "store.record_fills", 2),
        ("after", "store.record_fills", 2),
    ],
    ids=lambda moment: " ".join(map(str, moment)),
)
def test_a_short_leg_is_bought_back_once_and_the_long_one_is_kept(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: tuple[object, ...]
) -> None:
    monkeypatch.setenv("STRIKELOOM_HOME", str(prepared))
    later = tmp_path / "later"
    shutil.copytree(prepared, later, symlinks=True)
    with open_desk("synthetic", home=later) as desk:
        to_day_end(desk, BEFORE)
    killed(later, tmp_path / "home", monkeypatch, *moment)
    with open_desk("synthetic") as desk:
        for _ in range(2):
            watch(desk, REAL, once=True)
        assert held(desk) == {LONG: 65}
        fills = [f for f in desk.store.fills() if f.instrument_key in (SHORT, LONG)]
        sides = [(f.instrument_key, f.side, f.units) for f in fills]
        assert sorted(sides) == [
            (SHORT, Side.SELL, 65), (SHORT, Side.BUY, 65), (LONG, Side.BUY, 65),
        ]  # fmt: skip
