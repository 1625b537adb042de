"""``strikeloom data fetch``: exit codes, JSON, killed and restarted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cli.conftest import Call
from strikeloom.adapters.downloads.ban_lists import last_list_day
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.folders import config_folder
from strikeloom.settings.all import load_settings
from support import nse_files
from support.file_server import FileServer, serving

DAY, NEXT = date(2026, 2, 10), date(2026, 2, 11)
PATHS = load_settings().fetch.paths


@pytest.fixture
def server(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server with two days of files; the settings point at it, with no pause between requests."""
    with serving() as made:
        for day in (DAY, NEXT):
            paths = PATHS(day)
            packed = nse_files.save(tmp_path / "a.csv.zip", nse_files.udiff({"TradDt": str(day)}))
            made.files[paths["contracts"]] = packed.read_bytes()
            made.files[paths["cash"]] = nse_files.cash(f"SBIN EQ {day:%d-%b-%Y} 9 10 11 9 10 7")
            levels = {"Nifty 50": ("25900", "26000", "25800", "25935.15")}
            made.files[paths["indices"]] = nse_files.closes(f"{day:%d-%m-%Y}", levels)
        config = shutil.copytree(config_folder(), tmp_path / "config")
        text = (config / "fetch.yaml").read_text(encoding="utf-8")
        for old, new in (
            ("https://nsearchives.nseindia.com", made.address),
            ("pause_seconds: 1.0", "pause_seconds: 0"),
            ("\nbackoff_seconds: 2", "\nbackoff_seconds: 0"),
        ):
            assert old in text
            text = text.replace(old, new)
        (config / "fetch.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("STRIKELOOM_CONFIG", str(config))
        yield made


def test_a_range_then_nothing_new(call: Call, server: FileServer) -> None:
    result = call("data", "fetch", "--from", str(DAY), "--to", str(NEXT))
    assert result.code == 0, result.err
    assert "6 files fetched, 0 already here" in result.out
    result = call("data", "fetch", "--from", str(DAY), "--to", str(NEXT), "--json")
    body = json.loads(result.out)
    assert (result.code, body["complete"], body["new_rows"]) == (0, True, 0)
    assert {item["status"] for item in body["files"]} == {"stored"}
    result = call("data", "fetch", "--to", str(NEXT))
    assert result.code == 0
    assert result.out == f"nothing to fetch: {NEXT} is stored, {NEXT} is published\n"


def test_missing_files_are_exit_code_one_with_the_remedy(call: Call, server: FileServer) -> None:
    del server.files[PATHS(NEXT)["contracts"]]
    result = call("data", "fetch", "--from", str(DAY), "--to", str(NEXT))
    assert result.code == 1
    assert f"{NEXT} is a trading day" in result.err
    assert "1 missing" in result.out
    result = call("data", "fetch", "--from", str(NEXT), "--to", str(NEXT), "--json")
    (failed,) = (f for f in json.loads(result.out)["files"] if f["status"] == "failed")
    assert (result.code, failed["kind"], failed["day"]) == (1, "contracts", str(NEXT))


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "tomorrow"),
        ("--from", "2026-02-11", "--to", "2026-02-10"),
        ("--to", "2026-02-10"),  # nothing is stored, so the first day is unknown
    ],
)
def test_an_invalid_range_is_wrong_usage(
    call: Call, server: FileServer, words: tuple[str, ...]
) -> None:
    assert call("data", "fetch", *words).code == 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_during_a_download_it_leaves_no_partial_file_and_continues(
    call: Call, server: FileServer, home: Path, number: signal.Signals
) -> None:
    stalled = PATHS(DAY)["indices"]
    server.faults[stalled] = ["stall"]
    words = ["data", "fetch", "--from", str(DAY), "--to", str(DAY)]
    child = subprocess.Popen(
        [sys.executable, "-m", "strikeloom.cli", *words],
        env=dict(os.environ),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        waited = threading.Event()
        for _ in range(600):
            if stalled in server.asked or child.poll() is not None:
                break
            waited.wait(0.05)
        assert stalled in server.asked
        child.send_signal(number)
        _, captured = child.communicate(timeout=60)
        if number is signal.SIGTERM:  # handled as Ctrl-C
            assert child.returncode == 130
            assert captured.strip().endswith("are kept, run the same command to continue"), captured
    finally:
        child.kill()
        child.wait(10)
    whole = [path.name for path in (home / "downloads").rglob("[!.]*") if path.is_file()]
    assert whole == [PATHS(DAY)["contracts"].rsplit("/", 1)[-1]]
    result = call(*words)
    assert result.code == 0, result.err
    assert server.times(PATHS(DAY)["contracts"]) == 1
    assert not list((home / "downloads").rglob(".*.part"))


def test_ban_lists_come_along_and_a_missing_one_is_no_failure(
    call: Call, server: FileServer, home: Path
) -> None:
    path = f"/archives/fo/sec_ban/fo_secban_{DAY:%d%m%Y}.csv"
    server.files[path] = f"Securities in Ban For Trade Date {DAY:%d-%b-%Y}:\n1,SAIL\n".encode()
    result = call("data", "fetch", "--from", str(DAY), "--to", str(NEXT))
    assert result.code == 0, result.err
    assert f"ban lists: 1 fetched, to {DAY}" in result.out
    assert f"no ban list of 1 days, last {NEXT}" in result.err
    history = ParquetHistory(home / "history" / "nse", "nse")
    assert (history.banned(DAY), history.banned(NEXT)) == ({"SAIL"}, None)
    body = json.loads(call("data", "fetch", "--from", str(DAY), "--to", str(NEXT), "--json").out)
    assert body["ban_lists"] == {"fetched": [], "absent": [str(NEXT)], "message": ""}
    assert server.times(path) == 1


def test_a_damaged_list_is_fetched_again(call: Call, server: FileServer, home: Path) -> None:
    path = f"/archives/fo/sec_ban/fo_secban_{DAY:%d%m%Y}.csv"
    server.files[path] = f"Securities in Ban For Trade Date {DAY:%d-%b-%Y}:\n1,SAIL\n".encode()
    history = ParquetHistory(home / "history" / "nse", "nse")
    history.store_ban_list(DAY, ["SAIL"], source="test")
    (stored,) = history.folder.rglob(f"{DAY}.json")
    stored.write_text("{")
    result = call("data", "fetch", "--from", str(DAY), "--to", str(DAY))
    assert result.code == 0, result.err
    assert history.banned(DAY) == {"SAIL"}


def test_the_list_of_the_next_session_is_out_with_the_files_of_a_day() -> None:
    assert last_list_day(date(2026, 2, 10)) == date(2026, 2, 11)
    assert last_list_day(date(2026, 2, 13)) == date(2026, 2, 16)  # over a weekend


def test_a_list_of_another_day_does_not_count(call: Call, server: FileServer, home: Path) -> None:
    path = f"/archives/fo/sec_ban/fo_secban_{DAY:%d%m%Y}.csv"
    server.files[path] = b"Securities in Ban For Trade Date 09-FEB-2026:\n1,SAIL\n"
    result = call("data", "fetch", "--from", str(DAY), "--to", str(DAY))
    assert result.code == 0
    assert "is of 2026-02-09, expected 2026-02-10" in result.err
    assert ParquetHistory(home / "history" / "nse", "nse").banned(DAY) is None


def test_a_ban_list_given_by_hand(call: Call, home: Path) -> None:
    result = call("data", "ban", "--date", str(DAY), "sail", "M&M")
    assert (result.code, result.out) == (0, "2026-02-10: M&M, SAIL in the ban period\n")
    history = ParquetHistory(home / "history" / "nse", "nse")
    assert history.banned(DAY) == {"M&M", "SAIL"}
    assert call("data", "ban", "--date", str(DAY)).out.startswith("2026-02-10: no security")
    assert history.banned(DAY) == frozenset()
    wrong = call("data", "ban", "--date", str(DAY), "SIAL")
    assert wrong.code == 1
    assert "did you mean SAIL" in wrong.err
    assert call("data", "ban", "--date", "today", "SAIL").code == 2
