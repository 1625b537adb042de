"""Volatilities of real days against figures worked out apart from this code.

The expected values were made with another program (Black-76 on closes, forward from parity near
the money, 6.5 %, calendar days over 365) and are stated to a tenth of a point.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.volatility import ForwardSource
from strikeloom.iv_history.summarise import summarise
from strikeloom.settings.all import load_settings

pytestmark = pytest.mark.realdata

EXPECTED = [
    ("2026-01-01", "RELIANCE", 15.2, 1584.2),
    ("2026-02-03", "RELIANCE", 18.6, 1440.2),
    ("2026-02-03", "BANKNIFTY", 13.0, None),
    ("2026-02-03", "HDFCBANK", 16.4, None),
]


@pytest.fixture(scope="module")
def history(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ParquetHistory:
    found = ParquetHistory(tmp_path_factory.mktemp("history"), "nse")
    folder = shared_data / "fo_bhavcopy" / "udiff"
    names = [f"BhavCopy_NSE_FO_0_0_0_{day}_F_0000.csv.zip" for day in ("20260101", "20260203")]
    report = import_paths([folder / name for name in names], found)
    assert not report.refused
    return found


@pytest.mark.parametrize(("day", "symbol", "percent", "forward"), EXPECTED)
def test_volatility_and_forward_of_liquid_names(
    history: ParquetHistory, day: str, symbol: str, percent: float, forward: float | None
) -> None:
    when = date.fromisoformat(day)
    frame = history.contracts(when, symbols=[symbol])
    (row,) = summarise(frame, when, load_settings().iv)
    assert row.atm_iv is not None
    assert row.forward_source is ForwardSource.PARITY
    assert 100 * row.atm_iv == pytest.approx(percent, abs=0.2)
    if forward is not None:
        # another choice of strikes near the money: a basis point apart at most
        assert row.forward == pytest.approx(forward, rel=4e-4)


def test_every_symbol_ends_with_a_number_or_a_reason(history: ParquetHistory) -> None:
    when = date(2026, 2, 3)
    frame = history.contracts(when)
    rows = summarise(frame, when, load_settings().iv)
    assert {row.symbol for row in rows} == set(frame["symbol"])
    for row in rows:
        assert (row.atm_iv is None) == bool(row.reason), row
    solved = [row for row in rows if row.atm_iv is not None]
    assert len(solved) >= 0.98 * len(rows)


def test_the_forward_agrees_with_the_listed_future(history: ParquetHistory) -> None:
    when = date(2026, 2, 3)
    frame = history.contracts(when)
    futures = frame[(frame["right"] == "XX") & frame["traded"]]
    close = {(r.symbol, r.expiry.date()): r.close for r in futures.itertuples()}
    gaps = sorted(
        abs(row.forward / close[row.symbol, row.expiry] - 1)
        for row in summarise(frame, when, load_settings().iv)
        if row.forward_source is ForwardSource.PARITY and (row.symbol, row.expiry) in close
    )
    assert len(gaps) > 150
    assert gaps[len(gaps) // 2] <= 0.0005
