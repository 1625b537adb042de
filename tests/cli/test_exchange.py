"""``strikeloom exchange`` as a process: addresses printed, orders accepted, ended by SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests

from strikeloom.domain.legs import Side
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from strikeloom.views.terminal.exchange_board import exchange_board
from support.fakes import ist, option


@contextmanager
def exchange(home, *words):
    """Run the command; its first JSON or all lines up to the board."""
    command = [sys.executable, "-m", "strikeloom.cli", "exchange", "--market", "synthetic", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "STRIKELOOM_HOME": str(home)},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def test_json_is_printed_once_it_answers(drawn_home):
    with exchange(drawn_home, "--speed", "60", "--json") as process:
        text = ""
        while "\n}" not in text:
            text += process.stdout.readline()
        found = json.loads(text)
        now = requests.get(found["clock"], timeout=5).json()
        assert now["speed"] == 60.0
        assert found["environment"]["STRIKELOOM_MARKET"] == "synthetic-7"
        assert found["environment"]["STRIKELOOM_DHAN_REST"] == found["rest"]
        mine = {"access-token": "local", "client-id": "1000000001"}
        funds = requests.get(f"{found['rest']}/fundlimit", headers=mine, timeout=5).json()
        assert funds["sodLimit"] > 0
        assert found["pid"] == process.pid
        assert "local" not in json.dumps(found["environment"])
    assert process.returncode == 0


def test_lines_for_a_person(drawn_home):
    with exchange(drawn_home) as process:
        lines = []
        while not lines or "DHAN_CLIENT_ID" not in lines[-1]:
            lines.append(process.stdout.readline())
        text = "".join(lines)
    assert "export STRIKELOOM_DHAN_FEED=ws://127.0.0.1:" in text
    assert "control-token" in text
    assert process.returncode == 0


def test_a_wrong_file_is_reported_before_anything_starts(drawn_home, tmp_path, call):
    bad = tmp_path / "faults.yaml"
    bad.write_text("faults: [{kind: nonsense}]")
    result = call("exchange", "--market", "synthetic", "--faults", str(bad))
    assert result.code == 1
    assert "faults.yaml, entry 1" in result.err
    assert result.out == ""


@pytest.fixture
def engine(tmp_path):
    from support.fakes import CASH, ManualClock, ShownFeed

    clock = ManualClock(ist("2026-02-11 10:00"))
    feed = ShownFeed(clock)
    feed.spots["NIFTY"] = 25_000_00
    feed.show(option(25_000), 100_00, 101_00)
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    yield engine
    engine.close()


def test_the_board_shows_the_latest_orders_first(engine):
    engine.place(Placement(option(25_000), Side.BUY, 65, limit=101_00))
    engine.place(Placement(option(25_000), Side.SELL, 130, limit=150_00))
    engine.place(Placement(option(25_000), Side.BUY, 64, limit=90_00))
    rows = [("1000000001", order) for order in engine.orders()]
    text = exchange_board(ist("2026-02-11 10:00"), rows, {"feeds": 1}).plain
    head, _, first, *_, last = text.splitlines()
    assert head.endswith("3 orders  feeds 1")
    assert "REJECTED" in first
    assert "64" in first
    assert "TRADED" in last
    assert "101.00" in last
    empty = exchange_board(ist("2026-02-11 10:00"), [], {}).plain
    assert "no order yet" in empty
