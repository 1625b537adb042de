"""Values of a notebook's parameters from the options of ``run``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer


def stage_values(stage: str, pairs: Sequence[str], named: dict[str, Any]) -> dict[str, Any]:
    """Values given with ``-p`` and with options of their own, checked before anything runs.

    Parameters
    ----------
    pairs : sequence of str
        ``KEY=VALUE``, as the option parser hands them on.
    named : dict
        Values of the options; ``None`` and empty ones were not given.

    Raises
    ------
    typer.BadParameter
        When a parameter is given twice, even with the same value.
    WrongUsage
        When the stage's notebook has no such parameter, or another type.
    """
    from strikeloom.desk.places import notebooks_folder
    from strikeloom.domain.results import Stage
    from strikeloom.runner.parameters import given_parameters

    values = {name: value for name, value in named.items() if value or value is False}
    for text in pairs:
        name, separator, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not separator or not name:
            raise typer.BadParameter(f"{text!r}: write -p KEY VALUE", param_hint="-p")
        if name in values:
            raise typer.BadParameter(f"{name} is given twice; give it once", param_hint="-p")
        values[name] = value
    return given_parameters(values, notebooks_folder() / Stage(stage).notebook)
