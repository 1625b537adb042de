"""The trading calendar against the exchange's own files and circulars."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.errors import DataError, SettingsError, UnknownSession
from strikeloom.nse import sessions
from strikeloom.nse.session_table import own_days, own_sessions, session_table
from strikeloom.nse.sessions import (
    FIRST_DAY,
    IST,
    is_trading_day,
    next_trading_day,
    previous_trading_day,
    session,
    trading_days,
    years_array,
    years_to_expiry,
)
from strikeloom.nse.tables import rows


@pytest.mark.realdata
def test_every_day_with_a_cash_file_is_a_trading_day_and_no_other(shared_data: Path) -> None:
    path = shared_data / "reference" / "trading_days_2024_2026_derived.csv"
    with path.open(encoding="utf-8") as stream:
        expected = [date.fromisoformat(row["date"]) for row in csv.DictReader(stream)]
    assert trading_days(expected[0], expected[-1]) == expected


@pytest.mark.realdata
def test_every_day_with_a_volatility_index_is_a_trading_day_and_no_other(shared_data: Path) -> None:
    path = shared_data / "indices" / "india_vix_2012_2026.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        lines = [row for row in csv.reader(stream) if row][1:]
    stamps = [datetime.strptime(f"{row[0].strip()} +0530", "%d-%b-%Y %z") for row in lines]
    published = sorted(stamp.date() for stamp in stamps)
    ours = trading_days(published[0], published[-1])
    # the index was not computed in the disaster-recovery session
    assert sorted({*published, date(2024, 3, 2)}) == ours


def test_overrides_are_all_that_differs_from_the_library() -> None:
    import exchange_calendars

    library = exchange_calendars.get_calendar("XBOM", start=FIRST_DAY.isoformat(), end="2026-12-31")
    theirs = {stamp.date() for stamp in library.sessions}
    ours = set(trading_days(FIRST_DAY, date(2026, 12, 31)))
    overridden = {date.fromisoformat(row["effective_from"]) for row in rows("session_overrides")}
    assert theirs ^ ours <= overridden


# NSE/FAOP/71777 of 2025-12-12 and later additions
HOLIDAYS_2026 = [
    "2026-01-15",
    "2026-01-26",
    "2026-03-03",
    "2026-03-26",
    "2026-03-31",
    "2026-04-03",
    "2026-04-14",
    "2026-05-01",
    "2026-05-28",
    "2026-06-26",
    "2026-09-14",
    "2026-10-02",
    "2026-10-20",
    "2026-11-10",
    "2026-11-24",
    "2026-12-25",
]


@pytest.mark.parametrize("text", HOLIDAYS_2026)
def test_holidays_of_2026(text: str) -> None:
    assert not is_trading_day(date.fromisoformat(text))


def test_the_budget_sunday_was_a_session() -> None:
    assert is_trading_day(date(2026, 2, 1))
    assert previous_trading_day(date(2026, 2, 2)) == date(2026, 2, 1)
    assert next_trading_day(date(2026, 1, 30)) == date(2026, 2, 1)


def test_the_session_has_been_longer_since_august_2026() -> None:
    assert session(date(2026, 7, 31)).minutes == 375
    assert session(date(2026, 8, 3)).minutes == 385
    assert session(date(2026, 8, 3)).close == datetime(2026, 8, 3, 15, 40, tzinfo=IST)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2024, 11, 1), "18:00", "19:00"),
        (date(2025, 10, 21), "13:45", "14:45"),
        (date(2024, 3, 2), "09:15", "12:30"),
        (date(2025, 2, 1), "09:15", "15:30"),
    ],
)
def test_special_sessions_have_their_own_hours(day: date, opens: str, closes: str) -> None:
    hours = session(day)
    assert (f"{hours.open:%H:%M}", f"{hours.close:%H:%M}") == (opens, closes)


def test_a_session_without_known_hours_is_an_error_only_where_they_matter() -> None:
    muhurat = date(2026, 11, 8)
    assert is_trading_day(muhurat)
    with pytest.raises(UnknownSession, match="session on 2026-11-08 are not on") as caught:
        session(muhurat)
    assert str(caught.value).endswith(
        f"add the line 2026-11-08,open,HH:MM,HH:MM,CIRCULAR to {own_sessions()}"
    )
    friday = datetime(2026, 11, 6, 15, 40, tzinfo=IST)
    # ahead: the Muhurat hour on Sunday and the expiry's 385 minutes on Monday
    expected = (60 / 385 + 1) / 250
    assert years_to_expiry(friday, date(2026, 11, 9), basis="trading") == pytest.approx(expected)


def test_a_day_before_the_calendar_names_the_first_supported_day() -> None:
    with pytest.raises(DataError, match="2011-12-31 is before 2012-01-01, the first supported day"):
        is_trading_day(date(2011, 12, 31))
    with pytest.raises(DataError, match="the first supported day"):
        trading_days(date(2011, 12, 31), date(2026, 1, 1))


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2031, 1, 1)])
def test_a_day_beyond_the_calendar_is_an_error(day: date) -> None:
    with pytest.raises(
        DataError, match=r"known from 2012-01-01 to 2026-12-31, not for .*sessions\.csv"
    ):
        is_trading_day(day)
    with pytest.raises(DataError, match="trading calendar is known from"):
        trading_days(min(day, date(2026, 1, 1)), max(day, date(2026, 1, 1)))
    with pytest.raises(DataError, match="trading calendar is known from"):
        next_trading_day(date(2026, 12, 31))


@pytest.fixture
def own_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Write the user's own lines, as a process that starts now reads them."""
    monkeypatch.setenv("STRIKELOOM_CONFIG", str(tmp_path))
    path = tmp_path / "sessions.csv"
    caches = (session_table, sessions.calendar, sessions._share)

    def write(lines: str) -> Path:
        path.write_text(f"# a note\neffective_from,session,open,close,source\n{lines}", "utf-8")
        for cached in caches:
            cached.cache_clear()
        return path

    yield write
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def later_rows(own_lines: Callable[[str], Path]) -> None:
    """The user's file when next year's list is out."""
    own_lines(
        "2027-01-26,closed,,,a circular\n"
        "2027-01-30,open,09:15,15:30,a circular\n\n"
        "2027-03-31,complete,,,a circular\n"
    )


def test_own_hours_go_before_the_packages(own_lines: Callable[[str], Path]) -> None:
    own_lines("2026-11-08,open,18:00,19:00,NSE circular\n2025-10-21,closed,,,a correction\n")
    hours = session(date(2026, 11, 8))
    assert (hours.open.hour, hours.close.hour) == (18, 19)
    assert not is_trading_day(date(2025, 10, 21))
    friday = datetime(2026, 11, 6, 15, 40, tzinfo=IST)
    expected = (60 / 385 + 1) / 250
    assert years_to_expiry(friday, date(2026, 11, 9), basis="trading") == pytest.approx(expected)


def test_own_days_are_those_that_differ_from_the_packages(
    own_lines: Callable[[str], Path],
) -> None:
    own_lines(
        "2025-10-21,open,13:45,14:45,the same as the package has\n"
        "2026-02-01,closed,,,a correction of a Sunday\n"
        "2026-11-08,open,18:00,19:00,a circular\n"
        "2027-01-26,closed,,,a circular\n"
    )
    sunday, muhurat, holiday = date(2026, 2, 1), date(2026, 11, 8), date(2027, 1, 26)
    hours = {sunday: ("closed", "", ""), muhurat: ("open", "18:00", "19:00")}
    assert own_days(hours_only=True) == hours
    assert own_days() == hours | {holiday: ("closed", "", "")}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2027-01-26,close,,,x", "session is 'close'; allowed: open, closed, complete"),
        ("26-01-2027,closed,,,x", "'26-01-2027' is not a day; write YYYY-MM-DD"),
        ("2026-11-08,open,18:00,,x", r"hours \('18:00', ''\); write HH:MM"),
        ("2026-11-08,open,19:00,18:00,x", "ends at 18:00:00, not after 19:00:00"),
        ("2026-11-08,open,18:00,19:00,", "no source; name the circular"),
        ("2026-11-08,open,18:00", "3 columns; expected effective_from,session"),
        ("2027-01-26,closed,09:15,15:30,x", "a day that is closed has no hours"),
        ("2027-01-26,closed,,,x\n2027-01-26,closed,,,x", "line 4: 2027-01-26 has a line already"),
    ],
)
def test_a_wrong_own_line_is_named(
    own_lines: Callable[[str], Path], line: str, message: str
) -> None:
    path = own_lines(line + "\n")
    with pytest.raises(SettingsError, match=message) as caught:
        is_trading_day(date(2026, 1, 1))
    assert f"{path}, line " in str(caught.value)


def test_the_shipped_file_has_no_lines_yet() -> None:
    assert own_sessions().exists()
    package = {date.fromisoformat(row["effective_from"]) for row in rows("session_overrides")}
    assert set(session_table()) == package


@pytest.mark.usefixtures("later_rows")
def test_the_calendar_is_extended_by_rows() -> None:
    assert not is_trading_day(date(2027, 1, 26))
    assert is_trading_day(date(2027, 1, 30))
    assert trading_days(date(2027, 1, 25), date(2027, 2, 1)) == [
        date(2027, 1, 25),
        date(2027, 1, 27),
        date(2027, 1, 28),
        date(2027, 1, 29),
        date(2027, 1, 30),
        date(2027, 2, 1),
    ]
    assert is_trading_day(date(2027, 3, 31))
    with pytest.raises(DataError, match="to 2027-03-31, not for 2027-04-01"):
        is_trading_day(date(2027, 4, 1))


def test_years_count_calendar_minutes_to_the_close() -> None:
    now = datetime(2026, 2, 10, 15, 30, tzinfo=IST)
    assert years_to_expiry(now, date(2026, 2, 24)) == pytest.approx(14 / 365, abs=1e-15)
    assert years_to_expiry(now, date(2026, 2, 10)) == 0.0
    assert years_to_expiry(now, date(2026, 2, 3)) == 0.0


def test_trading_time_skips_weekends_and_counts_part_days() -> None:
    friday = datetime(2026, 2, 13, 15, 30, tzinfo=IST)
    assert years_to_expiry(friday, date(2026, 2, 16), basis="trading") == pytest.approx(1 / 250)
    noon = datetime(2026, 2, 16, 12, 22, 30, tzinfo=IST)  # half of 375 minutes are left
    assert years_to_expiry(noon, date(2026, 2, 16), basis="trading") == pytest.approx(0.5 / 250)


@pytest.mark.parametrize(
    ("now", "expiry", "sessions"),
    [
        # Muhurat of 60 minutes on a Friday, whole and half gone, and the expiry's 375 on Monday
        (datetime(2024, 10, 31, 15, 30, tzinfo=IST), date(2024, 11, 4), 60 / 375 + 1),
        (datetime(2024, 11, 1, 18, 30, tzinfo=IST), date(2024, 11, 4), 30 / 375 + 1),
        # a Saturday cut to 09:15 to 12:30
        (datetime(2024, 3, 1, 15, 30, tzinfo=IST), date(2024, 3, 4), 195 / 375 + 1),
        # the session grew by ten minutes on Monday 3 August 2026
        (datetime(2026, 7, 31, 15, 30, tzinfo=IST), date(2026, 8, 4), 2),
        (datetime(2026, 8, 3, 15, 20, tzinfo=IST), date(2026, 8, 4), 20 / 385 + 1),
        (datetime(2026, 2, 14, 11, 0, tzinfo=IST), date(2026, 2, 16), 1),
    ],
)
def test_trading_time_counts_each_date_by_its_own_minutes(
    now: datetime, expiry: date, sessions: float
) -> None:
    found = years_to_expiry(now, expiry, basis="trading")
    assert found == pytest.approx(sessions / 250, rel=1e-14)


def test_beyond_the_known_holidays_a_calendar_year_counts_a_year() -> None:
    eve = datetime(2026, 12, 31, 15, 40, tzinfo=IST)
    assert years_to_expiry(eve, date(2027, 6, 29), basis="trading") == pytest.approx(180 / 365)
    with pytest.raises(DataError, match="trading calendar is known"):
        years_to_expiry(eve + timedelta(days=1), date(2027, 6, 29), basis="trading")


@given(minutes=st.integers(0, 60 * 24 * 40))
def test_time_only_runs_down(minutes: int) -> None:
    start = datetime(2026, 2, 1, 9, 15, tzinfo=IST)
    expiry = date(2026, 3, 2)
    earlier = years_to_expiry(start + timedelta(minutes=minutes), expiry)
    later = years_to_expiry(start + timedelta(minutes=minutes + 1), expiry)
    assert 0 <= later <= earlier


@given(
    start=st.integers(0, 60 * 24 * 180),
    minutes=st.integers(0, 60 * 24 * 5),
)
def test_trading_time_only_runs_down_and_by_a_session_a_day_at_most(
    start: int, minutes: int
) -> None:
    now = datetime(2026, 1, 1, tzinfo=IST) + timedelta(minutes=start)
    expiry = date(2026, 7, 28)
    later = now + timedelta(minutes=minutes)
    before, after = (years_to_expiry(at, expiry, basis="trading") for at in (now, later))
    days = len(trading_days(now.date(), later.date()))
    assert 0 <= after <= before <= after + days / 250 + 1e-12


def test_an_array_is_its_elements() -> None:
    now = datetime(2026, 2, 10, 11, 0, tzinfo=IST)
    days = [date(2026, 2, 24), date(2026, 2, 17), date(2026, 2, 24)]
    found = years_array(now, np.array(days, dtype="datetime64[s]"))
    assert found.tolist() == [years_to_expiry(now, day) for day in days]
