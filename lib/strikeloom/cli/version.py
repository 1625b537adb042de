"""``strikeloom --version``: versions of the package, of Python and of the main libraries."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Annotated

import typer

#: Libraries on which orders, numbers and stored files depend.
LIBRARIES = ("dhanhq", "numba", "numpy", "pandas", "pyarrow", "scipy")


def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the versions of Strikeloom, Python and the libraries."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --version: print JSON.")] = False,
) -> None:
    """Answer ``--version``; without it leave the work to the command."""
    from strikeloom.cli import console

    if as_json and not version:
        raise typer.BadParameter("write it after the command, or together with --version")
    if not version:
        return
    if as_json:
        console.as_json(versions())
    else:
        for name, number in versions().items():
            console.print_line(f"{name} {number}")
    raise typer.Exit


def versions() -> dict[str, str]:
    """Version by name, as installed: ``strikeloom`` first, then Python and ``LIBRARIES``."""
    return {
        "strikeloom": metadata.version("strikeloom"),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
    }
