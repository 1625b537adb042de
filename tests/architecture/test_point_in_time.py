"""Stages read history through a view that ends at their day, never the whole of it."""

from __future__ import annotations

import re
from pathlib import Path

ROOMS = ("iv_history", "strategy_creation", "allocation", "execution", "monitor")
PACKAGE = Path(__file__).resolve().parents[2] / "lib" / "strikeloom"
#: What a stage may call on a history itself; everything else is read as of a day.
_ALLOWED = {"as_of", "write", "chain_times"}
_CALLS = re.compile(r"\bhistory\.(\w+)\(")


def test_stages_read_as_of_a_day() -> None:
    found = {
        (path.name, name)
        for room in ROOMS
        for path in (PACKAGE / room).glob("*.py")
        for name in _CALLS.findall(path.read_text(encoding="utf-8"))
        if name in {"days", "contracts", "cash", "indices", "prices", "actions", "quotes",
                    "quote_times", *_ALLOWED}
    }  # fmt: skip
    assert {name for _, name in found} <= _ALLOWED, found
    assert ("collect.py", "as_of") in found


def test_only_a_look_back_reads_later_days() -> None:
    """What a stage decides never rests on what came after its day."""
    uses = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"strategy_creation\.(later_days|since) import", path.read_text("utf-8"))
    }
    assert uses == {"strategy_creation/since.py", "cli/since.py"}
