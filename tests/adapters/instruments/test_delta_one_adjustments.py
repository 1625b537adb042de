"""What became of futures and shares that are held: made lists, and the exchange's own files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.instruments.share_changes import share_adjustments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.instruments import FutureContract, InstrumentKind, Share
from strikeloom.errors import DataError
from strikeloom.nse.corporate_actions import CorporateAction
from support.nse_files import FUTURE, save, udiff

TUE, WED, THU = date(2026, 2, 10), date(2026, 2, 11), date(2026, 2, 12)
EXPIRY = date(2026, 2, 24)
HELD = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 10)


def _listed(
    history: ParquetHistory, folder: Path, lists: dict[date, dict[str, str]]
) -> HistoryInstruments:
    files = [
        save(
            folder / f"{day}.csv",
            udiff({**FUTURE, **row, "TradDt": str(day)}, {"TradDt": str(day)}),
        )
        for day, row in lists.items()
    ]
    assert not import_paths(files, history).refused
    return HistoryInstruments(history, {})


def test_a_future_follows_its_moved_expiry(history: ParquetHistory, tmp_path: Path) -> None:
    moved = {"XpryDt": "2026-02-26", "FininstrmActlXpryDt": "2026-02-26"}
    instruments = _listed(history, tmp_path, {TUE: {}, WED: moved, THU: moved})
    (only,) = instruments.adjustments(HELD, TUE, THU)
    assert (only.old, only.new.key, only.day) == (HELD.key, "NIFTY:2026-02-26:FUT", WED)
    assert (only.new_units, only.old_units) == (1, 1)
    assert instruments.adjustments(HELD, TUE, TUE) == []
    with pytest.raises(DataError, match="it is NIFTY:2026-02-26:FUT since 2026-02-11"):
        instruments.instrument(HELD.key, WED)


def test_another_future_is_not_followed(history: ParquetHistory, tmp_path: Path) -> None:
    other = {"XpryDt": "2026-02-26", "FininstrmActlXpryDt": "2026-02-26", "FinInstrmId": "9"}
    instruments = _listed(history, tmp_path, {TUE: {}, WED: other})
    assert instruments.adjustments(HELD, TUE, WED) == []


def _actions(*given: tuple[str, int, str, float | None, str]) -> list[CorporateAction]:
    return [
        CorporateAction(symbol, date(2026, 2, day), kind, ratio, successor)
        for symbol, day, kind, ratio, successor in given
    ]


def _of_share(*given: tuple[str, int, str, float | None, str]):
    return share_adjustments(Share("LOOMCO"), _actions(*given), lambda _symbol, _day: 10)


def test_shares_multiply_and_are_renamed() -> None:
    found = _of_share(
        ("LOOMCO", 11, "bonus", 1.5, ""),
        ("OTHER", 11, "split", 2.0, ""),
        ("WEAVECO", 12, "split", 5.0, ""),
        ("LOOMCO", 12, "rename", None, "WEAVECO"),
        ("LOOMCO", 13, "split", 3.0, ""),  # another company has the former name by then
    )
    keys = [(item.old, item.new.key, item.new_units, item.old_units) for item in found]
    assert keys == [
        ("LOOMCO:SHARE", "LOOMCO:SHARE", 3, 2),
        ("LOOMCO:SHARE", "WEAVECO:SHARE", 1, 1),
        ("WEAVECO:SHARE", "WEAVECO:SHARE", 5, 1),
    ]
    assert found[0].units(101) == 151  # the half is paid in cash
    assert all(item.new.tick == 10 for item in found)


def test_what_a_share_pays_is_stated_where_it_is_known() -> None:
    paying = CorporateAction("LOOMCO", date(2026, 2, 11), "dividend", None, amount=6.5)
    (paid,) = share_adjustments(Share("LOOMCO"), [paying], lambda _symbol, _day: 10)
    assert (paid.new.key, paid.units(300), paid.amount) == ("LOOMCO:SHARE", 300, 6_50)
    assert _of_share(("LOOMCO", 11, "dividend", None, "")) == []
    assert _of_share(("LOOMCO", 11, "asked", None, "")) == []
    (apart,) = _of_share(("LOOMCO", 11, "demerger", None, ""))
    assert (apart.new.key, apart.units(10)) == ("LOOMCO:SHARE", 10)
    assert "which is not exact" in apart.cause
    with pytest.raises(DataError, match="compare the holding with the broker's"):
        _of_share(("LOOMCO", 11, "unexplained", None, ""))


#: Held instrument, days, and what it became by the exchange's files: key, units for units.
REAL = (
    ("KOTAKBANK:2026-01-27:FUT", "2026-01-13", "2026-01-14", "KOTAKBANK:2026-01-27:FUT", 2000, 400),
    ("KOTAKBANK:SHARE", "2026-01-13", "2026-01-14", "KOTAKBANK:SHARE", 5, 1),
    ("MCX:2026-01-27:FUT", "2026-01-01", "2026-01-02", "MCX:2026-01-27:FUT", 625, 125),
    ("ANGELONE:2026-03-30:FUT", "2026-02-25", "2026-02-26", "ANGELONE:2026-03-30:FUT", 2500, 250),
    ("ANGELONE:SHARE", "2026-02-25", "2026-02-26", "ANGELONE:SHARE", 10, 1),
    ("LTIM:2026-03-30:FUT", "2026-02-26", "2026-02-27", "LTM:2026-03-30:FUT", 1, 1),
    ("LTIM:SHARE", "2026-02-26", "2026-02-27", "LTM:SHARE", 1, 1),
    ("BANKNIFTY:2025-01-29:FUT", "2025-01-01", "2025-01-02", "BANKNIFTY:2025-01-30:FUT", 1, 1),
    ("GAIL:2026-02-24:FUT", "2026-02-04", "2026-02-05", "GAIL:2026-02-24:FUT", 1, 1),
    ("GAIL:SHARE", "2026-02-04", "2026-02-05", "GAIL:SHARE", 1, 1),
    ("ITC:SHARE", "2025-01-03", "2025-01-06", "ITC:SHARE", 1, 1),
    ("NIFTY:2025-01-30:FUT", "2025-01-01", "2025-01-02", "", 0, 0),
)  # fmt: skip


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> HistoryInstruments:
    days = sorted({day for row in REAL for day in row[1:3]})
    folder = shared_data / "fo_bhavcopy" / "udiff"
    files = [
        folder / f"BhavCopy_NSE_FO_0_0_0_{day.replace('-', '')}_F_0000.csv.zip" for day in days
    ]
    cash = shared_data / "cm_bhavcopy" / "fno_underlyings_2024-12-02_to_2026-03-19.csv.gz"
    history = ParquetHistory(tmp_path_factory.mktemp("changes") / "nse", "nse")
    import_paths([*files, cash], history)
    return HistoryInstruments(history, history.underlyings())


@pytest.mark.realdata
@pytest.mark.parametrize("row", REAL, ids=lambda row: row[0])
def test_events_of_the_exchanges_files(
    real: HistoryInstruments, row: tuple[str, str, str, str, int, int]
) -> None:
    key, since, until, becomes, new, old = row
    first, last = date.fromisoformat(since), date.fromisoformat(until)
    held = real.instrument(key, first)
    found = real.adjustments(held, first, last)
    if not becomes:
        assert found == []
        return
    (only,) = found
    assert (only.old, only.new.key, only.day) == (key, becomes, last)
    assert (only.new_units, only.old_units) == (new, old)
    assert only.amount == (5_00 if key.startswith("GAIL") else 0)  # its dividend of 2026-02-05
    if isinstance(only.new, FutureContract):
        assert only.new == real.instrument(becomes, last)
        assert only.new.lot_size == real.instrument(becomes, last).lot_size
