"""Environment variables and the ``.env`` file beside the notebooks.

``STRIKELOOM_*`` variables are settings. Every other name of the file is a secret and is passed
on wrapped, so that printing, formatting or an exception shows ``***``.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from strikeloom.domain.folders import project_root
from strikeloom.errors import SettingsError
from strikeloom.settings.secrets import Secret

_PREFIX = "STRIKELOOM_"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def env_file() -> Path:
    """``.env`` of the project, beside the notebooks' folder."""
    return project_root() / ".env"


def environment(name: str) -> str | None:
    """Value of a ``STRIKELOOM_*`` variable: the process's environment, then ``.env``.

    Raises
    ------
    SettingsError
        When ``.env`` can be read by other users.
    """
    found = _read()  # always, so that a file that others can read is refused
    return os.environ.get(name) or found.get(name)


def secrets_of(path: Path | None = None) -> dict[str, Secret]:
    """Secrets of ``.env`` by name.

    Raises
    ------
    SettingsError
        When the file can be read by other users.
    """
    found = _read(path)
    return {name: Secret(value) for name, value in found.items() if not name.startswith(_PREFIX)}


def secret(name: str) -> Secret | None:
    """One secret: the process's environment, then ``.env``, read again each time.

    Raises
    ------
    SettingsError
        When ``.env`` can be read by other users.
    """
    found = secrets_of().get(name)
    value = os.environ.get(name)
    return Secret(value) if value else found


def _read(path: Path | None = None) -> dict[str, str]:
    path = path or env_file()
    if not path.is_file():
        return {}
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & _OTHERS:
        raise SettingsError(
            f"{path} has mode {mode:o}: other users of this machine can read your keys; run "
            f"chmod 600 {path}",
            path=str(path),
        )
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value}
