"""Answers that are kept although a day of theirs is beyond the calendar or without hours."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest

from strikeloom.adapters.parquet.coverage import coverage
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.replay.timeline import Timeline
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.exchange.orders.hours import release_moment
from strikeloom.exchange.orders.request import AmoTime
from strikeloom.iv_history.vix_method import _rolled
from strikeloom.nse.edges import (
    beginning,
    ending,
    expected_after,
    expected_before,
    expected_days,
    hours_text,
    is_open,
    known_days,
)
from strikeloom.nse.expiries import monthly_expiries
from strikeloom.nse.sessions import IST, years_to_expiry
from strikeloom.nse.ticks import review_day
from strikeloom.risk.share_parameters import delivery_percent

MUHURAT, EVE = date(2026, 11, 8), date(2026, 12, 31)


def test_a_range_keeps_its_known_days() -> None:
    assert known_days(date(2026, 12, 30), date(2027, 1, 5)) == [date(2026, 12, 30), EVE]
    assert known_days(date(2005, 1, 1), date(2012, 1, 3)) == [date(2012, 1, 2), date(2012, 1, 3)]
    assert known_days(date(2027, 1, 1), date(2027, 1, 5)) == []


def test_weekdays_beyond_the_calendar_are_expected_sessions() -> None:
    first_of_year = [date(2027, 1, day) for day in (1, 4, 5)]
    assert expected_days(EVE, date(2027, 1, 5)) == [EVE, *first_of_year]
    assert expected_after(EVE) == date(2027, 1, 1)
    assert expected_before(date(2027, 1, 4)) == date(2027, 1, 1)
    assert expected_before(date(2027, 1, 1)) == EVE
    assert expected_after(date(2026, 11, 6)) == MUHURAT


def test_a_session_without_hours_is_over_with_its_day_and_takes_no_orders() -> None:
    assert beginning(MUHURAT) == datetime(2026, 11, 8, tzinfo=IST)
    assert ending(MUHURAT) == datetime(2026, 11, 8, 23, 59, 59, tzinfo=IST)
    assert ending(date(2026, 11, 9)) == datetime(2026, 11, 9, 15, 40, tzinfo=IST)
    for hour in (10, 15, 18):
        assert not is_open(datetime(2026, 11, 8, hour, 15, tzinfo=IST))
    assert not is_open(datetime(2027, 1, 4, 10, 15, tzinfo=IST))
    assert is_open(datetime(2026, 11, 9, 15, 40, tzinfo=IST))


def test_hours_as_text() -> None:
    assert hours_text(date(2026, 11, 9)) == ("09:15 to 15:40", "")
    assert hours_text(date(2026, 11, 10)) == ("closed", "")
    assert hours_text(MUHURAT)[0] == hours_text(date(2027, 1, 4))[0] == "hours unknown"


def test_an_order_after_the_market_goes_with_the_next_session_of_known_hours() -> None:
    friday = datetime(2026, 11, 6, 16, 0, tzinfo=IST)
    assert release_moment(friday, AmoTime.OPEN) == datetime(2026, 11, 9, 9, 15, tzinfo=IST)
    last = datetime(2026, 12, 31, 16, 0, tzinfo=IST)
    assert release_moment(last, AmoTime.OPEN) == datetime(2027, 1, 1, 9, 15, tzinfo=IST)


def test_delivery_margins_over_the_end_of_the_year() -> None:
    """A stock option of Tuesday 2027-01-05: 31 December is four sessions before it, less one."""
    left = [delivery_percent(InstrumentKind.STOCK, date(2027, 1, 5), day) for day in (
        date(2026, 12, 29), date(2026, 12, 30), EVE,
    )]  # fmt: skip
    ordinary = [delivery_percent(InstrumentKind.STOCK, date(2026, 9, 22), day) for day in (
        date(2026, 9, 15), date(2026, 9, 16), date(2026, 9, 17),
    )]  # fmt: skip
    assert left == ordinary
    assert left[-1] > 0


def test_the_volatility_method_rolls_over_the_end_of_the_year() -> None:
    assert not _rolled(date(2026, 12, 30), date(2027, 1, 5))
    assert _rolled(EVE, date(2027, 1, 4))


def test_expiries_and_ticks_beyond_the_calendar() -> None:
    assert monthly_expiries(date(2026, 12, 15), 3) == [
        date(2026, 12, 29), date(2027, 1, 26), date(2027, 2, 23),
    ]  # fmt: skip
    assert review_day(date(2027, 2, 3)) == date(2027, 1, 29)


def test_time_to_an_expiry_without_hours_ends_with_a_regular_session() -> None:
    friday = datetime(2026, 11, 6, 15, 40, tzinfo=IST)
    assert years_to_expiry(friday, MUHURAT) == pytest.approx(2 / 365)


def test_stored_days_beyond_the_calendar_are_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    history = ParquetHistory(tmp_path, "nse")  # type: ignore[arg-type]
    stored = [date(2026, 12, 30), date(2027, 1, 4)]
    monkeypatch.setattr(history, "stored_days", lambda name: stored if name == "contracts" else [])
    frame = coverage(history).set_index("month")
    assert frame["trading_days"].to_dict() == {"2026-12": 2, "2027-01": 1}
    assert frame["missing"].to_dict() == {"2026-12": [EVE], "2027-01": []}


def test_a_replay_passes_over_a_day_without_hours() -> None:
    class Days:
        def quote_times(self, _day: date) -> list[datetime]:
            return []

        def days(self) -> list[date]:
            return [date(2026, 11, 6), MUHURAT, date(2026, 11, 9)]

    timeline = Timeline(Days())  # type: ignore[arg-type]
    start, end = (datetime(2026, 11, day, 23, 0, tzinfo=IST) for day in (5, 9))
    assert [f"{at:%d %H:%M}" for at in timeline.between(start, end)] == [
        "06 09:15", "06 15:40", "09 09:15", "09 15:40",
    ]  # fmt: skip


def test_prices_of_days_beyond_the_calendar_have_no_gap() -> None:
    import numpy as np

    from strikeloom.iv_history.realised import _gaps

    days = pd.to_datetime([["2026-12-30", "2026-12-31", "2027-01-04"]][0]).to_numpy()
    days = days.astype("datetime64[D]").reshape(1, -1)
    bars = np.ones((4, 1, 3))
    assert not _gaps(bars, days, date(2027, 1, 4)).any()
    assert np.isfinite(bars).all()
