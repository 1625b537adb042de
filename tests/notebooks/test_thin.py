"""Notebooks are thin: parameters, one call a step, a figure or a table, a line of prose."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.results import Stage
from strikeloom.runner.parameters import read_parameters

_STAGES = list(Stage)
_FORBIDDEN = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Try,
    ast.With,
)
_ALLOWED_LAMBDA = 1  # a key function at most


def _load(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((notebooks_folder() / stage.notebook).read_text("utf-8"))
    return found


def _code(stage: Stage) -> list[dict[str, Any]]:
    return [cell for cell in _load(stage)["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("stage", _STAGES)
def test_there_is_exactly_one_notebook_a_stage(stage: Stage) -> None:
    assert sorted(p.name for p in notebooks_folder().glob("*.ipynb")) == sorted(
        s.notebook for s in _STAGES
    )
    assert (notebooks_folder() / stage.notebook).stat().st_size <= 300 * 1024


@pytest.mark.parametrize("stage", _STAGES)
def test_first_code_cell_holds_plain_parameters(stage: Stage) -> None:
    first = _code(stage)[0]
    assert first["metadata"].get("tags") == ["parameters"]
    names = read_parameters(notebooks_folder() / stage.notebook)
    assert {"market", "day"} <= set(names)
    assert stage is Stage.MONITOR or names["run_folder"] == ""
    assert not any(re.search("key|secret|token|password", name) for name in names)


@pytest.mark.parametrize("stage", _STAGES)
def test_no_logic(stage: Stage) -> None:
    cells = _code(stage)
    assert len(cells) <= 14
    lambdas = 0
    for cell in cells:
        source = "".join(cell["source"])
        assert len(source.splitlines()) <= 10, source
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Lambda):
                lambdas += 1
            else:
                assert not isinstance(node, _FORBIDDEN), source
    assert lambdas <= _ALLOWED_LAMBDA


@pytest.mark.parametrize("stage", _STAGES)
def test_kernel_is_the_projects_own(stage: Stage) -> None:
    assert _load(stage)["metadata"]["kernelspec"]["name"] == "strikeloom"


@pytest.mark.parametrize("stage", [s for s in _STAGES if s is not Stage.MONITOR])
def test_is_committed_with_outputs_and_prose(stage: Stage) -> None:
    cells = _load(stage)["cells"]
    assert sum(len(cell.get("outputs", [])) for cell in cells) >= 6
    assert [cell["cell_type"] for cell in cells].count("markdown") >= 4
    errors = [o for cell in cells for o in cell.get("outputs", []) if o["output_type"] == "error"]
    assert not errors


@pytest.mark.parametrize("stage", _STAGES)
def test_outputs_hold_no_path_and_no_moment_of_this_machine(stage: Stage) -> None:
    for cell in _code(stage):
        text = json.dumps(cell.get("outputs", []))
        assert str(Path.home()) not in text
        assert "/tmp/" not in text  # noqa: S108
        assert not re.search(r"\d{6}-[0-9a-f]{6}", text)  # a run's name


@pytest.mark.parametrize("stage", _STAGES)
def test_figures_are_left_out_of_the_comparison(stage: Stage) -> None:
    for cell in _code(stage):
        drawn = any("plotly" in json.dumps(out) for out in cell.get("outputs", []))
        assert not drawn or "nbval-ignore-output" in cell["metadata"].get("tags", [])
