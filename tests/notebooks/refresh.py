"""``make notebooks``: run the notebooks again and keep what they show.

What differs from run to run is left out: times, ids of widgets, paths.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).parents[1]))
from strikeloom.desk import open_desk
from strikeloom.runner.kernel import KERNEL, ensure_kernel
from support.notebook_runs import NOTEBOOKS, fresh_home

_WIDGET = "application/vnd.jupyter.widget-view+json"


def refresh(path: Path) -> None:
    """Execute a notebook and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, kernel_name=KERNEL, resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if _WIDGET not in out.get("data", {})]
    notebook.metadata = {
        "kernelspec": {"display_name": "Strikeloom", "language": "python", "name": KERNEL},
        "language_info": {"name": "python"},
    }
    notebook.nbformat_minor = 5
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path.name}: {path.stat().st_size / 1024:.0f} KB\n")


def main() -> None:
    """Refresh all of them in one fresh home, in their order."""
    ensure_kernel()
    with tempfile.TemporaryDirectory() as folder, fresh_home(Path(folder)):
        open_desk("synthetic")
        for path in NOTEBOOKS:
            refresh(path)


if __name__ == "__main__":
    main()
