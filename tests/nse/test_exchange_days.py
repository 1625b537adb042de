"""Days, hours and expiry days of 2021 to 2026 against the exchange's own files and circulars."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from strikeloom.errors import UnknownSession
from strikeloom.nse.cash_hours import continuous_until, spot_is_old
from strikeloom.nse.expiries import monthly_expiry, weekly_expiry
from strikeloom.nse.session_table import session_table
from strikeloom.nse.sessions import is_trading_day, session, trading_days

FIRST, LAST = date(2021, 1, 1), date(2026, 12, 31)
INDICES = ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50")

#: Sessions of other days or hours than the regular ones, by notices of the exchange.
SPECIAL = {
    "2021-02-24": ("09:15", "17:00"),  # halted 11:40, resumed 15:45
    "2021-11-04": ("18:15", "19:15"),  # Muhurat
    "2022-10-24": ("18:15", "19:15"),
    "2023-11-12": ("18:15", "19:15"),
    "2024-01-20": ("09:15", "15:30"),  # Saturday in place of Monday 22 January
    "2024-03-02": ("09:15", "12:30"),  # disaster-recovery site
    "2024-05-18": ("09:15", "12:40"),
    "2024-11-01": ("18:00", "19:00"),
    "2025-02-01": ("09:15", "15:30"),  # Union Budget on a Saturday
    "2025-10-21": ("13:45", "14:45"),
    "2026-02-01": ("09:15", "15:30"),  # Union Budget on a Sunday
    "2026-11-08": ("", ""),  # hours were not announced when the table was made
}


def _read(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from csv.DictReader(stream)


def _day(text: str) -> date:
    form = "%Y-%m-%d" if text[:4].isdigit() else "%d-%b-%Y"
    return datetime.strptime(f"{text.strip()} +0530", f"{form} %z").date()


def test_special_sessions_have_the_hours_of_their_notices() -> None:
    known = {
        day.isoformat(): (row["open"], row["close"])
        for day, row in session_table().items()
        if FIRST <= day <= LAST and row["session"] == "open"
    }
    assert known == SPECIAL
    assert all(is_trading_day(date.fromisoformat(text)) for text in SPECIAL)


def test_every_special_session_names_its_source() -> None:
    rows = [row for day, row in session_table().items() if FIRST <= day <= LAST]
    assert all(len(row["source"]) > 20 for row in rows)


def test_every_other_day_has_regular_hours() -> None:
    for day in trading_days(FIRST, LAST):
        if day.isoformat() in SPECIAL:
            continue
        close = "15:40" if day >= date(2026, 8, 3) else "15:30"
        hours = session(day)
        assert (f"{hours.open:%H:%M}", f"{hours.close:%H:%M}") == ("09:15", close)


def test_stocks_trade_as_long_as_their_options_in_a_special_session() -> None:
    for text, (_, close) in SPECIAL.items():
        day = date.fromisoformat(text)
        if close:
            assert f"{continuous_until(day):%H:%M}" == close
            assert not spot_is_old(day)
    assert not spot_is_old(date(2026, 7, 31))
    assert spot_is_old(date(2026, 8, 3))
    with pytest.raises(UnknownSession):
        spot_is_old(date(2026, 11, 8))


#: File of daily rows, column of the day, and the sessions of its span that it lacks: the index was
#: not computed in the disaster-recovery session; other publishers leave weekend sessions out.
FILES = {
    "indices/india_vix_2012_2026.csv.gz": ("Date ", {"2024-03-02"}),
    "indices/nifty50_2024-08_2026-08.csv.gz": ("date", {"2026-02-01"}),
    "indices/nifty50_2015_2025.csv.gz": (
        "date",
        {"2023-11-12", "2024-01-20", "2024-03-02", "2024-05-18"},
    ),
    "reference/span_volatility_daily_2012-07_2026-07.csv.gz": (
        "date",
        {"2021-03-31", "2023-11-12", "2024-01-20", "2024-03-02", "2024-05-18"}
        | {"2025-02-01", "2026-02-01"},
    ),
    "cm_bhavcopy/fno_underlyings_2024-12-02_to_2026-03-19.csv.gz": ("DATE1", set()),
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", list(FILES))
def test_every_day_of_a_daily_file_is_a_trading_day_and_no_other(
    shared_data: Path, name: str
) -> None:
    column, absent = FILES[name]
    published = {_day(row[column]) for row in _read(shared_data / name)}
    published = {day for day in published if day >= FIRST}
    ours = set(trading_days(min(published), max(published)))
    assert published <= ours
    assert {str(day) for day in ours - published} == absent


@pytest.mark.realdata
def test_holidays_of_2026_are_those_of_the_exchanges_list(shared_data: Path) -> None:
    text = (shared_data / "reference" / "nse_holidays_2026.json").read_text(encoding="utf-8")
    dates = map(date.fromisoformat, json.loads(text)["dates"])
    listed = {day for day in dates if day.weekday() < 5}
    closed = {
        day
        for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
        if day.weekday() < 5 and not is_trading_day(day)
    }
    assert closed == listed


@pytest.fixture(scope="module")
def front_months(shared_data: Path) -> dict[str, dict[date, tuple[date, date]]]:
    """By index, its front expiries in SPAN's files: first and last day on which each was front."""
    found: dict[str, dict[date, tuple[date, date]]] = {}
    for row in _read(shared_data / "reference" / "span_index_daily_2012-07_2026-07.csv.gz"):
        if row["date"] >= "2021":
            expiry, day = date.fromisoformat(row["expiry"]), date.fromisoformat(row["date"])
            known = found.setdefault(row["symbol"], {})
            known[expiry] = (known.get(expiry, (day, day))[0], day)
    return found


#: Expiries under which contracts were listed until the exchange moved them.
REDATED = {
    ("NIFTY", "2023-06-29"),  # the holiday moved from 06-28 to 06-29
    ("BANKNIFTY", "2023-06-29"),
    ("MIDCPNIFTY", "2023-08-30"),  # Monday from August 2023 on
    ("BANKNIFTY", "2025-01-29"),  # one weekday for all from January 2025 on
    ("FINNIFTY", "2025-01-28"),
    ("MIDCPNIFTY", "2025-01-27"),
    ("NIFTYNXT50", "2025-01-31"),
}


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", INDICES)
def test_front_expiries_of_nse_clearing_are_those_of_the_rule(
    front_months: dict[str, dict[date, tuple[date, date]]], symbol: str
) -> None:
    fronts = front_months[symbol]
    last_row = max(last for _, last in fronts.values())
    ended = {expiry for expiry, (_, last) in fronts.items() if last == expiry}
    moved = {e for e, (_, last) in fronts.items() if last != e and e <= last_row}
    assert {(symbol, str(expiry)) for expiry in moved} == {p for p in REDATED if p[0] == symbol}
    assert all(
        expiry in (monthly_expiry(expiry.year, expiry.month, symbol), weekly_expiry(expiry, symbol))
        for expiry in ended
    )
    # no monthly expiry is missing
    begun = min(fronts)
    months = {(day.year, day.month) for day in trading_days(begun, date(2026, 7, 31))}
    by_rule = {monthly_expiry(year, month, symbol) for year, month in months}
    assert {expiry for expiry in by_rule if expiry >= begun} <= ended


@pytest.fixture(scope="module")
def listed(shared_data: Path) -> dict[str, dict[str, set[date]]]:
    """Expiries of each underlying's options by day, in all contract files."""
    folder = shared_data / "fo_bhavcopy"
    found: dict[str, dict[str, set[date]]] = {}
    for path in sorted((folder / "index_options").glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is not None:
                    _add(found, stream.read())
    for path in sorted((folder / "udiff").glob("*.zip")):
        with zipfile.ZipFile(path) as packed:
            _add(found, packed.read(packed.namelist()[0]))
    return found


def _add(found: dict[str, dict[str, set[date]]], content: bytes) -> None:
    import pyarrow.csv as pc

    columns = ["TradDt", "FinInstrmTp", "TckrSymb", "XpryDt"]
    options = pc.ConvertOptions(include_columns=columns)
    table = pc.read_csv(io.BytesIO(content), convert_options=options)
    for row in table.group_by(columns).aggregate([]).to_pylist():
        if row["FinInstrmTp"] in ("IDO", "STO"):
            day = found.setdefault(str(row["TradDt"]), {})
            day.setdefault(row["TckrSymb"], set()).add(row["XpryDt"])


def _by_rule(first: date, last: date, symbol: str) -> set[date]:
    """Weekly and monthly expiries of a span."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found = {
        monthly_expiry(year, month, symbol) for year, month in {(d.year, d.month) for d in days}
    }
    found |= {expiry for day in days if (expiry := weekly_expiry(day, symbol))}
    return {expiry for expiry in found if first <= expiry <= last}


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["NIFTY", "BANKNIFTY"])
def test_every_expiry_of_two_years_is_that_of_the_rule(
    listed: dict[str, dict[str, set[date]]], symbol: str
) -> None:
    ended = {
        date.fromisoformat(text)
        for text, symbols in listed.items()
        if date.fromisoformat(text) in symbols[symbol]
    }
    days = sorted(date.fromisoformat(text) for text in listed)
    assert ended == _by_rule(days[0], days[-1], symbol)


@pytest.mark.realdata
def test_every_listed_expiry_is_that_of_the_rule(
    listed: dict[str, dict[str, set[date]]],
) -> None:
    """Of every underlying on a few days: indices and stocks, weekly, monthly and years ahead."""
    counted, differing = 0, set()
    for text in ("2025-01-08", "2026-01-01", "2026-02-10", "2026-03-19"):
        for symbol, expiries in listed[text].items():
            for expiry in expiries:
                counted += 1
                if not _is_by_rule(expiry, symbol):
                    differing.add((text, symbol, expiry))
    assert counted > 2500
    # Christmas of 2029, a Tuesday: the calendar does not reach so far, the exchange moved it
    christmas = {item for item in differing if item[1:] == ("NIFTY", date(2029, 12, 24))}
    assert {text for text, _, _ in christmas} == {"2026-01-01", "2026-02-10", "2026-03-19"}
    # listed on Thursdays until the exchange moved them to Tuesdays, before they ended
    moved = differing - christmas
    assert {(text, symbol) for text, symbol, _ in moved} == {
        ("2025-01-08", "NIFTY"),
        ("2025-01-08", "BANKNIFTY"),
    }
    assert all(expiry >= date(2025, 9, 1) for _, _, expiry in moved)
    assert len(moved) == 12


@pytest.mark.realdata
def test_expiries_of_a_contract_master_are_those_of_the_rule(shared_data: Path) -> None:
    """All underlyings of 2024-07-05, the weeklies of four indices among them."""
    listed: dict[str, set[date]] = {}
    begin = datetime.fromisoformat("1980-01-01T00:00:00+05:30")
    for row in _read(shared_data / "reference" / "NSE_FO_contract_05072024.csv.gz"):
        if row["OptnTp"] in ("CE", "PE"):
            day = (begin + timedelta(seconds=int(row["XpryDt"]))).date()
            listed.setdefault(row["TckrSymb"], set()).add(day)
    assert {"FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "RELIANCE"} <= set(listed)
    for symbol, expiries in listed.items():
        # later ones were moved twice before they ended
        assert {e for e in expiries if e.year == 2024 and not _is_by_rule(e, symbol)} == set()


def _is_by_rule(expiry: date, symbol: str) -> bool:
    monthly = monthly_expiry(expiry.year, expiry.month, symbol)
    return expiry in (monthly, weekly_expiry(expiry, symbol))


@pytest.mark.parametrize(
    ("thought", "expiry"),
    [
        (date(2021, 11, 4), date(2021, 11, 3)),  # Muhurat on a Thursday and on a Tuesday
        (date(2025, 10, 21), date(2025, 10, 20)),
    ],
)
def test_nothing_expires_in_a_muhurat_session(thought: date, expiry: date) -> None:
    assert is_trading_day(thought)
    assert weekly_expiry(thought) == expiry
