"""Cash and index files: what goes in, what is left out, what is refused."""

from __future__ import annotations

from datetime import date

import pytest

from strikeloom.adapters.bhavcopy.cash import cash as read_cash
from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.indices import index_closes, index_series, volatility_index
from strikeloom.errors import BadFile
from support.nse_files import VIX_HEADER, cash, closes, series

SBIN = "SBIN EQ 10-Feb-2026 1050.55 1052 1061.5 1049 1060.35 7654321"


def test_only_the_eq_series_of_a_raw_file_goes_in() -> None:
    other = "SBIN GB 10-Feb-2026 100 100 100 100 100 5"
    rows = read_cash(CsvText("cm.csv", cash(SBIN, other)))
    assert rows.note == "1 rows of other series left out"
    assert rows.table.to_pylist() == [
        {
            "day": date(2026, 2, 10),
            "symbol": "SBIN",
            "open": 105_200,
            "high": 106_150,
            "low": 104_900,
            "close": 106_035,
            "previous_close": 105_055,
            "volume": 7_654_321,
        }
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (SBIN.replace("1060.35", "1062"), "line 2: CLOSE_PRICE is 1062.0, expected a price from"),
        (SBIN.replace("1060.35", "-"), "CLOSE_PRICE is empty"),
        (SBIN.replace("7654321", "-5"), "TTL_TRD_QNTY is -5.0"),
        (SBIN.replace("10-Feb-2026", "30-Feb-2026"), "DATE1 is ' 30-Feb-2026'"),
    ],
)
def test_a_bad_cash_row_is_refused(row: str, expected: str) -> None:
    with pytest.raises(BadFile, match=expected):
        read_cash(CsvText("cm.csv", cash(row)))


def test_zero_bytes_between_two_rows_do_not_join_them() -> None:
    """A block of zeros, as a disk leaves it: the line before and the one after look like one."""
    other = SBIN.replace("10-Feb-2026", "11-Feb-2026")
    body = bytearray(cash(SBIN, other))
    first = body.index(b"1060.35") + 5
    last = body.index(b"1060.35", first) + 5
    body[first:last] = bytes(last - first)
    with pytest.raises(BadFile, match="line 2 holds zero bytes"):
        read_cash(CsvText("cm.csv", bytes(body)))


def test_closes_of_all_indices_take_our_symbols_whatever_the_case() -> None:
    body = closes(
        "10-02-2026",
        {
            "Nifty 50": ("25900", "26000.5", "25800", "25935.15"),
            "NIFTY BANK": ("60000", "60100", "59900", "60050"),
            "Nifty500 Quality 50": ("-", "-", "-", "16075.93"),
            "Nifty Nothing": ("-", "-", "-", "-"),
        },
    )
    rows = index_closes(CsvText("ind.csv", body))
    assert rows.note == "1 rows without a close left out"
    found = {row["index"]: (row["open"], row["close"]) for row in rows.table.to_pylist()}
    assert found == {
        "NIFTY": (2_590_000, 2_593_515),
        "BANKNIFTY": (6_000_000, 6_005_000),
        "Nifty500 Quality 50": (None, 1_607_593),
    }
    assert set(rows.table["publisher"].to_pylist()) == {"nse"}


def test_the_volatility_index_is_known_by_its_header() -> None:
    body = f"{VIX_HEADER}\n12-FEB-2021,0.00,0.00,0.00,23.045,23.25,-.2,-.9\n".encode()
    (row,) = volatility_index(CsvText("any.csv", body)).table.to_pylist()
    assert (row["index"], row["day"]) == ("INDIAVIX", date(2021, 2, 12))
    assert (row["open"], row["close"]) == (None, 2304)  # half to even


def test_a_nameless_history_loses_its_float_noise() -> None:
    body = series(
        {"2026-02-10 00:00:00+05:30": (25900.099609375, 26000.5, 25800.05078125, 25935.150390625)},
        header="Date,Open,High,Low,Close",
    )
    (row,) = index_series(CsvText("any.csv", body)).table.to_pylist()
    assert (row["day"], row["index"], row["publisher"]) == (date(2026, 2, 10), "", "other")
    assert [row[s] for s in ("open", "high", "low", "close")] == [
        2_590_010,
        2_600_050,
        2_580_005,
        2_593_515,
    ]


def test_a_number_cut_off_at_the_end_is_refused() -> None:
    body = series({"2026-02-09": (100, 110, 90, 105), "2026-02-10": (105, 112, 101, 110.25)})
    assert len(index_series(CsvText("any.csv", body[:-1])).table) == 2
    with pytest.raises(BadFile, match=r"line 3: close is 11\.0, .* the file may be cut off"):
        index_series(CsvText("any.csv", body[:-5]))
