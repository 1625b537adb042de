"""The parameters cell of a notebook: names, default values, and checks of given values."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from strikeloom.errors import SettingsError, WrongUsage
from strikeloom.settings.all import load_settings
from strikeloom.settings.scalars import (
    read_date,
    read_number,
    read_switch,
    read_text,
    read_whole,
)

_OWN = {"market", "day", "run_folder"}


def read_parameters(notebook: Path) -> dict[str, Any]:
    """Names and default values of the cell tagged ``parameters``, in its order.

    Raises
    ------
    SettingsError
        When the notebook is missing, has no such cell, or the cell is not plain literals.
    """
    import nbformat

    read: Any = nbformat.read
    try:
        cells = read(notebook, as_version=4).cells
    except FileNotFoundError:
        raise SettingsError(f"{notebook} is missing; restore it from the repository") from None
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if not tagged:
        raise SettingsError(f"{notebook.name} has no cell tagged parameters; restore it")
    found: dict[str, Any] = {}
    for node in ast.parse(tagged[0].source).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            raise SettingsError(
                f"{notebook.name}: line {node.lineno} of its parameters cell is not a plain "
                "assignment of a literal"
            )
        found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def given_parameters(given: dict[str, Any], notebook: Path) -> dict[str, Any]:
    """Values that a person gives a notebook's run, typed and checked.

    Raises
    ------
    WrongUsage
        As ``check_parameters``, and for a parameter that the run sets itself.
    """
    for name in _OWN & set(given):
        raise WrongUsage(
            f"parameter {name} of {notebook.name} is set by the command itself: choose with "
            "--market and --date",
            parameter=name,
        )
    return check_parameters(given, read_parameters(notebook), notebook.name)


def check_parameters(given: dict[str, Any], known: dict[str, Any], notebook: str) -> dict[str, Any]:
    """Given values, each of a known name and of its default's type.

    Text is read as the type of the default: ``"true"`` for a switch, ``"A,B"`` for a list, ``010``
    is ten. An empty text is no number, no switch and no list.

    Raises
    ------
    WrongUsage
        For an unknown name (the nearest is named), or a value of another type.
    """
    return {name: _checked(name, value, known, notebook) for name, value in given.items()}


def _checked(name: str, value: Any, known: dict[str, Any], notebook: str) -> Any:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
        raise WrongUsage(f"{notebook} has no parameter {name}; {hint}", parameter=name)
    default = known[name]
    read = _BY_NAME.get(name) or _BY_TYPE[type(default)]
    try:
        return read(value)
    except ValueError as error:
        raise WrongUsage(
            f"parameter {name} of {notebook} is {value!r}: {error}; its default is {default!r}",
            parameter=name,
        ) from None


def _count(value: Any) -> int:
    """Whole number that counts something, or an amount of rupees."""
    number = read_whole(value)
    if number < 0:
        raise ValueError("expected 0 or more")
    return number


def _names(value: Any) -> list[str]:
    """List of names: texts, or one text, separated by commas, with or without brackets."""
    if value in ([], "[]"):
        return []
    if isinstance(value, str):
        text = value.strip()
        value = [text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text]
    if not isinstance(value, list):
        raise ValueError("expected names separated by commas, as in A,B")
    names: list[str] = []
    for text in value:
        if not isinstance(text, str):
            raise ValueError(f"expected names, and {text!r} is none; write it in quotes")
        names += [part.strip().strip("'\"") for part in text.split(",")]
    for name in names:
        if not name or set(name) & set(" \t\r\n[]{}'\""):
            raise ValueError(f"expected names separated by commas, as in A,B, and {name!r} is none")
    return names


def _day(value: Any) -> str:
    """Day as text, or no text."""
    return "" if value == "" else read_date(value).isoformat()


def _profile(value: Any) -> str:
    """Risk profile of the settings, or no text."""
    profile = read_text(value).strip()
    known = load_settings().creation.profiles
    if profile and profile not in known:
        raise ValueError(f"expected a risk profile of config/creation.yaml: {', '.join(known)}")
    return profile


_BY_NAME: dict[str, Callable[[Any], Any]] = {"day": _day, "first": _day, "risk": _profile}
_BY_TYPE: dict[type, Callable[[Any], Any]] = {
    bool: read_switch,
    int: _count,
    float: read_number,
    str: lambda value: read_text(value).strip(),
    list: _names,
}
