from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from strikeloom.errors import SettingsError
from strikeloom.runner.parameters import check_parameters, read_parameters

KNOWN: dict[str, Any] = {
    "capital": 0,
    "dry_run": False,
    "share": 0.5,
    "symbols": [],
    "risk": "",
}


def _notebook(folder: Path, source: str, tags: list[str]) -> Path:
    made = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["tags"] = tags
    made.cells = [nbformat.v4.new_markdown_cell("# title"), cell]
    path = folder / "made.ipynb"
    nbformat.write(made, path)
    return path


def test_reads_names_and_defaults_in_order(tmp_path: Path) -> None:
    path = _notebook(tmp_path, "a = 1  # one\nb = 'x=y'\nc = []\nd = None\n", ["parameters"])
    assert list(read_parameters(path).items()) == [("a", 1), ("b", "x=y"), ("c", []), ("d", None)]


@pytest.mark.parametrize(
    ("source", "tags", "match"),
    [
        ("a = 1", [], "no cell tagged parameters"),
        ("import os", ["parameters"], "line 1.*not a plain assignment"),
        ("a = 1\nfor x in []: pass", ["parameters"], "line 2.*not a plain assignment"),
    ],
)
def test_refuses_what_is_no_parameters_cell(
    tmp_path: Path, source: str, tags: list[str], match: str
) -> None:
    with pytest.raises(SettingsError, match=match):
        read_parameters(_notebook(tmp_path, source, tags))


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"05_gone.ipynb is missing"):
        read_parameters(tmp_path / "05_gone.ipynb")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"capital": 1500000}, {"capital": 1500000}),
        ({"capital": "1500000"}, {"capital": 1500000}),
        ({"dry_run": "true"}, {"dry_run": True}),
        ({"dry_run": False}, {"dry_run": False}),
        ({"share": 1}, {"share": 1.0}),
        ({"share": "0.25"}, {"share": 0.25}),
        ({"symbols": "A, B"}, {"symbols": ["A", "B"]}),
        ({"symbols": ["A"]}, {"symbols": ["A"]}),
        ({"risk": "2026-02-10"}, {"risk": "2026-02-10"}),
        ({"risk": "1"}, {"risk": "1"}),
    ],
)
def test_text_is_read_as_the_defaults_type(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert check_parameters(given, KNOWN, "n.ipynb") == expected


@pytest.mark.parametrize(
    "given",
    [
        {"capital": "much"},
        {"capital": 1.5},
        {"capital": True},
        {"dry_run": 1},
        {"dry_run": "maybe"},
        {"share": "half"},
        {"symbols": 3},
        {"risk": 3},
        {"capital": "["},
    ],
)
def test_another_type_is_refused_naming_parameter_and_value(given: dict[str, Any]) -> None:
    ((name, value),) = given.items()
    with pytest.raises(SettingsError, match=f"parameter {name} of n.ipynb is ") as caught:
        check_parameters(given, KNOWN, "n.ipynb")
    assert repr(value) in str(caught.value)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="has no parameter capitl; did you mean capital"):
        check_parameters({"capitl": 1}, KNOWN, "n.ipynb")
    with pytest.raises(SettingsError, match="it has capital, dry_run, share, symbols, risk"):
        check_parameters({"zzz": 1}, KNOWN, "n.ipynb")
