"""What the exchange's files always satisfy: rows left out by name, files refused, exceptions."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from strikeloom.adapters.bhavcopy import FileOutcome, import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.cli.app import app
from strikeloom.errors import DataError
from support.nse_files import (
    LEGACY_HEADER,
    UNTRADED,
    VIX_HEADER,
    cash,
    closes,
    legacy,
    legacy_line,
    save,
    udiff,
)

STRIKES = [25_000 + 50 * n for n in range(40)]
GOOD = [
    {"StrkPric": f"{strike}.00", "OptnTp": right, "SttlmPric": "231.40"}
    for strike in STRIKES
    for right in ("CE", "PE")
]
#: The same contracts a day later.
NEXT = {
    "TradDt": "2026-02-11",
    "PrvsClsgPric": "231.40",
    "TtlTradgVol": "3900",
    "OpnIntrst": "648700",
}
ENDED = {
    "XpryDt": "2026-02-10",
    "FininstrmActlXpryDt": "2026-02-10",
    "SttlmPric": "25935.15",
}


def imported(history: ParquetHistory, path: Path, body: bytes, **more: object) -> FileOutcome:
    save(path, body)
    (outcome,) = import_paths([path], history, **more).files  # type: ignore[arg-type]
    return outcome


def damaged(*changes: Mapping[str, str], rows: list[dict[str, str]] = GOOD) -> bytes:
    """The good rows with the first ones changed."""
    first = [{**row, **change} for row, change in zip(rows, changes, strict=False)]
    return udiff(*first, *rows[len(first) :])


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ([{"FininstrmActlXpryDt": "2026-02-03"}], "dates", "ended on 2026-02-03, before"),
        ([{"ClsPric": "300.00"}], "prices", "high 255.50, low 180.05, close 300.00"),
        ([{"UndrlygPric": "259351.50"}], "underlying",
         "underlying 259351.50, others have 25935.15"),
        ([{"UndrlygPric": "0"}], "underlying", "underlying none, others have 25935.15"),
        ([{"StrkPric": "2500000.00"}], "units", "strike 2500000.00, level 25935.15"),
        ([{"SttlmPric": "99999.00"}], "units", "above the strike of 25000.00"),
        ([{"NewBrdLotQty": "650"}], "contracts", "lot 650, its series has 65"),
        ([{"TradDt": "2026-02-09"}], "dates", "day 2026-02-09 in a file of 2026-02-10"),
        ([{"FinInstrmTp": "STO"}, {}], "contracts", "both stock and index"),
        ([{"SttlmPric": ""}], "prices", "close 231.40, settlement none"),
        ([{"ChngInOpnIntrst": "650065"}], "contracts", "open interest 650000, gained 650065"),
        ([{**UNTRADED, "HghPric": "9.00"}], "prices", "high 9.00, close 199.95"),
        ([{**UNTRADED, "ClsPric": "200.00"}], "prices", "previous close 199.95 without a trade"),
        ([{"TtlTrfVal": "6.7e9"}], "units", "of 4100 lots of 65 is 140.71 each, low 180.05"),
        ([{"FininstrmActlXpryDt": "2026-02-17"}, {"FininstrmActlXpryDt": "2026-02-17"},
          {"FininstrmActlXpryDt": "2026-02-18"}], "dates", "others of its symbol on 2026-02-17"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_right_is_left_out_by_name(
    history: ParquetHistory, tmp_path: Path, changes: list[dict[str, str]], check: str, words: str
) -> None:
    # the damaged row is the second, so that the symbol's first row is right
    body = damaged({}, *changes)
    outcome = imported(history, tmp_path / "a.csv", body)
    left_out = outcome.left_out  # one, or all of a symbol that contradict each other
    assert (outcome.status, outcome.rows) == ("done", len(GOOD) - left_out)
    assert left_out == (len(changes) if "others of" in words else 1)
    assert words in outcome.message
    assert f"(check {check})" in outcome.message
    assert "NIFTY 2026-02-24" in outcome.message
    assert len(history.contracts(history.days()[0])) == len(GOOD) - left_out
    again = imported(history, tmp_path / "a.csv", body)
    assert (again.status, again.left_out, again.message) == ("same", left_out, outcome.message)
    whole = imported(history, tmp_path / "b.csv", udiff(*GOOD))
    assert (whole.status, whole.new) == ("done", left_out)


def test_three_finals_of_one_underlying(history: ParquetHistory, tmp_path: Path) -> None:
    rows = [{**row, **ENDED} for row in GOOD[:3]] + GOOD
    finals = ({}, {"SttlmPric": "25111.00"}, {"SttlmPric": "25222.00"})
    outcome = imported(history, tmp_path / "a.csv", damaged(*finals, rows=rows))
    assert outcome.left_out == 2
    assert "final settlement 25111.00, the underlying is 25935.15" in outcome.message
    frame = history.contracts(history.days()[0])
    assert set(frame["final_settlement"].dropna()) == {25935.15}


@pytest.mark.parametrize(
    ("body", "check", "words"),
    [
        (udiff(*({**row, "StrkPric": f"{row['StrkPric'][:-3]}00.00"} for row in GOOD)), "units",
         "80 of 80 rows are damaged"),
        (udiff(*({**row, "TradDt": "2026-02-08"} for row in GOOD)), "session",
         "no session on 2026-02-08 (Sunday)"),
        (udiff(*({**row, "UndrlygPric": "0"} for row in GOOD)), "underlying", "underlying none"),
        (udiff(*({**row, "ClsPric": "300"} for row in GOOD)), "prices", "close 300.00"),
        (udiff(*({**row, "SttlmPric": "2.31"} for row in GOOD)), "prices",
         "0 of 80 options over 100 lots settle at their close"),
        (udiff(*({**row, "TtlTradgVol": "0"} for row in GOOD)), "prices", "without a trade"),
        (udiff(*({**row, "FinInstrmTp": "STO"} for row in GOOD)), "contracts",
         "a contract of a stock, NIFTY is index"),
        (udiff(*({**row, **UNTRADED, "SttlmPric": "199.95"} for row in GOOD)), "prices",
         "80 of 80 options without a trade settle at the close carried"),
    ],
)  # fmt: skip
def test_a_file_that_is_unlikely_as_a_whole_is_refused_and_can_be_accepted(
    history: ParquetHistory, tmp_path: Path, body: bytes, check: str, words: str
) -> None:
    outcome = imported(history, tmp_path / "a.csv", body)
    assert outcome.status == "refused"
    assert words in outcome.message
    assert f"strikeloom data import --accept {check} FILE" in outcome.message
    assert history.days() == []
    outcome = imported(history, tmp_path / "a.csv", body, accept=[check])
    assert outcome.status == "done"
    assert "accepted as given: " in outcome.message
    record = (history.folder / "imports.jsonl").read_text().splitlines()[-1]
    assert json.loads(record)["accepted"] == [check]


def test_an_unknown_check_is_refused(history: ParquetHistory, tmp_path: Path) -> None:
    save(tmp_path / "a.csv", udiff({}))
    with pytest.raises(
        DataError, match="no check is called 'sesion'; the checks are session, name"
    ):
        import_paths([tmp_path / "a.csv"], history, accept=["sesion"])


def test_a_file_cut_at_a_line_end_lacks_what_the_day_before_had(
    history: ParquetHistory, tmp_path: Path
) -> None:
    imported(history, tmp_path / "a.csv", udiff(*GOOD))
    next_day = [{**row, **NEXT} for row in GOOD]
    outcome = imported(history, tmp_path / "b.csv", udiff(*next_day[: len(GOOD) // 2]))
    assert outcome.status == "refused"
    assert "2026-02-11 has 50 % of the contracts of 2026-02-10" in outcome.message
    assert imported(history, tmp_path / "b.csv", udiff(*next_day)).status == "done"


def test_a_previous_close_is_the_close_of_the_day_before(
    history: ParquetHistory, tmp_path: Path
) -> None:
    imported(history, tmp_path / "a.csv", udiff(*GOOD))
    rows = [{**row, **NEXT} for row in GOOD]
    body = damaged({"PrvsClsgPric": "2314.00"}, rows=rows)
    outcome = imported(history, tmp_path / "b.csv", body)
    assert outcome.left_out == 1
    assert "previous close 2314.00 on 2026-02-11, closed at 231.40 on 2026-02-10" in outcome.message


def test_rows_left_out_are_stored_once_their_check_is_accepted(
    history: ParquetHistory, tmp_path: Path
) -> None:
    body = damaged({}, {"ClsPric": "300.00"})
    first = imported(history, tmp_path / "a.csv", body)
    assert (first.left_out, first.rows) == (1, len(GOOD) - 1)
    assert "strikeloom data import --accept prices FILE" in first.message
    again = imported(history, tmp_path / "a.csv", body, accept=["prices"])
    assert (again.status, again.new, again.left_out) == ("done", 1, 0)
    assert len(history.contracts(history.days()[0])) == len(GOOD)


def test_rows_left_out_for_a_damaged_day_before_come_when_that_is_replaced(
    history: ParquetHistory, tmp_path: Path
) -> None:
    wrong = damaged(*[{"ClsPric": "240.00", "SttlmPric": "240.00"}] * 8)
    assert imported(history, tmp_path / "a.csv", wrong).left_out == 0
    right = udiff(*({**row, **NEXT} for row in GOOD))
    assert imported(history, tmp_path / "b.csv", right).left_out == 8
    (history.folder / "contracts" / "2026-02-10.parquet").unlink()
    assert imported(history, tmp_path / "c.csv", udiff(*GOOD)).status == "done"
    again = imported(history, tmp_path / "b.csv", right)
    assert (again.status, again.new, again.left_out) == ("done", 8, 0)
    assert imported(history, tmp_path / "b.csv", right).status == "same"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"OptnTp": "PE"}, "NIFTY 2026-02-24 25000 PE was NIFTY 2026-02-24 25000 CE"),
        ({"XpryDt": "2026-03-30", "FininstrmActlXpryDt": "2026-03-30"},
         "NIFTY 2026-03-30 25000 CE was NIFTY 2026-02-24 25000 CE on 2026-02-10 (same id)"),
    ],
)  # fmt: skip
def test_an_id_keeps_its_right_and_about_its_expiry(
    history: ParquetHistory, tmp_path: Path, change: dict[str, str], words: str
) -> None:
    numbered = [{**row, "FinInstrmId": str(1000 + n)} for n, row in enumerate(GOOD)]
    imported(history, tmp_path / "a.csv", udiff(*numbered))
    rows = [{**row, **NEXT} for row in numbered]
    outcome = imported(history, tmp_path / "b.csv", damaged(change, rows=rows))
    assert (outcome.left_out, words in outcome.message) == (1, True)


def test_expiries_that_move_a_little_and_contracts_that_vanish_are_remarked(
    history: ParquetHistory, tmp_path: Path
) -> None:
    numbered = [{**row, "FinInstrmId": str(1000 + n)} for n, row in enumerate(GOOD)]
    imported(history, tmp_path / "a.csv", udiff(*numbered))
    moved = {"XpryDt": "2026-02-23", "FininstrmActlXpryDt": "2026-02-23"}
    rows = [{**row, **NEXT, **moved} for row in numbered[:-4]]
    outcome = imported(history, tmp_path / "b.csv", udiff(*rows))
    assert (outcome.status, outcome.left_out) == ("done", 0)
    assert "expiries of NIFTY are others than on 2026-02-10" in outcome.message
    assert "that are there on 2026-02-11: NIFTY 76 of 80; it may be cut off" in outcome.message


def test_a_renamed_symbol_is_named_by_its_ids(history: ParquetHistory, tmp_path: Path) -> None:
    numbered = [{**row, "FinInstrmId": str(1000 + n)} for n, row in enumerate(GOOD)]
    share = {"FinInstrmTp": "STO", "UndrlygPric": "25935.15"}
    names = [
        {**row, **share, "TckrSymb": name, "FinInstrmId": f"{number}{row['FinInstrmId']}"}
        for number, name in enumerate(("OLDCO", "OTHER"), start=1)
        for row in numbered
    ]
    imported(history, tmp_path / "a.csv", udiff(*names))
    later = [{**row, **NEXT} for row in names]
    for row in later[: len(GOOD)]:
        row["TckrSymb"] = "NEWCO"
    outcome = imported(history, tmp_path / "b.csv", udiff(*later))
    assert outcome.status == "done"
    assert "contracts of OLDCO were there on 2026-02-10 and are absent" in outcome.message
    assert "by their ids OLDCO is NEWCO now" in outcome.message


def test_open_interest_that_does_not_add_up_is_remarked(
    history: ParquetHistory, tmp_path: Path
) -> None:
    imported(history, tmp_path / "a.csv", udiff(*GOOD))
    rows = [{**row, **NEXT} for row in GOOD]
    body = damaged(*[{"OpnIntrst": "6487000"}] * 8, rows=rows)
    outcome = imported(history, tmp_path / "b.csv", body)
    assert "its change is not that of 2026-02-11 in 8 of 80 contracts" in outcome.message


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ({"ClsPric": "51870.30"}, "units", "closes at 2 times its settlement"),
        ({"SttlmPric": "0"}, "prices", "close 25935.15, settlement none"),
        ({"ClsPric": "0"}, "prices", "close none, settlement 25935.15"),
    ],
)
def test_a_future_closes_near_its_settlement(
    history: ParquetHistory, tmp_path: Path, change: dict[str, str], check: str, words: str
) -> None:
    months = ("2026-02-24", "2026-03-30", "2026-04-28")
    futures = [
        {"FinInstrmTp": "IDF", "StrkPric": "", "OptnTp": "", "XpryDt": month,
         "FininstrmActlXpryDt": month} for month in months
    ]  # fmt: skip
    body = udiff({**futures[0], **change}, *futures[1:], *GOOD)
    outcome = imported(history, tmp_path / "a.csv", body)
    assert (outcome.left_out, words in outcome.message) == (1, True)
    assert f"(check {check})" in outcome.message


def test_futures_without_a_range_and_far_from_the_levels_are_refused(
    history: ParquetHistory, tmp_path: Path
) -> None:
    bare = {"OpnPric": "0", "HghPric": "0", "LwPric": "0"}
    future = {"FinInstrmTp": "STF", "StrkPric": "", "OptnTp": "", "UndrlygPric": "100.00"}
    names = [f"S{n:02}" for n in range(12)]
    rows = [{**future, "TckrSymb": name} for name in names]
    outcome = imported(history, tmp_path / "a.csv", udiff(*({**row, **bare} for row in rows)))
    assert "12 of 12 traded futures have no open, high or low" in outcome.message
    dear = dict.fromkeys(("OpnPric", "HghPric", "LwPric", "ClsPric", "SttlmPric"), "105.00")
    outcome = imported(history, tmp_path / "b.csv", udiff(*({**row, **dear} for row in rows)))
    assert "the median nearest future is 1.05 times its level" in outcome.message
    assert history.days() == []


def test_a_day_under_another_name_is_refused(history: ParquetHistory, tmp_path: Path) -> None:
    path = tmp_path / "BhavCopy_NSE_FO_0_0_0_20260211_F_0000.csv"
    outcome = imported(history, path, udiff(*GOOD))
    assert "its rows are of 2026-02-10, its name of 2026-02-11" in outcome.message
    assert outcome.status == "refused"


def test_a_file_that_breaks_the_reader_stops_no_other(
    history: ParquetHistory, tmp_path: Path
) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.csv", udiff({}))
    with zipfile.ZipFile(tmp_path / "nested.zip", "w") as archive:
        archive.writestr("a.zip", inner.getvalue())
    save(tmp_path / "return.csv", udiff({}).replace(b"NIFTY,", b"NIF\rTY,"))
    save(tmp_path / "zeros.csv", udiff({}).replace(b"NIFTY,", bytes(900)))
    save(tmp_path / "good.csv", udiff({}))
    report = import_paths([tmp_path], history)
    messages = {Path(item.path).name: item.message for item in report.refused}
    assert set(messages) == {"nested.zip", "return.csv", "zeros.csv"}
    assert "it holds a zip archive" in messages["nested.zip"]
    assert "line 2 is" in messages["return.csv"]
    assert len(history.days()) == 1


def test_the_layout_of_2005(history: ParquetHistory, tmp_path: Path) -> None:
    """Its own name for the right, American options, and futures on interest rates."""
    first = (
        legacy_line({})
        .replace(",CE,", ",CA,")
        .replace("-2026", "-2005")
        .replace("10-FEB", "09-FEB")
    )
    second = first.replace(",CA,", ",PA,")
    interest = "FUTINT,NSETB91D,24-Feb-2005,0,XX,95,95,95,95,95,0,0,0,0,09-FEB-2005,"
    header = LEGACY_HEADER.replace("OPTION_TYP", "OPTIONTYPE")
    outcome = imported(
        history, tmp_path / "a.csv", "\n".join([header, first, interest, second, ""]).encode()
    )
    assert (outcome.status, outcome.rows) == ("done", 2)
    assert outcome.message == "1 rows of interest futures left out"
    assert history.contracts(history.days()[0])["right"].tolist() == ["CE", "PE"]


def test_levels_far_from_another_file_are_left_out(history: ParquetHistory, tmp_path: Path) -> None:
    imported(history, tmp_path / "a.csv", udiff(*GOOD))
    levels = {"Nifty 50": ("259351.5",) * 4, "Nifty 100": ("26000",) * 4}
    outcome = imported(history, tmp_path / "b.csv", closes("10-02-2026", levels))
    assert outcome.left_out == 1
    assert "NIFTY: 259351.50, another file has 25935.15" in outcome.message


def test_a_file_cut_before_its_last_field_is_refused(
    history: ParquetHistory, tmp_path: Path
) -> None:
    row = b"10-FEB-2026,12,13,11,12.5,12,.5,"
    outcome = imported(history, tmp_path / "a.csv", f"{VIX_HEADER}\n".encode() + row)
    assert (outcome.status, "line 2: ends at a comma" in outcome.message) == ("refused", True)


def test_a_cash_file_that_ends_early_is_refused(history: ParquetHistory, tmp_path: Path) -> None:
    names = [f"S{n:03}" for n in range(60)]
    imported(history, tmp_path / "a.csv", cash(*(f"{n} EQ 10-Feb-2026 9 9 9 9 9 1" for n in names)))
    rows = [f"{n} EQ 11-Feb-2026 9 9 9 9 9 1" for n in names]
    outcome = imported(history, tmp_path / "b.csv", cash(*rows[:30]))
    assert "2026-02-11 ends at S029 with 30 names, 2026-02-10 has 60" in outcome.message
    outcome = imported(
        history, tmp_path / "b.csv", cash("S000 EQ 11-Feb-2026 90 9 9 9 9 1", *rows[1:])
    )
    assert outcome.left_out == 1
    assert "previous close 90.00, closed at 9.00 on 2026-02-10" in outcome.message


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("S000 EQ 10-Feb-2026 9 9 90 9 9 1", "(check prices)"),
        ("S000 EQ 10-Feb-2026 9 9 9 9 9 0", "S000: no volume (check units)"),
    ],
)
def test_a_cash_row_has_volume_and_a_range_of_a_day(
    history: ParquetHistory, tmp_path: Path, row: str, words: str
) -> None:
    others = [f"S{n:03} EQ 10-Feb-2026 9 9 9 9 9 1" for n in range(1, 30)]
    outcome = imported(history, tmp_path / "a.csv", cash(row, *others))
    assert (outcome.left_out, words in outcome.message) == (1, True)


def test_a_stock_with_contracts_that_the_cash_file_lacks_is_remarked(
    history: ParquetHistory, tmp_path: Path
) -> None:
    share = {"FinInstrmTp": "STO", "TckrSymb": "S030", "UndrlygPric": "25935.15"}
    imported(history, tmp_path / "a.csv", udiff(*({**row, **share} for row in GOOD)))
    rows = [f"S{n:03} EQ 10-Feb-2026 9 9 9 9 9 1" for n in range(1, 30)]
    outcome = imported(history, tmp_path / "b.csv", cash(*rows))
    assert (outcome.status, outcome.message) == (
        "done",
        "S030 with contracts on 2026-02-10 is absent",
    )


def test_the_command_names_rows_and_takes_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKELOOM_HOME", str(tmp_path / "home"))
    path = save(tmp_path / "a.csv", damaged({}, {"UndrlygPric": "1.00"}))
    done = CliRunner().invoke(app, ["data", "import", str(path), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["left_out"]) == (1, 1)
    sunday = save(tmp_path / "b.csv", udiff(*({**row, "TradDt": "2026-01-25"} for row in GOOD)))
    refused = CliRunner().invoke(app, ["data", "import", str(sunday)])
    assert (refused.exit_code, "error: refused: " in refused.stderr) == (1, True)
    done = CliRunner().invoke(app, ["data", "import", str(sunday), "--accept", "session"])
    assert done.exit_code == 0
    # what is only remarked is no error
    assert ("warning: " in done.stderr, "error: " in done.stderr) == (True, False)


def test_the_old_layout_has_levels_by_its_futures(history: ParquetHistory, tmp_path: Path) -> None:
    future = {"FinInstrmTp": "IDF", "StrkPric": "", "OptnTp": ""}
    scaled = [{**row, "StrkPric": f"{row['StrkPric'][:-3]}00.00"} for row in GOOD]
    outcome = imported(history, tmp_path / "a.csv", legacy(future, *scaled))
    assert (outcome.status, "strike 2500000.00, level 25935.15" in outcome.message) == (
        "refused",
        True,
    )
    assert imported(history, tmp_path / "b.csv", legacy(future, *GOOD)).status == "done"
