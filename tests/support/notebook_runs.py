"""Run the committed notebooks, in their order, in a home that goes away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.results import Stage

NOTEBOOKS = [notebooks_folder() / stage.notebook for stage in Stage]


@contextmanager
def fresh_home(folder: Path, history: Path | None = None) -> Iterator[Path]:
    """Home and runs under ``folder``; ``history`` lends a market that is drawn already."""
    values = {"STRIKELOOM_HOME": str(folder / "home"), "STRIKELOOM_RUNS": str(folder / "runs")}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        if history is not None:
            lent = folder / "home" / "history"
            lent.mkdir(parents=True)
            (lent / history.name).symlink_to(history, target_is_directory=True)
        yield folder / "home"
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
