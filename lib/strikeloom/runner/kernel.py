"""The Jupyter kernel of this very environment, named ``strikeloom``."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traitlets.config import Config

from strikeloom.desk.socket_names import fits, short_folder
from strikeloom.errors import SettingsError

KERNEL = "strikeloom"
DISPLAY = "Strikeloom"
#: Length of a socket file below the folder for temporary files:
#: ``/strikeloom-run-xxxxxxxx/kernel-ipc-5``.
_BELOW = 24 + 13


def ensure_kernel(prefix: Path | None = None) -> Path:
    """Write the kernel's spec into this environment unless it is there and points here.

    A kernel named ``python3`` may belong to any environment of the machine; ours never does.

    Returns
    -------
    pathlib.Path
        Folder of the spec.

    Raises
    ------
    SettingsError
        When the environment cannot be written to.
    """
    folder = (prefix or Path(sys.prefix)) / "share" / "jupyter" / "kernels" / KERNEL
    file = folder / "kernel.json"
    wanted = {
        "argv": [
            sys.executable,
            "-Xfrozen_modules=off",
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            # critical only: it would warn of listening on loopback, and call its own end an error
            "--IPKernelApp.log_level=50",
        ],
        "display_name": DISPLAY,
        "language": "python",
        "metadata": {"debugger": True},
    }
    if _read(file) == wanted:
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise SettingsError(
            f"the Jupyter kernel cannot be written to {folder} ({error.strerror}); run make "
            "setup, or install into an environment of your own"
        ) from error
    return folder


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def private_channels() -> Iterator[Config]:
    """Settings of one kernel that talks over private socket files.

    Ports are chosen and let go before the kernel takes them, so that another process can come in
    between and the kernel dies. They are used only where no folder's name is short enough.
    """
    config = Config()
    with tempfile.TemporaryDirectory(prefix="strikeloom-run-", dir=short_folder(_BELOW)) as folder:
        if fits(str(Path(folder).parent), _BELOW):
            config.KernelManager.transport = "ipc"
            config.KernelManager.connection_file = str(Path(folder) / "kernel.json")
        yield config
