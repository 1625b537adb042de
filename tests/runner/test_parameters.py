from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest

from strikeloom.errors import SettingsError, WrongUsage
from strikeloom.runner.parameters import check_parameters, given_parameters, read_parameters

KNOWN: dict[str, Any] = {
    "capital": 0,
    "dry_run": False,
    "share": 0.5,
    "symbols": [],
    "label": "",
    "first": "",
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
    ("name", "given", "meant"),
    [
        ("capital", 1500000, 1500000), ("capital", "1500000", 1500000), ("capital", "010", 10),
        ("capital", "1e5", 100_000), ("capital", 1e5, 100_000), ("capital", "1_000", 1000),
        ("dry_run", "true", True), ("dry_run", "false", False), ("dry_run", "NO", False),
        ("dry_run", "on", True), ("dry_run", False, False),
        ("share", 1, 1.0), ("share", "0.25", 0.25), ("share", "1e-1", 0.1),
        ("symbols", "A, B", ["A", "B"]), ("symbols", "S-123", ["S-123"]),
        ("symbols", "[A, 'B']", ["A", "B"]), ("symbols", ["A"], ["A"]),
        ("symbols", ["A,B", "C"], ["A", "B", "C"]), ("symbols", "010", ["010"]),
        ("symbols", "NO,ON,1E5", ["NO", "ON", "1E5"]), ("symbols", [], []), ("symbols", "[]", []),
        ("label", "2026-02-10", "2026-02-10"), ("label", "010", "010"), ("label", " NO ", "NO"),
        ("label", "", ""),
        ("first", "2026-02-10", "2026-02-10"), ("first", date(2026, 2, 10), "2026-02-10"),
        ("first", "", ""),
        ("risk", "aggressive", "aggressive"), ("risk", "", ""),
    ],
)  # fmt: skip
def test_a_value_is_what_a_person_meant(name: str, given: Any, meant: Any) -> None:
    read = check_parameters({name: given}, KNOWN, "n.ipynb")[name]
    assert (read, type(read)) == (meant, type(KNOWN[name]))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("capital", ["much", 1.5, "1.5", True, "[", "", None, -5, "-5", "0x10", "15,00,000", [5]]),
        ("dry_run", [1, 0, "maybe", "", None, "1", []]),
        ("share", ["half", True, "", None, math.nan, math.inf, "nan", "50%"]),
        ("symbols", [3, 1e5, True, None, "", " ", ",", "A,,B", "A B", "[A", "{A: 1}", ["A", ""],
                     ["A", 5], ["A", None], [["A"]], {"A": 1}]),
        ("label", [3, 1e5, True, None, ["A"], math.nan]),
        ("first", [20260210, "20260210", "2026-13-01", "2026-2-1", "yesterday", None, True]),
        ("risk", ["agressive", "1", 3, None]),
    ],
)  # fmt: skip
def test_another_type_is_refused_naming_parameter_and_value(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(
            WrongUsage, match=f"parameter {name} of n.ipynb is .*: expected"
        ) as caught:
            check_parameters({name: value}, KNOWN, "n.ipynb")
        assert repr(value) in str(caught.value)


@pytest.mark.parametrize("name", ["market", "day", "run_folder"])
def test_what_the_run_sets_itself_is_refused(tmp_path: Path, name: str) -> None:
    """Such a value was replaced by the run's own, in silence."""
    path = _notebook(tmp_path, "market = ''\nday = ''\nrun_folder = ''\n", ["parameters"])
    with pytest.raises(WrongUsage, match=f"parameter {name} .*choose with --market and --date"):
        given_parameters({name: "2026-02-10"}, path)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="has no parameter capitl; did you mean capital"):
        check_parameters({"capitl": 1}, KNOWN, "n.ipynb")
    with pytest.raises(SettingsError, match="it has capital, dry_run, share, symbols, label"):
        check_parameters({"zzz": 1}, KNOWN, "n.ipynb")
