"""Known events: what the file holds, when each counts, and how wrong lines are named."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.errors import SettingsError
from strikeloom.nse.events import (
    KnownEvent,
    events_ahead,
    events_until,
    own_events,
    read_events,
)

HEADER = "date,time,symbols,sector,kind,title,known_from,known_until,source"
NIFTY = Underlying("NIFTY", InstrumentKind.INDEX, "Index")
HDFCBANK = Underlying("HDFCBANK", InstrumentKind.STOCK, "Financial Services")
INFY = Underlying("INFY", InstrumentKind.STOCK, "Information Technology")


def _written(folder: Path, *lines: str) -> tuple[KnownEvent, ...]:
    path = folder / "events.csv"
    path.write_text("\n".join(("# a note", HEADER, "", *lines)) + "\n", encoding="utf-8")
    return read_events(path)


def _titles(
    events: tuple[KnownEvent, ...], of: Underlying, day: str, horizon: str, **given: bool
) -> list[str]:
    ahead = events_ahead(events, of, date.fromisoformat(day), **given)
    return [event.title for event in events_until(ahead, date.fromisoformat(horizon))]


def _days(kind: str, year: str) -> list[str]:
    return [
        f"{event.day:%m-%d}"
        for event in read_events()
        if event.kind == kind and f"{event.day:%Y}" == year and event.known_until is None
    ]


def test_the_shipped_days_are_those_that_were_published() -> None:
    """The Reserve Bank's schedules of 2024-03-27 and 2025-03-26, one day moved on 2025-06-06."""
    assert _days("policy", "2024") == ["04-05", "06-07", "08-08", "10-09", "12-06"]
    assert _days("policy", "2025") == ["02-07", "04-09", "06-06", "08-06", "10-01", "12-05"]
    assert _days("policy", "2026") == ["02-06"]
    assert (_days("budget", "2025"), _days("budget", "2026")) == (["02-01"], ["02-01"])
    assert {event.kind for event in read_events()} == {"policy", "budget"}
    assert all(event.source for event in read_events())


def test_an_event_is_known_from_the_day_its_date_was_published() -> None:
    events = read_events()
    before = _titles(events, NIFTY, "2026-01-15", "2026-02-10")
    after = _titles(events, NIFTY, "2026-01-16", "2026-02-10")
    assert (before, after) == (["RBI policy"], ["Union budget", "RBI policy"])


def test_a_moved_event_is_expected_on_its_old_day_until_that_is_known() -> None:
    events = read_events()
    for day, expected in (("2025-06-05", "2025-08-07"), ("2025-06-06", "2025-08-06")):
        ahead = events_ahead(events, NIFTY, date.fromisoformat(day))
        august = [event.day.isoformat() for event in ahead if f"{event.day:%m}" == "08"]
        assert august == [expected]


@pytest.mark.parametrize(
    ("day", "horizon", "sentence"),
    [  # sessions of February 2026: 4, 5, 6 and 9, 10, ... (7 and 8 are a weekend)
        ("2026-02-04", "2026-02-10", "RBI policy on 2026-02-06 at 10:00, two sessions before "
         "expiry"),
        ("2026-02-04", "2026-02-09", "RBI policy on 2026-02-06 at 10:00, one session before "
         "expiry"),
        ("2026-02-04", "2026-02-06", "RBI policy on 2026-02-06 at 10:00, on the day of expiry"),
        ("2026-02-04", "2026-02-24", "RBI policy on 2026-02-06 at 10:00, 12 sessions before "
         "expiry"),
    ],
)  # fmt: skip
def test_a_sentence_counts_the_sessions_left(day: str, horizon: str, sentence: str) -> None:
    ends = date.fromisoformat(horizon)
    (event,) = events_until(events_ahead(read_events(), NIFTY, date.fromisoformat(day)), ends)
    assert event.sentence(ends) == sentence


def test_an_event_without_a_time_is_still_to_come_on_its_day(tmp_path: Path) -> None:
    events = _written(
        tmp_path,
        "2026-02-10,,,,other,no time,2026-01-01,,x",
        "2026-02-10,15:00,,,other,before the close,2026-01-01,,x",
        "2026-02-10,18:30,,,other,after the close,2026-01-01,,x",
    )
    assert _titles(events, NIFTY, "2026-02-10", "2026-02-17") == ["no time", "after the close"]
    assert _titles(events, NIFTY, "2026-02-09", "2026-02-10") == ["no time", "before the close"]
    assert _titles(events, NIFTY, "2026-02-11", "2026-02-17") == []


def test_an_event_is_about_its_symbols_its_sector_or_all(tmp_path: Path) -> None:
    events = _written(
        tmp_path,
        "2026-02-12,,INFY HDFCBANK,,results,both,2026-01-01,,x",
        '2026-02-13,,,Financial Services,other,"lenders, all",2026-01-01,,x',
        "2026-02-14,,,,election,everyone,2026-01-01,,x",
    )
    span = ("2026-02-10", "2026-02-24")
    assert _titles(events, INFY, *span) == ["both", "everyone"]
    assert _titles(events, HDFCBANK, *span) == ["both", "lenders, all", "everyone"]
    assert _titles(events, NIFTY, *span) == ["everyone"]
    assert _titles(events, INFY, *span, is_exchange=False) == ["both"]
    assert events[1].at is None
    assert events[0].symbols == ("INFY", "HDFCBANK")


def test_events_are_in_the_order_of_their_days(tmp_path: Path) -> None:
    events = _written(
        tmp_path,
        "2026-02-13,12:00,,,other,third,2026-01-01,,x",
        "2026-02-13,10:00,,,other,second,2026-01-01,,x",
        "2026-02-12,,,,other,first,2026-01-01,,x",
    )
    assert _titles(events, NIFTY, "2026-02-10", "2026-02-24") == ["first", "second", "third"]
    assert events[1].at == time(10)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("12-02-2026,,,,other,t,2026-01-01,,x", "'12-02-2026' is not a day; write YYYY-MM-DD"),
        ("2026-02-12,,,,other,t,soon,,x", "'soon' is not a day"),
        ("2026-02-12,,,,other,t,,,x", "'' is not a day"),
        ("2026-02-12,,,,other,t,2026-02-13,,x", "known_from 2026-02-13 is after its date"),
        ("2026-02-12,,,,other,t,2026-01-01,2026-02-12,x", "known_until 2026-02-12 is not between"),
        ("2026-02-12,,,,other,t,2026-01-05,2026-01-01,x", "known_until 2026-01-01 is not between"),
        ("2026-02-12,10.30,,,other,t,2026-01-01,,x", "time '10.30'; write HH:MM"),
        ("2026-02-12,25:00,,,other,t,2026-01-01,,x", "time '25:00'; write HH:MM"),
        ("2026-02-12,,,,result,t,2026-01-01,,x", "kind is 'result'; allowed: results, policy"),
        ("2026-02-12,,,,results,t,2026-01-01,,x", "results of no company; name its symbol"),
        ("2026-02-12,,infy,,results,t,2026-01-01,,x", "'infy' is no symbol; write capitals"),
        ("2026-02-12,,,Finance Services,other,t,2026-01-01,,x", "did you mean Financial Services"),
        ("2026-02-12,,,Index,other,t,2026-01-01,,x", "sector 'Index' is unknown"),
        ("2026-02-12,,INFY,Power,other,t,2026-01-01,,x", "has symbols and a sector"),
        ("2026-02-12,,,,other,,2026-01-01,,x", "no title; write one"),
        ("2026-02-12,,,,other,t,2026-01-01,,", "no source; write one"),
        ("2026-02-12,,,,other,t,2026-01-01,x", "8 columns; expected date,time,symbols"),
        (
            "2026-02-12,,,,other,t,2026-01-01,,x\n2026-02-12,,,,other,t,2026-01-02,,x",
            r"the same event is on record in .*events\.csv, line 4",
        ),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        _written(tmp_path, line)
    number = 4 + line.count("\n")
    assert f"{tmp_path / 'events.csv'}, line {number}" in str(caught.value)


def test_a_missing_file_or_another_header_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is missing; restore it from the repository"):
        read_events(tmp_path / "events.csv")
    (tmp_path / "events.csv").write_text("day,title\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="line 1: the header is 'day,title'; expected date,"):
        read_events(tmp_path / "events.csv")


def test_the_file_is_in_the_folder_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKELOOM_CONFIG", str(tmp_path))
    _written(tmp_path, "2026-02-12,,,,other,mine,2026-01-01,,x")
    assert own_events() == tmp_path / "events.csv"
    assert [event.title for event in read_events()] == ["mine"]
