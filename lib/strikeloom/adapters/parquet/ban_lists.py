"""Lists of the securities in the ban period, one file a day beside the history's datasets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from strikeloom.adapters.parquet.json_file import write_json
from strikeloom.errors import StoreError

FOLDER = "bans"


def read_ban_list(folder: Path, day: date) -> frozenset[str] | None:
    """Symbols in the ban period on a day; ``None`` when no list of the day is stored.

    Raises
    ------
    StoreError
        When the file is damaged.
    """
    path = _path(folder, day)
    try:
        return frozenset(json.loads(path.read_text(encoding="utf-8"))["symbols"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is damaged ({error}); import the list of {day} again, or give it with "
            "strikeloom data ban",
            path=str(path),
        ) from error


def write_ban_list(folder: Path, day: date, symbols: Iterable[str], *, source: str) -> bool:
    """Store the list of a day in place of an earlier one. Returns whether it differs from it.

    Raises
    ------
    StoreError
        When the folder cannot be written.
    """
    wanted = sorted(set(symbols))
    path = _path(folder, day)
    try:
        known = read_ban_list(folder, day)
    except StoreError:
        known = None  # damaged: it is replaced
    if known is not None and sorted(known) == wanted:
        return False
    write_json(path, {"day": day, "symbols": wanted, "source": source})
    return True


def _path(folder: Path, day: date) -> Path:
    return folder / FOLDER / f"{day.isoformat()}.json"
