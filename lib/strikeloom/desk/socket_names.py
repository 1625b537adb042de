"""Room for the socket files of kernels: private files, where ports could be taken by others."""

from __future__ import annotations

import os
import tempfile

#: Longest name of a socket's file on any system.
LONGEST = 103


def fits(folder: str, below: int) -> bool:
    """Whether names of ``below`` characters within a folder stay short enough for the system."""
    return os.name == "posix" and os.path.isdir(folder) and len(folder) + below <= LONGEST


def short_folder(below: int) -> str | None:
    """Folder for temporary files that leaves room for such names; ``None``: the usual one."""
    usual = tempfile.gettempdir()
    return usual if fits(usual, below) or not fits("/tmp", below) else "/tmp"  # noqa: S108  made private
