"""Live contracts whose expiry was moved."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.redated import redated
from strikeloom.adapters.parquet.history import ParquetHistory
from support.nse_files import save, udiff

BEFORE, AFTER = date(2026, 2, 10), date(2026, 2, 11)
NEXT = {"TradDt": "2026-02-11"}


def test_a_moved_contract_and_what_only_looks_like_one(
    history: ParquetHistory, tmp_path: Path
) -> None:
    moved, reused = {"FinInstrmId": "1"}, {"FinInstrmId": "2", "StrkPric": "100"}
    ended = {"XpryDt": "2026-02-10", "FininstrmActlXpryDt": "2026-02-10"}
    new = {"XpryDt": "2026-02-26", "FininstrmActlXpryDt": "2026-02-26"}
    stays = {"FinInstrmId": "3", "StrkPric": "200"}
    import_paths(
        [
            save(tmp_path / "a.csv", udiff(moved, {**reused, **ended}, stays)),
            save(tmp_path / "b.csv", udiff(*({**row, **NEXT} for row in (
                {**moved, **new}, {**reused, **new}, stays)))),
        ],
        history,
    )  # fmt: skip
    frame = redated(history, BEFORE, AFTER)
    assert frame[["instrument_id", "strike"]].to_numpy().tolist() == [[1, 25900.0]]
    assert str(frame["old_expiry"][0].date()) == "2026-02-24"
    assert str(frame["new_expiry"][0].date()) == "2026-02-26"


@pytest.mark.realdata
def test_the_index_contracts_of_2025_01_02(real_history: ParquetHistory) -> None:
    frame = redated(real_history, date(2025, 1, 1), date(2025, 1, 2))
    assert len(frame) == 2582
    moves = frame.groupby("symbol")[["old_expiry", "new_expiry"]].min()
    expected = {"BANKNIFTY": "01-29", "FINNIFTY": "01-28", "MIDCPNIFTY": "01-27"}
    for symbol, old in expected.items():
        assert f"{moves.loc[symbol, 'old_expiry']:%m-%d}" == old
        assert f"{moves.loc[symbol, 'new_expiry']:%m-%d}" == "01-30"


@pytest.mark.realdata
def test_no_contract_moves_on_an_ordinary_night(real_history: ParquetHistory) -> None:
    days = [day for day in real_history.days() if day.year == 2026][:10]
    for before, after in zip(days, days[1:], strict=False):
        assert redated(real_history, before, after).empty
