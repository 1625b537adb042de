"""Small JSON files beside a history's datasets, written complete or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from strikeloom.adapters.parquet.partitions import PART
from strikeloom.errors import StoreError


def write_json(path: Path, body: Any) -> None:
    """Write a file in place of an earlier one; its folder is made where it is missing.

    Raises
    ------
    StoreError
        When it cannot be written.
    """
    text = json.dumps(body, default=str, separators=(",", ":"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=PART)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text + "\n")
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}; repair the folder") from error
