"""NIFTY by the exchange's index method on real days, against India VIX as it was published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.iv_history.chains import day_chains
from strikeloom.iv_history.vix_method import vix_method
from strikeloom.settings.all import load_settings
from support.few_symbols import history_of

pytestmark = pytest.mark.realdata

#: Days that were 0.3 to 0.4 off: a strip that ended at its flat puts, twice; far puts that last
#: traded before the closing half hour, twice; two far puts that were no quotes.
PUBLISHED = {
    date(2024, 7, 29): 12.945,
    date(2024, 7, 30): 12.88,
    date(2025, 11, 25): 12.24,
    date(2025, 11, 28): 11.62,
    date(2026, 3, 18): 18.72,
}


def test_the_index_method_reaches_as_far_as_the_index(shared_data: Path, tmp_path: Path) -> None:
    history = history_of(shared_data, tmp_path, ["NIFTY"], PUBLISHED)
    for day, index in PUBLISHED.items():
        found = vix_method(day_chains(history.contracts(day), day), day, load_settings().iv)
        assert 100 * found[0] == pytest.approx(index, abs=0.25), day
