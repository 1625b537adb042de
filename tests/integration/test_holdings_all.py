"""Holdings over every corporate action of 2026 and every moved expiry of 2025 in the files.

Each test draws some contracts of each night; ``benchmarks/soak/holdings.py`` takes all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.changed_contracts import ENDS_2025, ENDS_2026, OF_2025, OF_2026, carry_all

pytestmark = pytest.mark.realdata
EACH = 12


def test_adjusted_contracts_of_2026_are_carried(shared_data: Path, tmp_path: Path) -> None:
    carried = list(carry_all(shared_data, tmp_path, OF_2026, ENDS_2026, EACH))
    assert [held for _, held, _ in carried] == [EACH] * len(OF_2026)
    assert all(whole for _, _, whole in carried)


def test_moved_expiries_of_2025_are_carried(shared_data: Path, tmp_path: Path) -> None:
    carried = list(carry_all(shared_data, tmp_path, OF_2025, ENDS_2025, EACH))
    assert [held for _, held, _ in carried] == [EACH] * len(OF_2025)
    assert all(whole for _, _, whole in carried)
