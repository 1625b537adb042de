from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from strikeloom.cli.app import app, paired
from strikeloom.errors import StrikeloomError

Call = Callable[..., Any]

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


def test_the_commands_of_the_design_are_there() -> None:
    assert set(COMMANDS) == {
        "arm", "contract-note", "data", "demo", "disarm", "doctor", "exchange", "execute", "exit",
        "explain", "identify", "iv", "kill", "mark", "monitor", "orders", "positions", "quotes",
        "resume", "run", "schedule", "shortages", "status", "strategies", "unmark", "watch",
    }  # fmt: skip


def test_the_version_names_the_package_python_and_the_libraries(call: Call) -> None:
    result = call("--version")
    lines = dict(line.split() for line in result.out.splitlines())
    assert result.code == 0
    assert lines["strikeloom"] == metadata.version("strikeloom")
    assert lines["python"] == sys.version.split()[0]
    assert {"dhanhq", "numpy", "pandas"} <= set(lines)
    as_json = call("--version", "--json")
    assert json.loads(as_json.out) == lines


def test_without_a_command_the_help_is_printed(call: Call) -> None:
    assert "Usage" in call().out
    assert "--version" in call("--help").out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(call: Call, name: str) -> None:
    result = call(name, "--help")
    assert result.code == 0
    assert "Usage" in result.out


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["--json", "positions"],
        ["run"],
        ["run", "monitor"],
        ["exit"],
        ["exit", "S1", "--all"],
        ["exit", "S1", "--percent", "0"],
        ["exit", "S1", "--percent", "50", "--leg", "1"],
        ["mark"],
        ["mark", "S1", "--all"],
        ["orders", "I1-0-0-1"],
        ["orders", "resolve"],
        ["orders", "--json", "resolve", "I1-0-0-1", "--never"],
        ["schedule"],
        ["schedule", "--once", "--list"],
        ["run", "allocation", "-p", "capital"],
        ["run", "iv-history", "--to", "2026-02-10", "--date", "2026-02-11"],
    ],
)
def test_wrong_usage_is_exit_code_two(call: Call, drawn_home: Path, words: list[str]) -> None:
    result = call(*words)
    assert result.code == 2
    assert "Traceback" not in result.err


def test_an_error_is_a_sentence_and_exit_code_one(call: Call, home: Path) -> None:
    result = call("run", "iv-history", "--market", "nse")
    assert result.code == 1
    assert result.err.startswith("error: market nse has no stored days")
    assert "Traceback" not in result.err
    assert result.out == ""


def test_every_kind_of_error_of_the_package_is_met() -> None:
    def below(kind: type[BaseException]) -> set[type[BaseException]]:
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__()))

    assert len(below(StrikeloomError)) >= 15  # main() catches their root


def test_help_does_not_import_heavy_libraries() -> None:
    heavy = "{'pandas', 'numpy', 'plotly', 'papermill', 'numba', 'scipy', 'ipywidgets', 'voila'}"
    code = f"import sys, strikeloom.cli.app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-p", "a", "1"], ["-p", "a=1"]),
        (["-p", "a=1", "x"], ["-p", "a=1", "x"]),
        (["--parameter", "a", "-5", "-p", "b", ""], ["--parameter", "a=-5", "-p", "b="]),
        (["run", "-p"], ["run", "-p"]),
        (["run", "-p", "a"], ["run", "-p", "a"]),
        (["positions"], ["positions"]),
    ],
)
def test_a_parameter_takes_two_words(words: list[str], expected: list[str]) -> None:
    assert paired(words) == expected


_NEEDED = {
    "exit": ["--all"], "explain": ["NIFTY"], "iv": ["NIFTY"], "mark": ["--all"],
    "quotes": ["NIFTY"], "resume": ["--reason", "checked"], "run": ["allocation"],
    "unmark": ["S1"], "arm": ["--account", "0042", "--day", "2026-02-11"], "data": ["status"],
    "watch": ["--once"],
}  # fmt: skip
#: Of their own home, or without one.
_ELSEWHERE = {"demo", "exchange", "schedule", "doctor", "strategies", "identify"}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - _ELSEWHERE))
@pytest.mark.parametrize("place", ["file", "below a file"])
def test_a_home_that_cannot_be_used_is_one_sentence(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, place: str
) -> None:
    bad = tmp_path / "taken"
    bad.write_text("here")
    bad = bad if place == "file" else bad / "home"
    monkeypatch.setenv("STRIKELOOM_HOME", str(bad))
    result = call(name, *_NEEDED.get(name, []))
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert f"home {bad} cannot be used (" in result.err
    assert "set STRIKELOOM_HOME to a folder you can write" in result.err


def test_a_home_whose_files_are_refused_is_one_sentence(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(home / "store.db"))

    monkeypatch.setattr("strikeloom.cli.exits.desk_of", refuse)
    result = call("exit", "--all")
    assert result.code == 1
    assert f"home {home} cannot be used (store.db: Permission denied)" in result.err


def test_doctor_names_the_same_remedy_for_a_bad_home(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bad = tmp_path / "taken"
    bad.write_text("here")
    monkeypatch.setenv("STRIKELOOM_HOME", str(bad))
    result = call("doctor")
    assert result.code == 1
    text = f"FAIL  home: home {bad} cannot be used (it is a file); set STRIKELOOM_HOME to a folder"
    assert text in result.out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["orders", "--market", "foo"], "market 'foo' is unknown"),
        (["orders", "--mode", "sim"], "unknown mode 'sim'"),
        (["watch", "--date", "soon"], "--date 'soon' is not a day"),
        (["orders", "--date", "soon"], "--date 'soon' is not a day"),
        (["iv", "NIFTY", "--from", "soon"], "--from 'soon' is not a day"),
        (["run", "allocation", "--date", "soon"], "--date 'soon' is not a day"),
        (["exit"], "name a position"),
        (["arm", "--account", "0042"], "give both --account and --day"),
        (["mark", "--all", "--date", "2026-06-14"], "2026-06-14 is a Sunday"),
        (["watch", "--once", "--date", "2026-06-14"], "2026-06-14 is a Sunday"),
        (["explain", "NIFTY", "--date", "2026-06-14"], "2026-06-14 is a Sunday"),
        (["data", "instruments", "--date", "soon"], "--date 'soon' is not a day"),
        (["monitor", "--port", "99999"], "less than or equal to 65535"),
        (["schedule", "--once", "--list"], "give one of the two, --once or --list, not both"),
        (["schedule"], "give --once or --list"),
        (["data", "status", "--market", "foo"], "market 'foo' is unknown; use nse, synthetic"),
        (["run", "iv-history", "--date", "2026-06-13"],
         "2026-06-13 is a Saturday; the last trading day before it is 2026-06-12"),
        (["run", "iv-history", "--date", "2026-01-26"],
         "2026-01-26 is a holiday of the exchange (Monday); the last trading day before it is "
         "2026-01-23"),
        (["run", "iv-history", "--date", "2001-01-01"],
         "2001-01-01 is before 2012-01-01, the first supported day"),
        (["run", "allocation", "--market", "synthetic", "-p", "captial", "5"],
         "has no parameter captial; did you mean capital?"),
        (["run", "allocation", "-p", "capital", "1.5"], "capital of 03_allocation.ipynb is '1.5'"),
        (["run", "allocation", "--capital", "-5"], "is -5: expected 0 or more"),
        (["run", "allocation", "-p", "dry-run", "1"], "is '1': expected true or false"),
        (["run", "allocation", "-p", "day", "2026-02-10"], "choose with --market and --date"),
        (["run", "allocation", "-p", "capital", "5", "-p", "capital=6"], "capital is given twice"),
        (["run", "allocation", "--capital", "5", "-p", "capital", "6"], "capital is given twice"),
        (["run", "strategy-creation", "--risk", "agressive"], "expected a risk profile of"),
        (["run", "execution", "-p", "strategy_ids", ""], "expected names separated by commas"),
        (["execute", "--strategy-id", ""], "expected names separated by commas"),
        (["run", "iv-history", "--latest", "-p", "processes", "many"], "expected a whole number"),
        (["exit", "S1", "--nothing"], "No such option"),
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_is_an_object_with_json(
    call: Call, drawn_home: Path, words: list[str], text: str
) -> None:
    plain = call(*words)
    assert plain.code == 2
    assert text in " ".join(plain.err.replace("│", " ").split())
    assert plain.out == ""
    as_json = call(*words, "--json")
    assert as_json.code == 2
    assert "error" in json.loads(as_json.out)


def test_a_failure_is_an_object_with_json_and_text_without(call: Call, home: Path) -> None:
    result = call("iv", "NIFTY", "--market", "nse", "--json")
    assert result.code == 1
    assert json.loads(result.out)["error"] in result.err
