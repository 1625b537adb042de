"""Each notebook under papermill's own command: right words run, wrong ones run nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from strikeloom.desk import open_desk
from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.results import Stage
from strikeloom.runner.kernel import KERNEL, ensure_kernel
from strikeloom.runner.parameters import read_parameters

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("notebooks")]

_MARKET = {"market": ("synthetic", "synthetic"), "day": ("2026-06-10", "2026-06-10")}
#: By notebook: words of the command line and what they mean, for every parameter.
_RIGHT: dict[Stage, dict[str, tuple[str, Any]]] = {
    Stage.IV_HISTORY: {
        **_MARKET, "run_folder": ("made", "made"), "first": ("2026-06-01", "2026-06-01"),
        "cluster": ("tcp://127.0.0.1:8786", "tcp://127.0.0.1:8786"), "processes": ("010", 10),
        "symbol": ("SYNDEX", "SYNDEX"),
    },
    Stage.STRATEGY_CREATION: {
        **_MARKET, "run_folder": ("made", "made"), "risk": ("moderate", "moderate"),
        "symbols": ("NO", ["NO"]), "database": ("off", False),
    },
    Stage.ALLOCATION: {
        **_MARKET, "run_folder": ("made", "made"), "capital": ("15e5", 1_500_000),
        "dry_run": ("false", False),
    },
    Stage.EXECUTION: {
        **_MARKET, "run_folder": ("made", "made"), "strategy_ids": ("S-123", ["S-123"]),
        "dry_run": ("false", False),
    },
    Stage.MONITOR: _MARKET,
}  # fmt: skip
#: Every kind of mistake of every notebook is tried in ``tests/runner``.
_WRONG = {
    Stage.STRATEGY_CREATION: (["databse", "no"], "has no parameter databse; did you mean database"),
    Stage.EXECUTION: (["dry_run", "1"], "is 1: expected true or false; its default is False"),
}


def _papermill(
    source: Path, target: Path, words: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    ensure_kernel()
    options = [part for name, word in words.items() for part in ("-p", name, word)]
    return subprocess.run(
        [sys.executable, "-m", "papermill", str(source), str(target), "-k", KERNEL, *options],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def _only_parameters(stage: Stage, target: Path, written: Path) -> None:
    """Write the notebook's cells up to its imports, and one that stores what it was given."""
    names = list(read_parameters(notebooks_folder() / stage.notebook))
    made = nbformat.read(notebooks_folder() / stage.notebook, as_version=4)
    code = [cell for cell in made.cells if cell.cell_type == "code"][:2]
    stores = f"import json\nopen({str(written)!r}, 'w').write(json.dumps([{', '.join(names)}]))"
    made.cells = [*code, nbformat.v4.new_code_cell(stores)]
    nbformat.write(made, target)


@pytest.mark.parametrize("stage", list(Stage))
def test_words_of_the_command_line_become_what_they_mean(
    stage: Stage, home: Path, tmp_path: Path
) -> None:
    right, written = _RIGHT[stage], tmp_path / "written.json"
    names = read_parameters(notebooks_folder() / stage.notebook)
    assert set(right) == set(names)
    _only_parameters(stage, tmp_path / "in.ipynb", written)
    words = {name: text for name, (text, _) in right.items()}
    done = _papermill(tmp_path / "in.ipynb", tmp_path / "out.ipynb", words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(written.read_text()) == [right[name][1] for name in names]
    assert not home.exists()


@pytest.mark.parametrize("stage", list(_WRONG))
def test_a_wrong_word_runs_nothing(stage: Stage, home: Path, tmp_path: Path) -> None:
    (name, word), message = _WRONG[stage]
    source = notebooks_folder() / stage.notebook
    done = _papermill(source, tmp_path / "out.ipynb", {name: word})
    assert done.returncode == 1
    assert message in done.stderr
    assert not home.exists()
    assert not (tmp_path / "runs").exists()


def test_a_named_strategy_alone_is_planned_and_nothing_is_sent(
    planned_home: Path, tmp_path: Path
) -> None:
    """``dry_run false`` once sent nothing and reported done; one name once became five letters."""
    assert planned_home.is_dir()
    desk = open_desk("synthetic")
    mark = desk.store.marks(desk.day)[0]
    source = notebooks_folder() / Stage.EXECUTION.notebook
    words = {"market": "synthetic", "strategy_ids": mark.strategy_id}
    for dry_run in ("yes", "false"):
        done = _papermill(source, tmp_path / "out.ipynb", {**words, "dry_run": dry_run})
        assert done.returncode == 0, done.stderr[-3000:]
        sent = {intent.position_id for intent in desk.store.intents()}
        assert sent == (set() if dry_run == "yes" else {mark.strategy_id})
    desk.close()
