"""Both F&O layouts: each peculiarity with a line written for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from strikeloom.adapters.bhavcopy.contracts import legacy as read_legacy
from strikeloom.adapters.bhavcopy.contracts import udiff as read_udiff
from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.table import TextColumn
from strikeloom.errors import BadFile
from support.nse_files import FUTURE, UNTRADED, legacy, legacy_line, udiff


def one(body: bytes, read: Callable[..., object] = read_udiff) -> dict[str, object]:
    rows = rows_of(body, read)
    assert len(rows) == 1
    return rows[0]


def rows_of(body: bytes, read: Callable[..., object] = read_udiff) -> list[dict[str, object]]:
    table = read(CsvText("x.csv", body)).table  # type: ignore[attr-defined]
    assert isinstance(table, pa.Table)
    return table.to_pylist()


def test_a_traded_call_in_paise_lots_and_units() -> None:
    assert one(udiff({})) == {
        "day": date(2026, 2, 10),
        "symbol": "NIFTY",
        "kind": "index",
        "expiry": date(2026, 2, 24),
        "last_day": date(2026, 2, 24),
        "strike": 2_590_000,
        "right": "CE",
        "instrument_id": 40001,
        "lot_size": 65,
        "open": 21_000,
        "high": 25_550,
        "low": 18_005,
        "close": 23_140,
        "settle": 23_145,
        "final_settlement": None,
        "previous_close": 19_995,
        "underlying": 2_593_515,
        "lots_traded": 4100,
        "open_interest": 650_000,
        "oi_change": -1300,
        "traded": True,
    }


def test_the_old_layout_gives_the_same_except_for_columns_it_lacks() -> None:
    new, old = one(udiff({})), one(legacy({}), read_legacy)
    lacking = {"instrument_id": 0, "lot_size": 0} | dict.fromkeys(
        ("last_day", "previous_close", "underlying")
    )
    assert old == {**new, **lacking}


@pytest.mark.parametrize("body", [udiff(UNTRADED), legacy(UNTRADED)], ids=["udiff", "old"])
def test_a_stale_close_is_no_price(body: bytes) -> None:
    row = one(body, read_udiff if body.startswith(b"TradDt") else read_legacy)
    assert [row[side] for side in ("open", "high", "low", "close")] == [None] * 4
    assert (row["settle"], row["traded"], row["lots_traded"]) == (23_145, False, 0)


@pytest.mark.parametrize("changes", [{}, UNTRADED], ids=["traded", "untraded"])
def test_a_settlement_of_zero_is_kept_in_udiff_files(changes: dict[str, str]) -> None:
    """BANKNIFTY 2024-06-04, 56500 CE: 276 lots, close 24.00, settlement 0."""
    zero = {**changes, "SttlmPric": "0.00"}
    assert one(udiff(zero))["settle"] == 0
    assert one(legacy(zero), read_legacy)["settle"] is None  # of old files that is not known
    ended = {"XpryDt": "2026-02-10", "FininstrmActlXpryDt": "2026-02-10", **zero}
    assert one(udiff(ended))["settle"] is None
    assert one(udiff(ended))["final_settlement"] is None


@pytest.mark.parametrize("make", [udiff, legacy], ids=["udiff", "old"])
def test_on_expiry_day_the_settlement_is_the_underlyings(make: Callable[..., bytes]) -> None:
    last = {"XpryDt": "2026-02-10", "FininstrmActlXpryDt": "2026-02-10", "SttlmPric": "25935.15"}
    read = read_udiff if make is udiff else read_legacy
    row = one(make(last), read)
    assert (row["settle"], row["final_settlement"]) == (None, 2_593_515)
    future = one(make({**FUTURE, **last}), read)
    assert (future["settle"], future["final_settlement"]) == (2_593_515, 2_593_515)
    assert (future["strike"], future["right"]) == (0, "XX")


def test_a_series_ended_early_keeps_its_listed_expiry() -> None:
    row = one(udiff({"FininstrmActlXpryDt": "2026-02-12"}))
    assert (row["expiry"], row["last_day"]) == (date(2026, 2, 24), date(2026, 2, 12))
    assert (row["settle"], row["final_settlement"]) == (23_145, None)
    row = one(udiff({"FininstrmActlXpryDt": "2026-02-10", "SttlmPric": "481.60"}))
    assert (row["expiry"], row["last_day"]) == (date(2026, 2, 24), date(2026, 2, 10))
    assert (row["settle"], row["final_settlement"]) == (None, 48_160)


def test_the_old_layout_shows_an_early_end_by_one_level_for_all_strikes() -> None:
    ended = [
        {"TckrSymb": "ITC", "StrkPric": strike, "OptnTp": right, "SttlmPric": "481.60"}
        for strike in ("470", "480", "490")
        for right in ("CE", "PE")
    ]
    alive = [
        {"TckrSymb": "SBIN", "StrkPric": strike, "OptnTp": right, "SttlmPric": "0.05"}
        for strike, right in (("900", "CE"), ("910", "CE"), ("600", "PE"))
    ]
    for row in rows_of(legacy(*ended, *alive), read_legacy):
        over = (date(2026, 2, 10), None, 48_160)
        expected = over if row["symbol"] == "ITC" else (None, 5, None)
        assert (row["last_day"], row["settle"], row["final_settlement"]) == expected


def test_variants_of_the_old_layout() -> None:
    line = legacy_line({})
    for variant in (
        line.replace(",CE,", ",CA,"),
        line.replace("24-Feb-2026", "24-FEB-2026"),
        line.replace("24-Feb-2026", "24-Feb-26"),
        line.replace("OPTIDX,NIFTY", "OPTIDX , NIFTY "),
    ):
        body = legacy({}).replace(line.encode(), variant.encode())
        assert one(body, read_legacy) == one(legacy({}), read_legacy)
    without_comma = legacy({}).replace(b",\n", b"\n")
    assert one(without_comma, read_legacy) == one(legacy({}), read_legacy)
    header, row = legacy({}).decode().splitlines()
    assert one(f"{header[:-1]}\n{row}\n".encode(), read_legacy) == one(legacy({}), read_legacy)


@pytest.mark.parametrize("word", ["XX", "", "FF"])
def test_a_future_has_many_words_for_no_right(word: str) -> None:
    body = legacy(FUTURE).replace(b",XX,", f",{word},".encode())
    row = one(body, read_legacy)
    assert (row["right"], row["strike"], row["kind"]) == ("XX", 0, "index")


def test_columns_are_found_by_name_not_by_place() -> None:
    names, fields = (line.split(",") for line in udiff({}).decode().splitlines())
    body = f"{','.join(reversed(names))}\n{','.join(reversed(fields))}\n".encode()
    assert one(body) == one(udiff({}))


def test_a_future_traded_only_in_spreads_has_no_open() -> None:
    row = one(udiff({**FUTURE, **UNTRADED, "TtlTradgVol": "2"}))
    assert (row["traded"], row["open"], row["close"]) == (True, None, 2_593_515)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Sgmt": "CM"}, "line 2: Sgmt is 'CM', expected one of FO"),
        ({"Src": "BSE"}, "Src is 'BSE', expected one of NSE"),
        ({"FinInstrmTp": "CUR"}, "FinInstrmTp is 'CUR'"),
        ({"OptnTp": "XE"}, "OptnTp is 'XE', expected one of CA, CE"),
        ({"OptnTp": ""}, "expected CE or PE, as the instrument is an option"),
        ({"FinInstrmTp": "IDF"}, "expected XX or empty, as the instrument is a future"),
        ({"StrkPric": ""}, "StrkPric is empty, expected the strike"),
        ({"StrkPric": "25q"}, "StrkPric is '25q', expected a number"),
        ({"ClsPric": "-1"}, "ClsPric is -1.0, expected a price"),
        ({"ClsPric": "inf"}, "ClsPric is inf, expected a price"),
        ({"TtlTradgVol": ""}, "TtlTradgVol is empty, expected a whole number of 0 or more"),
        ({"TtlTradgVol": "1.5"}, "TtlTradgVol is 1.5"),
        ({"NewBrdLotQty": "0"}, "NewBrdLotQty is 0.0, expected a whole number of 1 or more"),
        ({"TradDt": "2026-13-10"}, "TradDt is '2026-13-10', expected a date such as"),
        ({"XpryDt": "2026-02-09"}, "XpryDt is '2026-02-09', expected TradDt or later"),
        ({"OpnPric": "300"}, "OpnPric is 300.0, expected low <= open <= high"),
        ({"TckrSymb": " "}, "TckrSymb is ' ', expected a text"),
    ],
)
def test_a_bad_value_is_refused_with_its_line(changes: dict[str, str], expected: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_udiff(CsvText("day.csv", udiff(changes)))
    assert str(caught.value).startswith("day.csv: line 2: ")
    assert expected in str(caught.value)


def test_the_line_counts_blank_lines() -> None:
    header, row = udiff({}).decode().splitlines()
    bad = row.replace("650000", "x")
    body = "\n".join([header, row, "", "", bad, ""]).encode()
    with pytest.raises(BadFile, match="line 5: OpnIntrst is 'x'"):
        read_udiff(CsvText("day.csv", body))


@pytest.mark.parametrize("texts", [["CE", "PE"], ["CE", "PE", "CE"], ["XX", "CE", "PE"]])
def test_coded_texts_are_each_used_and_there_once(texts: list[str]) -> None:
    rows = ["CE", "PE", "CE"]
    last = len(texts) - 1 - texts[::-1].index("CE")
    codes = np.array([texts.index("CE"), texts.index("PE"), last], dtype=np.int32)
    coded = TextColumn(texts, codes).coded()
    assert coded.to_pylist() == rows
    assert coded.dictionary.to_pylist() == ["CE", "PE"]


def test_a_row_of_another_segment_is_named() -> None:
    with pytest.raises(BadFile, match=r"line 3: Sgmt is 'CM', expected one of FO"):
        read_udiff(CsvText("x.csv", udiff({}, {"StrkPric": "26000", "Sgmt": "CM"})))
