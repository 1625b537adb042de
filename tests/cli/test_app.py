from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from typer.main import get_command

from strikeloom.cli.app import app, paired
from strikeloom.errors import StrikeloomError

Call = Callable[..., object]

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


def test_the_commands_of_the_design_are_there() -> None:
    assert set(COMMANDS) == {
        "arm", "data", "demo", "disarm", "doctor", "exchange", "execute", "exit",
        "explain", "iv", "kill", "mark", "monitor", "orders", "positions", "quotes", "resume",
        "run", "schedule", "status", "unmark", "watch",
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
    result = call("run", "iv-history", "--market", "bse")
    assert result.code == 1
    assert result.err.startswith("error: market 'bse' is unknown")
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
