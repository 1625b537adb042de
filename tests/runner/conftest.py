"""A folder of small notebooks in place of the five, and a desk to run them for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from strikeloom.desk import open_desk
from strikeloom.domain.results import Stage
from strikeloom.ports.desk import Desk
from strikeloom.runner import notebook
from support.small_notebooks import PARAMETERS

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the notebook of the allocation stage from its cells."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(notebook, "notebooks_folder", lambda: folder)

    def put(*cells: str, parameters: str = PARAMETERS) -> None:
        made = nbformat.v4.new_notebook()
        first = nbformat.v4.new_code_cell(parameters)
        first.metadata["tags"] = ["parameters"]
        made.cells = [first, *(nbformat.v4.new_code_cell(text) for text in cells)]
        nbformat.write(made, folder / Stage.ALLOCATION.notebook)

    return put


@pytest.fixture
def desk(drawn_home: Path) -> Desk:
    return open_desk("synthetic")
