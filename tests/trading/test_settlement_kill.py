"""kill -9 while a delivery is booked: the next start books what is missing, and nothing twice."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from strikeloom.trading.reconcile import reconcile
from support.mixed_legs import LOT, SHARE
from trading.killed_settlement import CALL, FINAL, ended

PROGRAM = Path(__file__).with_name("killed_settlement.py")
MOMENTS = [
    ("before", "store.record_intents", 1),
    ("after", "store.record_intents", 1),
    ("before", "store.add_alert", 1),
    ("after", "store.add_alert", 1),
    ("before", "store.record_fills", 1),
    ("after", "store.record_fills", 1),
]


def _run(*arguments: object) -> int:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("delivery") / "home"
    assert _run(home) == 0
    return home


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda it: " ".join(map(str, it)))
def test_a_killed_booking_is_completed_and_never_made_twice(
    prepared: Path, tmp_path: Path, moment: tuple[str, str, int]
) -> None:
    """Three calls sold and one bought: 1,000 shares are delivered, of which 500 are held.

    The covered call's part is a third of them, 333, and the two others' 667. The 167 shares that
    the covered call has left are delivered for those, and 500 are lacking.
    """
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    assert _run(home, *moment) == -signal.SIGKILL
    made = ended(home)
    for _ in range(2):
        reconcile(made.desk)
    assert made.store.audit_positions() == []
    held = {p.template: p for p in made.store.positions(open_only=False)}
    assert [leg.net_units for leg in held["covered_call"].legs] == [0, 0]
    assert [leg.net_units for leg in held["short_call"].legs] == [0, -LOT]
    assert [leg.net_units for leg in held["long_call"].legs] == [0]
    shares, call = held["covered_call"].legs
    assert (shares.realised, call.realised) == (LOT * (FINAL - 1_400_10), LOT * (20_00 - 30_00))
    fills = [f for f in made.store.fills() if f.kind != "trade"]
    assert sorted((f.instrument_key, f.units) for f in fills if f.kind == "delivery") == [
        (SHARE.key, LOT),
        (SHARE.key, LOT),
    ]
    assert sum(f.units for f in fills if f.instrument_key == CALL.key) == 3 * LOT
    texts = {text for _, text in made.alerts.texts} | {it.text for it in made.store.alerts()}
    assert len([text for text in texts if "500 shares are lacking" in text]) == 1
