"""The Jupyter kernel of this very environment, named ``strikeloom``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

KERNEL = "strikeloom"


def ensure_kernel() -> Path:
    """Write the kernel's spec into this environment unless it is there and points here.

    A kernel named ``python3`` may belong to any environment of the machine; ours never does.
    """
    folder = Path(sys.prefix) / "share" / "jupyter" / "kernels" / KERNEL
    spec = folder / "kernel.json"
    if spec.exists() and json.loads(spec.read_text(encoding="utf-8"))["argv"][0] == sys.executable:
        return folder
    from ipykernel.kernelspec import install

    return Path(install(prefix=sys.prefix, kernel_name=KERNEL, display_name="Strikeloom"))
