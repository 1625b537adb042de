from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dhan_client import OurSide
from support.local_exchange import LocalExchange, local_exchange


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalExchange]:
    with local_exchange(tmp_path, limits=False) as served:
        yield served


@pytest.fixture
def ours(local: LocalExchange, tmp_path: Path) -> Iterator[OurSide]:
    side = OurSide(local, tmp_path)
    yield side
    side.close()
