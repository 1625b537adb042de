"""The history port over Parquet files: what is written comes back, and only complete."""

from __future__ import annotations

import multiprocessing
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet import history as module
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.frames import CASH, CONTRACTS, INDICES, QUOTES
from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.errors import BadFile, BadFrame, MissingHistory, StoreError
from strikeloom.nse.sessions import IST
from support.month_writer import write_month
from support.nse_files import save, udiff

DAY = date(2026, 2, 10)


def contracts(day: date = DAY, **changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "day": pd.Timestamp(day),
            "symbol": ["NIFTY", "NIFTY", "M&M", "NIFTY"],
            "kind": ["index", "index", "stock", "index"],
            "expiry": pd.to_datetime(["2026-02-24", "2026-02-24", "2026-02-24", "2026-02-17"]),
            "last_day": pd.DatetimeIndex(["2026-02-24", None, "2026-02-24", "2026-02-12"]).as_unit(
                "s"
            ),
            "strike": [25900.0, 0.0, 3402.5, 25900.0],
            "right": ["CE", "XX", "PE", "PE"],
            "instrument_id": [1, 2, 3, 4],
            "lot_size": [65, 65, 200, 65],
            **{
                name: [0.05, np.nan, 12.35, 250.0]
                for name in ("open", "high", "low", "close", "settle", "final_settlement")
            },
            "previous_close": [np.nan, 1.0, 2.0, 3.0],
            "underlying": [25935.15, 25935.15, 3400.1, 25935.15],
            "lots_traded": [1, 0, 5, 7],
            "open_interest": [7_012_197_825, 0, 0, 0],
            "oi_change": [-1, 0, 1, 2],
            "traded": [True, False, True, True],
        }
    )
    return frame.assign(**changes)


def quotes(moments: list[datetime], **changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "at": pd.DatetimeIndex(moments).as_unit("us"),
            "symbol": "NIFTY",
            "expiry": pd.Timestamp("2026-02-24"),
            "strike": 25900.0,
            "right": "CE",
            "bid": 100.05,
            "ask": 100.2,
            "last": np.nan,
            "bid_size": 65,
            "ask_size": 130,
            "volume": 0,
            "open_interest": 650,
            "spot": 25935.15,
        }
    )
    return frame.assign(**changes)


def cash(days: list[str], close: float = 100.0) -> pd.DataFrame:
    prices = dict.fromkeys(("open", "high", "low", "close", "previous_close"), close)
    return pd.DataFrame({"day": pd.to_datetime(days), "symbol": "SBIN", **prices, "volume": 10})


def levels(day: str, publisher: str, close: float, opens: float = np.nan) -> pd.DataFrame:
    four = {"open": opens, "high": np.nan, "low": np.nan, "close": close}
    row = {"day": pd.Timestamp(day), "index": "NIFTY", "publisher": publisher, **four}
    return pd.DataFrame([row])


def test_contracts_come_back_in_key_order(history: ParquetHistory) -> None:
    assert history.write("contracts", contracts(), source="made") == 4
    frame = CONTRACTS.check(history.contracts(DAY), where="test")
    expected = contracts().iloc[[2, 3, 1, 0]].drop(columns="day").reset_index(drop=True)
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)
    assert history.days() == [DAY]


def test_one_symbol_of_a_day(history: ParquetHistory) -> None:
    history.write("contracts", contracts(), source="made")
    assert history.contracts(DAY, symbols=["M&M"])["strike"].tolist() == [3402.5]
    assert len(history.contracts(DAY, symbols=["M&M", "NIFTY"])) == 4
    for nothing in ([], ["SBIN"]):
        CONTRACTS.check(history.contracts(DAY, symbols=nothing), where="test")
        assert history.contracts(DAY, symbols=nothing).empty


def test_a_missing_day_names_its_neighbours(history: ParquetHistory) -> None:
    with pytest.raises(MissingHistory, match="no stored days; run strikeloom data import"):
        history.contracts(DAY)
    for day in (date(2026, 2, 9), date(2026, 2, 11), date(2026, 3, 2)):
        history.write("contracts", contracts(day), source="made")
    with pytest.raises(MissingHistory, match="nearest stored: 2026-02-09 and 2026-02-11"):
        history.contracts(DAY)


def test_cash_and_indices_over_partitions(history: ParquetHistory) -> None:
    days = ["2025-12-31", "2026-01-01", "2026-01-30", "2026-02-02"]
    history.write("cash", cash(days), source="made")
    files = sorted(path.name for path in (history.folder / "cash").iterdir())
    assert files == ["2025-12.parquet", "2026-01.parquet", "2026-02.parquet"]
    frame = CASH.check(history.cash(date(2026, 1, 1), date(2026, 1, 30)), where="test")
    assert [str(day.date()) for day in frame["day"]] == ["2026-01-01", "2026-01-30"]
    assert history.cash(date(2027, 1, 1), date(2027, 2, 1)).empty
    CASH.check(history.cash(date.min, date.max, symbols=["ABB"]), where="test")
    INDICES.check(history.indices(date.min, date.max), where="test")
    for day in ("2024-12-31", "2025-01-01"):
        history.write("indices", levels(day, "nse", 24_000.1), source="made")
    assert len(history.indices(date(2024, 1, 1), date(2025, 12, 31), names=["NIFTY"])) == 2


def test_quotes_by_moment_in_indian_time(history: ParquetHistory) -> None:
    first = datetime(2026, 2, 10, 9, 15, tzinfo=IST)
    moments = [first + timedelta(minutes=5 * step) for step in range(3)]
    history.write("quotes", quotes(moments), source="made")
    assert history.quote_times(DAY) == moments
    assert history.quote_times(date(2026, 2, 11)) == []
    frame = QUOTES.check(history.quotes(moments[1]), where="test")
    assert frame["at"].tolist() == [pd.Timestamp(moments[1])]
    assert frame["last"].isna().all()
    assert history.quotes(moments[1], symbols=["SBIN"]).empty
    with pytest.raises(MissingHistory, match="no quotes recorded at 2026-02-10T09:16"):
        history.quotes(first + timedelta(minutes=1), symbols=["NIFTY"])
    assert history.stored_days("quotes") == [DAY]


def test_a_quote_before_dawn_belongs_to_its_indian_day(history: ParquetHistory) -> None:
    moment = datetime(2026, 2, 10, 0, 30, tzinfo=IST)  # still the 9th in UTC
    history.write("quotes", quotes([moment]), source="made")
    assert history.quote_times(DAY) == [moment]
    assert len(history.quotes(moment)) == 1


def test_prices_are_paise_on_disk(history: ParquetHistory) -> None:
    history.write("contracts", contracts(), source="made")
    table = pq.read_table(history.folder / "contracts/2026-02-10.parquet")
    assert table["close"].to_pylist() == [1235, 25000, None, 5]
    assert str(table.schema.field("close").type) == "int64"


@settings(max_examples=40, deadline=None)
@given(
    paise=st.lists(st.integers(1, 10**9) | st.none(), min_size=4, max_size=4),
    noise=st.floats(-0.004, 0.004),
)
def test_every_price_survives_to_the_paisa(
    tmp_path_factory: pytest.TempPathFactory, paise: list[int | None], noise: float
) -> None:
    history = ParquetHistory(tmp_path_factory.mktemp("paise"), "nse")
    rupees = [np.nan if amount is None else amount / 100 + noise for amount in paise]
    history.write("contracts", contracts(close=rupees), source="made")
    found = history.contracts(DAY).set_index("instrument_id")["close"].sort_index()
    expected = [np.nan if amount is None else amount / 100 for amount in paise]
    np.testing.assert_array_equal(found.to_numpy(), expected)


def test_writing_again_changes_nothing(history: ParquetHistory) -> None:
    history.write("contracts", contracts(), source="made")
    path = history.folder / "contracts/2026-02-10.parquet"
    before = path.stat()
    assert history.write("contracts", contracts().iloc[::-1], source="made") == 0
    after = path.stat()  # reading it changed its time of access
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_named_columns_are_those_of_the_whole_frame_and_the_caller_s_to_change(
    history: ParquetHistory,
) -> None:
    history.write("contracts", contracts(), source="made")
    names = ["traded", "symbol", "close", "lots_traded", "expiry"]
    for view in (history, history.as_of(DAY)):
        frame = view.contracts(DAY, columns=names)
        assert frame.equals(view.contracts(DAY)[names])
        for name, value in zip(names, (False, "X", 1.0, 9, pd.Timestamp(DAY)), strict=True):
            frame.loc[0, name] = value
            assert frame.loc[0, name] == value


def test_a_contradiction_names_both_sources_and_writes_no_partition(
    history: ParquetHistory,
) -> None:
    history.write("cash", cash(["2026-02-10"]), source="first")
    with pytest.raises(BadFile, match="second contradicts first: 2026-02-10 SBIN has open "):
        history.write("cash", cash(["2026-01-30", "2026-02-10"], close=100.05), source="second")
    assert history.stored_days("cash") == [DAY]


def test_levels_complete_each_other_and_stay_by_publisher(history: ParquetHistory) -> None:
    history.write("indices", levels("2026-02-10", "nse", 25935.15), source="closes")
    assert history.write("indices", levels("2026-02-10", "nse", 25935.15, 25900), source="x") == 1
    assert history.write("indices", levels("2026-02-10", "other", 1.0), source="y") == 1
    frame = history.indices(DAY, DAY)
    assert frame[["publisher", "open"]].to_numpy().tolist()[0] == ["nse", 25900.0]
    assert history.sources("indices", "2026") == {
        "2026-02-10 nse": ["closes", "x"],
        "2026-02-10 other": ["y"],
    }


@pytest.mark.parametrize("order", [(14.46, 14.47), (14.47, 14.46)])
def test_levels_a_hundredth_apart_are_one(
    history: ParquetHistory, order: tuple[float, float]
) -> None:
    for place, close in enumerate(order):
        history.write("indices", levels("2026-02-10", "nse", close), source=str(place))
    assert history.indices(DAY, DAY)["close"].tolist() == [14.47]
    with pytest.raises(BadFile, match=r"2 contradicts 0 and 1: .* close 14.49 against 14.47"):
        history.write("indices", levels("2026-02-10", "nse", 14.49), source="2")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"close": "x"}, "column close of contracts is object, expected price"),
        ({"close": np.inf}, "a price is infinite"),
        ({"symbol": None}, "column symbol of contracts is"),
        ({"lot_size": 1.5}, "column lot_size of contracts is float64, expected count"),
        ({"expiry": pd.NaT}, "column expiry of contracts is empty"),
    ],
)
def test_a_bad_frame_is_refused(
    history: ParquetHistory, changes: dict[str, object], expected: str
) -> None:
    with pytest.raises(BadFrame, match=f"made: {expected}|made: .*{expected}"):
        history.write("contracts", contracts(**changes), source="made")
    with pytest.raises(BadFrame, match="table contracts lacks column settle, traded"):
        history.write("contracts", contracts().drop(columns=["settle", "traded"]), source="made")
    assert history.days() == []


def test_an_unfinished_file_is_invisible_and_swept(history: ParquetHistory) -> None:
    history.write("contracts", contracts(), source="made")
    left = history.folder / "contracts" / ".abc.part"
    left.write_bytes(b"half")
    assert history.days() == [DAY]
    history.write("contracts", contracts(date(2026, 2, 11)), source="made")
    assert not left.exists()


def test_a_damaged_partition_raises(history: ParquetHistory) -> None:
    history.write("contracts", contracts(), source="made")
    path = history.folder / "contracts/2026-02-10.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    for attempt in (
        lambda: history.contracts(DAY),
        lambda: history.sources("contracts", "2026-02-10"),
        lambda: history.write("contracts", contracts(), source="made"),
    ):
        with pytest.raises(StoreError, match="of the history is damaged"):
            attempt()


def older(history: ParquetHistory) -> None:
    """Rewrite the day as a version wrote it that kept no last day."""
    path = history.folder / "contracts/2026-02-10.parquet"
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.drop_columns(["last_day"]), path)


def test_a_partition_of_an_earlier_version_is_refused_until_its_file_is_imported(
    history: ParquetHistory, tmp_path: Path
) -> None:
    file = save(tmp_path / "fo.csv", udiff({}, {"OptnTp": "PE", "FinInstrmId": "40002"}))
    import_paths([file], history)
    older(history)
    with pytest.raises(StoreError, match=r"earlier version, without last_day; import its files"):
        history.contracts(DAY)
    with pytest.raises(StoreError, match="earlier version"):
        history.as_of(DAY).contracts(DAY)
    history.write("contracts", contracts().iloc[2:3], source="another")
    kept = history.contracts(DAY)
    assert kept["last_day"].isna().tolist() == [False, True, True]
    older(history)
    report = import_paths([file], history)
    assert (report.counts["done"], report.new_rows) == (1, 2)
    frame = history.contracts(DAY, symbols=["NIFTY"])
    assert set(frame["last_day"]) == {pd.Timestamp("2026-02-24")}
    assert import_paths([file], history).counts["same"] == 1


def test_two_processes_write_one_month(history: ParquetHistory) -> None:
    names = [[f"{half}{number}" for number in range(8)] for half in "AB"]
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=write_month, args=(str(history.folder), half)) for half in names
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert history.cash(DAY, DAY)["symbol"].tolist() == sorted(names[0] + names[1])


def test_a_writer_that_does_not_end(
    history: ParquetHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.05)
    other = ParquetHistory(history.folder, "nse")
    with history.changes(), pytest.raises(StoreError, match="another process is writing"):
        other.write("contracts", contracts(), source="made")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be written"):
        ParquetHistory(tmp_path / "file" / "nse", "nse").write(
            "cash", cash(["2026-02-10"]), source="x"
        )


def test_underlyings_of_a_made_market(history: ParquetHistory) -> None:
    assert history.underlyings() == {}
    made = Underlying("LOOM", InstrumentKind.STOCK, "Textiles")
    history.write_underlyings([made])
    assert history.underlyings() == {"LOOM": made}
