"""Parameters as a notebook received them, typed and checked before its first step.

Papermill types a value by its looks, not by the parameter's default: ``-p strategy_ids S-123`` is
one text, ``-p dry_run false`` a text that counts as true, ``-p symbol NAN`` a number. An unknown
name only makes it warn.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.results import Stage
from strikeloom.errors import WrongUsage
from strikeloom.runner.parameters import check_parameters, read_parameters

#: Papermill's own, which it adds when asked (``--inject-paths``).
_PAPERMILL = {"PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"}
_FIRST_LINE = "# Parameters"


def type_parameters(stage: str, names: dict[str, Any]) -> None:
    """Give each parameter its default's type, in the notebook's own names.

    Parameters
    ----------
    names : dict
        ``globals()`` of the notebook; values of its parameters are replaced.

    Raises
    ------
    WrongUsage
        For a value of another type, or a parameter that the notebook does not have.
    """
    notebook = Stage(stage).notebook
    known = read_parameters(notebooks_folder() / notebook)
    given = {name: names[name] for name in known if name in names}
    given |= {name: names.get(name) for name in _unknown(names.get("In", ()), known)}
    try:
        names.update(check_parameters(given, known, notebook))
    except WrongUsage as error:
        name = str(error.facts["parameter"])
        lost = name in known and not isinstance(given[name], str | list)
        hint = f"; papermill passes text as it is with -r {name} VALUE" if lost else ""
        raise WrongUsage(f"{error}{hint}", **error.facts) from None


def _unknown(cells: Sequence[str], known: dict[str, Any]) -> set[str]:
    """Names that papermill's last cell sets and that no cell before it had."""
    places = [place for place, cell in enumerate(cells) if cell.startswith(_FIRST_LINE)]
    if not places:
        return set()
    before = set().union(*map(_assigned, cells[: places[-1]]))
    return _assigned(cells[places[-1]]) - before - set(known) - _PAPERMILL


def _assigned(cell: str) -> set[str]:
    """Names that a cell of plain assignments sets."""
    try:
        nodes = ast.parse(cell).body
    except SyntaxError:  # a cell of the shell's own language
        return set()
    targets = (target for node in nodes if isinstance(node, ast.Assign) for target in node.targets)
    return {target.id for target in targets if isinstance(target, ast.Name)}
