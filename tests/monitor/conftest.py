"""A watched desk with one position of four lots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.desk import MadeDesk


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    """Give a desk without positions."""
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()
