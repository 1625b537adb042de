"""The parameters cell of a notebook: names, default values, and checks of given values."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path
from typing import Any

import yaml

from strikeloom.errors import SettingsError, WrongUsage


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


def check_parameters(given: dict[str, Any], known: dict[str, Any], notebook: str) -> dict[str, Any]:
    """Given values, each of a known name and of its default's type.

    Text is read as the type of the default: ``"true"`` for a switch, ``"A,B"`` for a list.

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
    wanted = type(default)
    read = _read(value, wanted) if isinstance(value, str) else value
    if wanted is float and type(read) is int:
        read = float(read)
    if type(read) is not wanted:
        raise WrongUsage(
            f"parameter {name} of {notebook} is {value!r}; expected "
            f"{_TYPE_NAMES.get(wanted, wanted.__name__)}, as in {default!r}",
            parameter=name,
        )
    return read


def _read(text: str, wanted: type) -> Any:
    if wanted is str:
        return text
    if wanted is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


_TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
