"""What papermill makes of the words of its command line, and what a notebook makes of that."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill.cli import _resolve_type
from papermill.translators import PythonTranslator

from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.results import Stage
from strikeloom.errors import WrongUsage
from strikeloom.runner import type_parameters
from strikeloom.runner.parameters import read_parameters

_KNOWN = {stage: read_parameters(notebooks_folder() / stage.notebook) for stage in Stage}
_EVERY = [(stage, name) for stage, known in _KNOWN.items() for name in known]


def _names(stage: Stage, values: dict[str, Any]) -> dict[str, Any]:
    """Names of a notebook after its parameters cell and the cell that papermill adds."""
    defaults = "".join(f"{name} = {value!r}\n" for name, value in _KNOWN[stage].items())
    names: dict[str, Any] = {"In": ["", defaults]}
    if values:
        names["In"].append(PythonTranslator.codify(values))
    for cell in names["In"]:
        exec(cell, names)  # noqa: S102 (as the kernel does)
    return names


def _typed(stage: Stage, values: dict[str, Any]) -> dict[str, Any]:
    names = _names(stage, values)
    type_parameters(stage, names)
    return {name: names[name] for name in _KNOWN[stage]}


def _from_words(stage: Stage, **words: str) -> dict[str, Any]:
    """As ``papermill NOTEBOOK OUT -p NAME WORD`` hands them on."""
    return _typed(stage, {name: _resolve_type(word) for name, word in words.items()})


@pytest.mark.parametrize("stage", list(Stage))
def test_defaults_stay_as_they_are(stage: Stage) -> None:
    assert _typed(stage, {}) == _KNOWN[stage]


def test_each_parameter_has_a_type_that_is_checked() -> None:
    kinds = {type(value) for known in _KNOWN.values() for value in known.values()}
    assert kinds == {str, int, bool, list}


_WORDS: dict[type, dict[str, Any]] = {
    bool: {"false": False, "true": True, "False": False, "no": False, "off": False, "YES": True},
    int: {"5": 5, "010": 10, "1e5": 100_000, "1_000": 1000, "2.0": 2},
    list: {"S-123": ["S-123"], "A,B": ["A", "B"], "NO": ["NO"], "[A, B]": ["A", "B"]},
    str: {"S-123": "S-123", "NO": "NO", "off": "off", "16:30": "16:30"},
}
_OWN_WORDS = {
    "day": {"2026-02-10": "2026-02-10"},
    "first": {"2026-02-10": "2026-02-10"},
    "risk": {"aggressive": "aggressive"},
}
_WRONG: dict[type, list[str]] = {
    bool: ["1", "0", "maybe", "None", "1.0", ""],
    int: ["much", "1.5", "True", "None", "nan", "inf", "-5", "1,000", ""],
    list: ["123", "1e5", "nan", "True", "None", "A B", "", "A,,B"],
    str: ["123", "NAN", "INF", "Infinity", "True", "None", "1e5"],
}


@pytest.mark.parametrize(("stage", "name"), _EVERY)
def test_a_word_is_what_a_person_meant(stage: Stage, name: str) -> None:
    default = _KNOWN[stage][name]
    for word, meant in (_OWN_WORDS.get(name) or _WORDS[type(default)]).items():
        read = _from_words(stage, **{name: word})
        assert (read[name], type(read[name])) == (meant, type(default))
        assert {**read, name: default} == _KNOWN[stage]


@pytest.mark.parametrize(("stage", "name"), _EVERY)
def test_a_word_of_another_type_is_refused(stage: Stage, name: str) -> None:
    for word in _WRONG[type(_KNOWN[stage][name])]:
        with pytest.raises(WrongUsage, match=f"parameter {name} of {stage.notebook} is "):
            _from_words(stage, **{name: word})


def test_a_word_that_papermill_took_for_a_number_names_the_way_out() -> None:
    with pytest.raises(WrongUsage, match="with -r symbol VALUE"):
        _from_words(Stage.IV_HISTORY, symbol="NAN")
    assert _typed(Stage.IV_HISTORY, {"symbol": "NAN"})["symbol"] == "NAN"


@pytest.mark.parametrize("stage", list(Stage))
def test_an_unknown_parameter_is_refused(stage: Stage) -> None:
    with pytest.raises(WrongUsage, match=f"{stage.notebook} has no parameter markt; .*market"):
        _typed(stage, {"markt": "nse"})
    with pytest.raises(
        WrongUsage, match=re.escape(f"{stage.notebook} has no parameter zzzz; it has")
    ):
        _typed(stage, {"zzzz": 1})


def test_names_of_a_notebooks_own_are_left_alone() -> None:
    values = {"PAPERMILL_INPUT_PATH": "a.ipynb", "PAPERMILL_OUTPUT_PATH": "b.ipynb", "added": 5}
    names = _names(Stage.MONITOR, values)
    names["In"].insert(1, "added = 1\n!ls\n")  # no Python: nothing is known of it
    with pytest.raises(WrongUsage, match="has no parameter added"):
        type_parameters(Stage.MONITOR, names)
    names["In"].insert(1, "added = 1\n")
    type_parameters(Stage.MONITOR, names)
    assert names["added"] == 5


def _values(default: Any) -> st.SearchStrategy[Any]:
    word = st.text("ABCXYZ0123456789-&", min_size=1)
    return {
        bool: st.booleans(),
        int: st.integers(0, 10**12),
        list: st.lists(word),
        str: word,
    }[type(default)]


@given(st.data())
@pytest.mark.parametrize("stage", list(Stage))
def test_values_of_the_right_type_go_through_papermill_unchanged(
    stage: Stage, data: st.DataObject
) -> None:
    free = {name: value for name, value in _KNOWN[stage].items() if name not in _OWN_WORDS}
    values = {name: data.draw(_values(value), label=name) for name, value in free.items()}
    assert _typed(stage, values) == {**_KNOWN[stage], **values}
