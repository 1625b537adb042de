"""A view of a history as of a day: nothing later, and in the shares of that day."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import MissingHistory, StoreError
from strikeloom.nse.contract_changes import COLUMNS, contract_changes
from strikeloom.nse.sessions import IST

DAYS = [date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)]


def _contracts(day: date, ratio: int, level: float) -> pd.DataFrame:
    strikes = [step / ratio for step in range(2800, 3200, 50)]
    rows = len(strikes)
    prices = dict.fromkeys(("open", "high", "low", "close", "settle", "previous_close"), 70 / ratio)
    return pd.DataFrame(
        {
            "day": pd.Timestamp(day), "symbol": "ZEBRATECH", "kind": "stock",
            **dict.fromkeys(("expiry", "last_day"), pd.Timestamp("2026-06-30")),
            "strike": strikes, "right": "CE",
            "instrument_id": np.arange(500, 500 + rows), "lot_size": 100 * ratio, **prices,
            "final_settlement": np.nan, "underlying": level, "lots_traded": 10,
            "open_interest": 1000 * ratio, "oi_change": 0, "traded": True,
        }
    )  # fmt: skip


def _cash(day: date, level: float) -> pd.DataFrame:
    prices = dict.fromkeys(("open", "high", "low", "close", "previous_close"), level)
    return pd.DataFrame({"day": [pd.Timestamp(day)], "symbol": "ZEBRATECH", **prices, "volume": 9})


@pytest.fixture
def split(history: ParquetHistory) -> ParquetHistory:
    """Three days of an invented share that splits by 10 before the last."""
    for day, ratio in zip(DAYS, (1, 1, 10), strict=True):
        level = 3000.0 / ratio
        history.write("contracts", _contracts(day, ratio, level), source=f"fo {day}")
        history.write("cash", _cash(day, level), source=f"cash {day}")
    (found,) = history.find_actions()
    assert (found.symbol, found.day, found.ratio) == ("ZEBRATECH", DAYS[2], 10.0)
    return history


def test_each_day_is_in_its_own_shares(split: ParquetHistory) -> None:
    before, now = split.as_of(DAYS[1]), split.as_of(DAYS[2])
    assert before.prices(DAYS[0], DAYS[2])["close"].tolist() == [3000.0, 3000.0]
    assert now.prices(DAYS[0], DAYS[2])["close"].tolist() == [300.0] * 3
    assert now.cash(DAYS[0], DAYS[2])["volume"].tolist() == [90, 90, 9]
    assert before.contracts(DAYS[0])["strike"].tolist() == list(range(2800, 3200, 50))
    ours, theirs = now.contracts(DAYS[1]), now.contracts(DAYS[2])
    for name in ("strike", "lot_size", "open_interest", "close"):
        assert ours[name].tolist() == theirs[name].tolist(), name
    assert before.actions(DAYS[0], DAYS[2]) == []
    assert [item.ratio for item in now.actions(DAYS[0], DAYS[2])] == [10.0]


def test_nothing_later_can_be_read(split: ParquetHistory) -> None:
    view = split.as_of(DAYS[1])
    assert view.days() == DAYS[:2]
    assert view.quote_times(DAYS[2]) == []
    with pytest.raises(MissingHistory, match="later than 2026-06-09"):
        view.contracts(DAYS[2])
    with pytest.raises(MissingHistory, match="later than 2026-06-09"):
        view.quotes(datetime(2026, 6, 10, 10, 0, tzinfo=IST))
    assert not hasattr(view, "write")


def test_tomorrow_destroyed_changes_nothing_today(split: ParquetHistory) -> None:
    """Tomorrow's contracts are rubbish, tomorrow's cash is another: today reads the same."""
    view = split.as_of(DAYS[1])

    def read() -> list[pd.DataFrame]:
        return [
            view.contracts(DAYS[1]),
            view.cash(DAYS[0], date(2026, 12, 31)),
            view.prices(DAYS[0], date(2026, 12, 31)),
            view.indices(DAYS[0], date(2026, 12, 31)),
        ]

    first = read()
    (split.folder / "contracts" / f"{DAYS[2]}.parquet").write_bytes(b"rubbish")
    (split.folder / "cash" / "2026-06.parquet").unlink()
    for day, level in zip(DAYS, (3000.0, 3000.0, 1.0), strict=True):
        split.write("cash", _cash(day, level), source="another")
    for old, new in zip(first, read(), strict=True):
        assert old.equals(new)


def test_a_day_that_comes_in_between_is_compared(split: ParquetHistory, tmp_path: Path) -> None:
    """The same files in another order end in the same actions."""
    other = ParquetHistory(tmp_path / "other", "nse")
    for day, ratio in ((DAYS[0], 1), (DAYS[2], 10), (DAYS[1], 1)):
        level = 3000.0 / ratio
        other.write("contracts", _contracts(day, ratio, level), source=f"fo {day}")
        other.write("cash", _cash(day, level), source=f"cash {day}")
        other.find_actions()
    assert other.actions(DAYS[0], DAYS[2]) == split.actions(DAYS[0], DAYS[2])
    name = "corporate_actions.json"
    ours, theirs = (h.folder / name for h in (other, split))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_search_begun_on_the_contracts_alone_ends_in_the_same_actions(
    split: ParquetHistory, tmp_path: Path
) -> None:
    """As an import does it: cash prices come while the contracts are searched."""
    other = ParquetHistory(tmp_path / "other", "nse")
    for day, ratio in zip(DAYS, (1, 1, 10), strict=True):
        other.write("contracts", _contracts(day, ratio, 3000.0 / ratio), source=f"fo {day}")
    prepared = other.prepare_actions()
    assert len(prepared) == 2
    for day, ratio in zip(DAYS, (1, 1, 10), strict=True):
        other.write("cash", _cash(day, 3000.0 / ratio), source=f"cash {day}")
    assert other.find_actions(prepared) == split.find_actions()
    ours, theirs = (h.folder / "corporate_actions.json" for h in (other, split))
    assert ours.read_bytes() == theirs.read_bytes()
    assert other.prepare_actions() == {}


def test_what_was_prepared_of_a_replaced_day_is_not_used(split: ParquetHistory) -> None:
    record = split.folder / "corporate_actions.json"
    record.unlink()
    prepared = split.prepare_actions()
    (split.folder / f"contracts/{DAYS[2]}.parquet").unlink()
    split.write("contracts", _contracts(DAYS[2], 5, 600.0), source="another")
    (found,) = split.find_actions(prepared)
    assert found.ratio != 10  # the strikes of the day that was replaced
    record.unlink()
    assert split.find_actions() == [found]


def test_a_damaged_record_raises(split: ParquetHistory) -> None:
    path = split.folder / "corporate_actions.json"
    path.write_text(path.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    with pytest.raises(StoreError, match="delete it and import any file again"):
        split.actions(DAYS[0], DAYS[2])
    path.unlink()
    assert len(split.find_actions()) == 1


KNOWN = {
    ("MCX", date(2026, 1, 2)): 5.0,
    ("KOTAKBANK", date(2026, 1, 14)): 5.0,
    ("ANGELONE", date(2026, 2, 26)): 10.0,
}


@pytest.mark.realdata
def test_splits_are_found_from_the_files_alone(
    real_history: ParquetHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strikeloom.nse.corporate_actions.on_record", list)
    found = real_history.actions(date(2024, 1, 1), date(2026, 12, 31))
    assert {(a.symbol, a.day): a.ratio for a in found if a.ratio} == KNOWN
    (demerger,) = (item for item in found if item.kind == "demerger")
    assert (demerger.symbol, demerger.day, demerger.divisor) == ("ITC", date(2025, 1, 6), 1.0)
    (rename,) = (item for item in found if item.successor)
    assert (rename.symbol, rename.successor, rename.day) == ("LTIM", "LTM", date(2026, 2, 27))
    assert not [item for item in found if item.kind == "unexplained"]


@pytest.mark.realdata
def test_splits_are_found_in_days_of_the_old_layout_too(real_history: ParquetHistory) -> None:
    """Ids, lots and levels taken away; no other share of 200 a day is taken for one."""

    def bare(day: date) -> pd.DataFrame:
        frame = real_history.contracts(day)[list(COLUMNS)]
        return frame.assign(instrument_id=0, lot_size=0, underlying=np.nan)

    days = real_history.days()
    near = {day for _, day in KNOWN} | {date(2026, 1, 27), date(2026, 2, 2), date(2026, 2, 27)}
    found = []
    for before, day in pairwise(days):
        if day in near:
            cash = real_history.cash(before, day)
            found += contract_changes(
                bare(before), bare(day), day=day, day_before=before, cash=cash
            )
    assert {(item.symbol, item.day): item.ratio for item in found} == KNOWN


@pytest.mark.realdata
def test_contracts_of_the_eve_become_those_of_the_day(real_history: ParquetHistory) -> None:
    """Keys, lots and open interest of the exchange's own next file, for every change found."""
    days = real_history.days()
    found = real_history.actions(days[0], days[-1])
    moved = [item for item in found if item.day in days[1:] and (item.ratio or item.amount)]
    assert len(moved) >= 9
    for item in moved:
        eve = days[days.index(item.day) - 1]
        ours = real_history.as_of(item.day).contracts(eve, symbols=[item.symbol])
        theirs = real_history.contracts(item.day, symbols=[item.symbol])
        alive = ours[(ours["expiry"] >= pd.Timestamp(item.day)) & (ours["open_interest"] > 0)]
        key = ["symbol", "expiry", "strike", "right"]
        both = alive.merge(theirs, on=key, suffixes=("", "_new"))
        assert len(both) == len(alive), item
        assert (both["lot_size"] == both["lot_size_new"]).all(), item
        ratio = both["open_interest_new"].sum() / both["open_interest"].sum()
        assert 0.8 < ratio < 1.25, item


@pytest.mark.realdata
def test_no_false_moves_of_prices(real_history: ParquetHistory) -> None:
    """The largest step of a split share over 130 days is one of the market, not of the split."""
    last = real_history.days()[-1]
    names = [symbol for symbol, _ in KNOWN]
    frame = real_history.as_of(last).prices(last - timedelta(days=130), last, symbols=names)
    steps = frame.groupby("symbol")["close"].pct_change().abs()
    assert steps.max() < 0.15
    assert frame.groupby("symbol").size().min() > 80


@pytest.mark.realdata
def test_prices_of_a_renamed_share_go_on(real_history: ParquetHistory) -> None:
    last = real_history.days()[-1]
    frame = real_history.as_of(last).prices(date(2026, 1, 1), last, symbols=["LTM"])
    assert len(frame) == len(real_history.as_of(last).cash(date(2026, 1, 1), last, symbols=["LTM"]))
    assert frame["day"].min() == pd.Timestamp("2026-01-01")


@pytest.mark.realdata
def test_indices_have_a_price_every_stored_day(real_history: ParquetHistory) -> None:
    last = real_history.days()[-1]
    frame = real_history.as_of(last).prices(date(2026, 1, 1), last, symbols=["NIFTY", "BANKNIFTY"])
    days = frame.groupby("symbol")["day"].nunique()
    assert days["NIFTY"] >= 53
    assert days["BANKNIFTY"] == 53


def test_a_history_copied_as_files_reads_the_same(split: ParquetHistory, tmp_path: Path) -> None:
    copy = ParquetHistory(shutil.copytree(split.folder, tmp_path / "copy"), "nse")
    for day in DAYS[1:]:
        ours, theirs = copy.as_of(day), split.as_of(day)
        assert ours.prices(DAYS[0], day).equals(theirs.prices(DAYS[0], day))


def test_a_former_name_leads_to_the_one_of_the_day(history: ParquetHistory) -> None:
    day = DAYS[0]
    history.write("contracts", _contracts(day, 1, 3000.0), source="fo")
    for name in ("ZOMATO", " zomato ", "ETERNAL"):
        assert history.as_of(day).known_as(name).symbol == "ETERNAL"
    # before the rename, and without any file of the day
    assert history.as_of(date(2025, 4, 8)).known_as("ETERNAL").symbol == "ZOMATO"
    again = _contracts(day, 1, 3000.0).assign(symbol="ZOMATO")
    again["instrument_id"] += 5000
    history.write("contracts", again, source="another share of that name")
    assert history.as_of(day).known_as("ZOMATO") == ("ZOMATO", ())
