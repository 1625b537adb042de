"""Today's chains over the broker's protocol: faults, a kill, a dead token; nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom import iv_history
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import HereWorkers
from strikeloom.cli.app import main
from strikeloom.desk import open_desk
from strikeloom.desk.exchange import ExchangeOptions, open_exchange
from strikeloom.errors import StageError
from strikeloom.exchange.server.fault_injection import FaultKind, InjectedFault
from strikeloom.exchange.server.serve import ExchangeServer
from strikeloom.ports.desk import Desk

DAY = date(2026, 6, 11)
NAMES = ("ANANTNET", "BANYANCO", "SYNDEX")


@pytest.fixture
def served(
    home: Path, synthetic_history: ParquetHistory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ExchangeServer]:
    """An exchange at sixty times the pace: three seconds between requests are a twentieth."""
    shutil.copytree(synthetic_history.folder, home / "history" / "synthetic-7")
    options = ExchangeOptions(market="synthetic", speed=60, limits=False)
    with open_exchange(options, home=home) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DHAN_CLIENT_ID", "1000000001")
        monkeypatch.setenv("DHAN_ACCESS_TOKEN", "local")
        monkeypatch.setenv("STRIKELOOM_MODE", "paper")
        yield server


@pytest.fixture
def desk(served: ExchangeServer) -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def read(desk: Desk, *names: str) -> dict[str, str]:
    return {item.item: item.error for item in iv_history.read_chains(desk, names)}


def test_faults_of_the_wire_are_asked_again_or_fail_alone_and_the_day_is_worked_out(
    served: ExchangeServer, desk: Desk
) -> None:
    faults = served.exchange.faults
    for kind, name in zip((FaultKind.HTML_AFTER, FaultKind.EMPTY), NAMES, strict=False):
        faults.switch_on(InjectedFault(kind, "chain", times=1))
        assert read(desk, name) == {name: ""}, kind
    assert dict(faults.injected) == {"html-after": 1, "empty": 1}
    faults.switch_on(InjectedFault(FaultKind.SERVER_ERROR, "chain", times=1))
    chains = desk.settings.chains.model_copy(update={"attempts": 1})
    once = replace(desk, settings=desk.settings.model_copy(update={"chains": chains}))
    errors = read(once, "AVANTIKA", "NOSUCH", *NAMES)
    assert "HTTP 500" in errors["AVANTIKA"]
    assert "NOSUCH has no row" in errors["NOSUCH"]
    assert [name for name, error in errors.items() if not error] == list(NAMES)
    assert set(desk.history.chain_times(DAY)) == set(NAMES)
    today = replace(desk, day=DAY)
    gaps = iv_history.find_gaps(today, DAY)
    assert gaps.todo == (DAY,)
    assert not [item for item in iv_history.collect(today, gaps, HereWorkers()) if item.error]
    rows = desk.store.iv_history(DAY, first=DAY).set_index("symbol")
    assert sorted(rows.index) == list(NAMES)
    assert rows["atm_iv"].between(0.02, 2.0).all()


def test_a_dead_token_ends_it_at_once_and_asks_no_more(served: ExchangeServer, desk: Desk) -> None:
    assert read(desk, NAMES[0]) == {NAMES[0]: ""}
    served.exchange.tokens.end("1000000001")
    served.exchange.faults.switch_on(InjectedFault(FaultKind.LATENCY, "chain"))
    with pytest.raises(StageError, match=r"DHAN_ACCESS_TOKEN.*the chains read so far are kept"):
        read(desk, *NAMES)
    assert sum(served.exchange.faults.injected.values()) <= 1
    assert set(desk.history.chain_times(DAY)) == {NAMES[0]}


_CHILD = """
import sys
from strikeloom import iv_history
from strikeloom.desk import open_desk
for item in iv_history.read_chains(open_desk(), sys.argv[1:]):
    print(item.item, item.error, flush=True)
"""


def test_killed_in_the_middle_it_goes_on_and_ends_with_all(
    served: ExchangeServer, desk: Desk
) -> None:
    served.exchange.faults.switch_on(InjectedFault(FaultKind.LATENCY, "chain", seconds=0.05))
    wanted = sorted(desk.history.contracts(date(2026, 6, 10))["symbol"].unique())[:8]
    words = [sys.executable, "-c", _CHILD, *wanted]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ) as child:
        assert child.stdout is not None
        reported = [child.stdout.readline().split()[0] for _ in range(3)]
        child.send_signal(signal.SIGKILL)
    served.exchange.faults.switch_off()
    before = desk.history.chain_times(DAY)
    assert set(reported) <= set(before)
    assert len(before) < len(wanted)
    assert read(desk, *wanted) == dict.fromkeys(wanted, "")
    after = desk.history.chain_times(DAY)
    assert sorted(after) == wanted
    assert {name: after[name] for name in before} == before


def test_as_a_person_runs_it(
    served: ExchangeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["strikeloom", "run", "iv-history", "--latest", "--from", str(DAY)]
    for name in (*NAMES, "nosuch"):
        words += ["--symbol", name]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert ended.value.code == 1, "one could not be read"
    assert "3 of 4 chains read, 1 failed; run the same command again for the rest" in printed.err
    assert "warning: NOSUCH: " in printed.err
    assert f"iv-history of {DAY}: " in printed.out
    assert "of 3 symbols" in printed.out
