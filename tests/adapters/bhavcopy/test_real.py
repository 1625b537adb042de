"""The real files, against the same files read another way and figures of their description."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory

pytestmark = pytest.mark.realdata

UDIFF = "fo_bhavcopy/udiff/BhavCopy_NSE_FO_0_0_0_{:%Y%m%d}_F_0000.csv.zip"
LEGACY = "fo_bhavcopy/legacy_derived/fo{}bhav.csv.zip"


def days_of_the_folder(shared_data: Path) -> set[date]:
    names = (shared_data / "fo_bhavcopy/udiff").glob("*.zip")
    return {pd.Timestamp(path.name.split("_")[6]).date() for path in names}


def test_every_day_and_every_row(real_history: ParquetHistory, shared_data: Path) -> None:
    days = real_history.days()
    assert set(days) == days_of_the_folder(shared_data)
    assert sum(len(real_history.contracts(day)) for day in days) == 2_538_340


@pytest.mark.parametrize("day", [date(2025, 1, 3), date(2026, 1, 27), date(2026, 3, 19)], ids=str)
def test_a_whole_day_equals_the_file(
    real_history: ParquetHistory, shared_data: Path, day: date
) -> None:
    raw = pd.read_csv(shared_data / UDIFF.format(day))
    raw["right"] = raw["OptnTp"].fillna("XX")
    raw["strike"] = raw["StrkPric"].fillna(0.0)
    key = ["TckrSymb", "XpryDt", "strike", "right"]
    raw = raw.sort_values(key, kind="stable", ignore_index=True)
    frame = real_history.contracts(day)
    assert frame["symbol"].tolist() == raw["TckrSymb"].tolist()
    assert (frame["expiry"].dt.strftime("%Y-%m-%d") == raw["XpryDt"]).all()
    assert (frame["last_day"].dt.strftime("%Y-%m-%d") == raw["FininstrmActlXpryDt"]).all()
    same = {
        "strike": "strike",
        "right": "right",
        "instrument_id": "FinInstrmId",
        "lot_size": "NewBrdLotQty",
        "previous_close": "PrvsClsgPric",
        "underlying": "UndrlygPric",
        "lots_traded": "TtlTradgVol",
        "open_interest": "OpnIntrst",
        "oi_change": "ChngInOpnIntrst",
    }
    for ours, theirs in same.items():
        assert (frame[ours] == raw[theirs]).all(), ours
    traded = raw["TtlTradgVol"] > 0
    assert (frame["traded"] == traded).all()
    assert (
        frame["kind"] == np.where(raw["FinInstrmTp"].str.startswith("I"), "index", "stock")
    ).all()
    assert (frame.loc[traded, "close"] == raw.loc[traded, "ClsPric"]).all()
    assert frame.loc[~traded, ["open", "high", "low", "close"]].isna().all().all()
    ended = raw["FininstrmActlXpryDt"] <= str(day)
    assert (frame.loc[ended, "final_settlement"] == raw.loc[ended, "UndrlygPric"]).all()
    assert frame.loc[~ended, "final_settlement"].isna().all()
    option = raw["right"] != "XX"
    assert (frame.loc[~ended, "settle"] == raw.loc[~ended, "SttlmPric"]).all()
    assert frame.loc[ended & option, "settle"].isna().all()


def test_the_itc_series_that_ended_early(real_history: ParquetHistory) -> None:
    frame = real_history.contracts(date(2025, 1, 3), symbols=["ITC"])
    assert set(frame["final_settlement"]) == {481.6}
    assert set(frame["expiry"].dt.strftime("%m-%d")) == {"01-30", "02-27", "03-27"}
    later = real_history.contracts(date(2025, 1, 6), symbols=["ITC"])
    assert later["final_settlement"].isna().all()


def test_only_itc_ends_before_its_expiry(real_history: ParquetHistory) -> None:
    early = set()
    for day in real_history.days():
        frame = real_history.contracts(day)
        rows = frame[frame["last_day"] != frame["expiry"]]
        early |= {(day, symbol, last.date()) for symbol, last in zip(rows["symbol"],
                  rows["last_day"], strict=True)}  # fmt: skip
    last = date(2025, 1, 3)
    assert early == {(date(2025, 1, number), "ITC", last) for number in (1, 2, 3)}


def test_lots_are_the_contracts(real_history: ParquetHistory) -> None:
    frame = real_history.contracts(date(2025, 1, 2), symbols=["NIFTY"])
    january = frame["expiry"] == pd.Timestamp("2025-01-30")
    assert set(frame.loc[january, "lot_size"]) == {25}
    assert set(frame.loc[~january, "lot_size"]) == {75}


@pytest.mark.parametrize("day", ["01JAN2025", "02JAN2025", "03JAN2025", "27JAN2026", "24FEB2026"])
def test_the_old_layout_at_full_size_agrees(
    history: ParquetHistory, real_history: ParquetHistory, shared_data: Path, day: str
) -> None:
    report = import_paths([shared_data / LEGACY.format(day)], history)
    assert report.counts["refused"] == 0
    (stored,) = history.days()
    old, new = history.contracts(stored), real_history.contracts(stored)
    lacking = ["last_day", "instrument_id", "lot_size", "previous_close", "underlying"]
    pd.testing.assert_frame_equal(old.drop(columns=lacking), new.drop(columns=lacking))
    udiff = import_paths([shared_data / UDIFF.format(stored)], history)
    assert udiff.new_rows == len(new)  # each row is completed
    pd.testing.assert_frame_equal(history.contracts(stored), new)


def test_the_real_excerpt_of_an_old_expiry_day(history: ParquetHistory, shared_data: Path) -> None:
    import_paths([shared_data / "fo_bhavcopy/legacy_samples"], history)
    frame = history.contracts(date(2024, 1, 25))
    final = frame.dropna(subset="final_settlement").groupby("symbol")["final_settlement"].unique()
    assert final["RELIANCE"].tolist() == [2706.25]
    assert final["NIFTY"].tolist() == [21352.6]
    assert len(frame) == 35


def test_cash_of_every_day(real_history: ParquetHistory, shared_data: Path) -> None:
    day = date(2026, 2, 10)
    raw = pd.read_csv(shared_data / f"cm_bhavcopy/daily/{day}.csv.gz", skipinitialspace=True)
    frame = real_history.cash(day, day)
    raw = raw.sort_values("SYMBOL", ignore_index=True)
    assert frame["symbol"].tolist() == raw["SYMBOL"].tolist()
    assert (frame["close"] == raw["CLOSE_PRICE"]).all()
    assert (frame["volume"] == raw["TTL_TRD_QNTY"]).all()
    stacked = real_history.cash(date(2024, 12, 2), date(2026, 3, 19), symbols=["RELIANCE"])
    assert len(stacked) == 324
    assert stacked["day"].is_monotonic_increasing


def test_cash_agrees_with_the_contracts_underlying(real_history: ParquetHistory) -> None:
    day = date(2026, 2, 10)
    spots = real_history.contracts(day).groupby("symbol")["underlying"].first()
    cash = real_history.cash(day, day).set_index("symbol")["close"]
    both = pd.concat([spots, cash], axis=1, join="inner")
    assert len(both) > 200
    assert ((both["underlying"] / both["close"] - 1).abs() < 0.0007).all()


def test_indices_are_named_and_joined(real_history: ParquetHistory) -> None:
    frame = real_history.indices(date(2012, 1, 1), date(2026, 12, 31), names=["INDIAVIX"])
    assert set(frame["publisher"]) == {"nse"}
    assert len(frame) == 3613
    nifty = real_history.indices(date(2015, 1, 1), date(2026, 12, 31), names=["NIFTY"])
    other = nifty[nifty["publisher"] == "other"]
    assert len(other) == 2706 + 495 - 347  # the two files share 347 days
    bank = real_history.indices(date(2015, 1, 1), date(2026, 12, 31), names=["BANKNIFTY"])
    assert len(bank[bank["publisher"] == "other"]) == 2711
    levels = real_history.index_levels().set_index(["index", "day"])["close"]
    closes = other.set_index("day")["close"]
    for day in real_history.days():
        stamp = pd.Timestamp(day)
        assert abs(levels["NIFTY", stamp] - closes[stamp]) <= 0.01


def test_one_level_published_with_two_precisions(real_history: ParquetHistory) -> None:
    """India VIX of 2025-01-08: 14.465 in its history, 14.47 among the closes of all indices."""
    day = date(2025, 1, 8)
    frame = real_history.indices(day, day, names=["INDIAVIX"])
    assert frame["close"].tolist() == [14.47]
    assert len(real_history.sources("indices", "2025")[f"{day} nse"]) == 2


def test_the_other_order_gives_the_same_bytes(
    history: ParquetHistory, tmp_path: Path, shared_data: Path
) -> None:
    days = [date(2025, 1, 1) + timedelta(n) for n in (0, 1, 2)]
    names = [shared_data / UDIFF.format(day) for day in days]
    names += [shared_data / LEGACY.format(f"{day:%d%b%Y}".upper()) for day in days]
    names += [shared_data / f"cm_bhavcopy/daily/{day}.csv.gz" for day in days]
    names += sorted((shared_data / "indices").glob("*_0[123]012025.csv"))
    names += [shared_data / "indices/india_vix_2012_2026.csv.gz"]
    backwards = ParquetHistory(tmp_path / "backwards", "nse")
    for name in names:
        import_paths([name], history)
    for name in reversed(names):
        import_paths([name], backwards)
    files = sorted(path.relative_to(history.folder) for path in history.folder.rglob("*.parquet"))
    assert len(files) == 3 + 1 + 15
    for file in files:
        assert (history.folder / file).read_bytes() == (backwards.folder / file).read_bytes(), file
