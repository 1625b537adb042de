"""Where the project and its settings are on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def project_root() -> Path:
    """Folder that holds ``config/``, ``notebooks/`` and ``runs/``."""
    return Path(__file__).resolve().parents[3]


def config_folder() -> Path:
    """``STRIKELOOM_CONFIG``, else ``config/`` of the project."""
    given = os.environ.get("STRIKELOOM_CONFIG")
    return Path(given).expanduser() if given else project_root() / "config"
