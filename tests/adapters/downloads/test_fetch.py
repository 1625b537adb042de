"""Downloading from a server with injected faults; the exchange's real files in one test."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.downloads import FetchReport, fetch
from strikeloom.adapters.downloads.days import last_published
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import DataError
from strikeloom.settings.all import load_settings
from strikeloom.settings.fetch import FetchSettings, Kind
from support import nse_files
from support.fakes import ManualClock, ist
from support.file_server import FileServer, serving

TUESDAY, WEDNESDAY = date(2026, 2, 10), date(2026, 2, 11)
REPUBLIC_DAY = date(2026, 1, 26)
SETTINGS = load_settings().fetch.model_copy(update={"stall_seconds": 0.3})


def path(day: date, kind: Kind = "contracts") -> str:
    return SETTINGS.paths(day)[kind]


def zipped(body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", body)
    return out.getvalue()


def publish(server: FileServer, day: date) -> None:
    """The three files of a day, of a row each."""
    rows = ({"TradDt": str(day), "FinInstrmId": str(40001 + n)} for n in range(1))
    server.files[path(day)] = zipped(nse_files.udiff(*rows))
    server.files[path(day, "cash")] = nse_files.cash(f"SBIN EQ {day:%d-%b-%Y} 99 100 110 90 105 7")
    server.files[path(day, "indices")] = nse_files.closes(
        f"{day:%d-%m-%Y}", {"Nifty 50": ("25900", "25990", "25850", "25935.15")}
    )


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as made:
        publish(made, TUESDAY)
        publish(made, WEDNESDAY)
        yield made


class Client:
    """One home that fetches from one server, at noon of a later day."""

    def __init__(self, folder: Path, server: FileServer) -> None:
        self.server = server
        self.history = ParquetHistory(folder / "nse", "nse")
        self.folder = folder / "downloads"
        self.clock = ManualClock(ist("2026-02-20 12:00"))

    def __call__(
        self, first: date = TUESDAY, last: date = WEDNESDAY, settings: FetchSettings = SETTINGS
    ) -> FetchReport:
        return fetch(
            first,
            last,
            history=self.history,
            folder=self.folder,
            settings=settings,
            clock=self.clock,
            address=self.server.address,
        )

    def left(self) -> list[str]:
        return sorted(found.name for found in self.folder.rglob("*") if found.is_file())


@pytest.fixture
def client(tmp_path: Path, server: FileServer) -> Client:
    return Client(tmp_path, server)


def test_a_range_comes_in_once(client: Client) -> None:
    report = client()
    assert report.complete
    assert (report.count("fetched"), len(report.imported)) == (6, 6)
    assert client.history.days() == [TUESDAY, WEDNESDAY]
    assert client.history.stored_days("cash") == [TUESDAY, WEDNESDAY]
    assert client.history.stored_days("indices") == [TUESDAY, WEDNESDAY]
    asked = len(client.server.asked)
    again = client()
    assert (again.complete, again.count("stored")) == (True, 6)
    assert len(client.server.asked) == asked
    assert all("strikeloom" in agent for agent in client.server.agents)


def test_requests_keep_their_distance(client: Client) -> None:
    begun = client.clock.now()
    client()
    assert (client.clock.now() - begun).total_seconds() == pytest.approx(5 * SETTINGS.pause_seconds)


@pytest.mark.parametrize("fault", [403, 500, 503, "page", "cut", "half", "stall", "empty", "slow"])
@pytest.mark.parametrize("kind", ["contracts", "cash"])
def test_what_passes_is_tried_again(client: Client, fault: str | int, kind: Kind) -> None:
    client.server.faults[path(TUESDAY, kind)] = [fault]
    report = client(TUESDAY, TUESDAY)
    assert report.complete, report.files
    assert client.server.times(path(TUESDAY, kind)) == 2
    assert client.history.days() == [TUESDAY]
    assert client.left() == sorted(path(TUESDAY, k).rsplit("/", 1)[-1] for k in
                                   ("contracts", "cash", "indices"))  # fmt: skip


def test_waits_double_and_respect_retry_after(client: Client) -> None:
    client.server.faults[path(TUESDAY)] = [500, "slow", 500]
    begun = client.clock.now()
    assert client(TUESDAY, TUESDAY).complete
    # back-off 2, then the server's 7 instead of 4, then 8; two paces of a second follow
    assert (client.clock.now() - begun).total_seconds() == pytest.approx(2 + 7 + 8 + 2)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("page", "a web page"),
        ("cut", "closed connection"),
        ("half", "damaged"),
        ("stall", "no byte received for 0.3 s"),
        ("empty", "the response is empty"),
        (500, "status 500"),
    ],
)
def test_what_never_passes_fails_alone_and_leaves_nothing(
    client: Client, fault: str | int, message: str
) -> None:
    client.server.faults[path(TUESDAY)] = [fault] * 99
    report = client()
    failed = [item for item in report.files if item.status == "failed"]
    assert [(item.day, item.kind) for item in failed] == [(TUESDAY, "contracts")]
    assert message in failed[0].message
    assert "run the same command again" in failed[0].message
    assert client.server.times(path(TUESDAY)) == SETTINGS.attempts
    assert client.history.days() == [WEDNESDAY]
    assert len(client.left()) == 5
    client.server.faults.clear()
    again = client()
    assert (again.complete, again.count("fetched"), again.count("stored")) == (True, 1, 5)


def test_a_server_that_refuses_us_is_not_asked_on(client: Client) -> None:
    for day in (TUESDAY, WEDNESDAY):
        client.server.faults[path(day)] = [403] * 99
    report = client()
    assert (report.count("failed"), report.count("not asked")) == (1, 5)
    assert len(client.server.asked) == SETTINGS.attempts
    assert "user_agent" in report.files[0].message


def test_a_server_that_is_down_is_not_asked_on(client: Client) -> None:
    client.server.address = "http://127.0.0.1:9"  # nothing listens there
    report = client()
    assert (report.count("failed"), report.count("not asked")) == (SETTINGS.give_up_after, 3)
    assert "ConnectError" in report.files[0].message


def test_no_file_on_a_holiday_is_no_error(client: Client) -> None:
    report = client(REPUBLIC_DAY, REPUBLIC_DAY)
    assert report.complete
    assert [item.status for item in report.files] == ["closed"]
    assert client.server.asked == [path(REPUBLIC_DAY)]


def test_a_file_on_a_holiday_is_imported_and_reported(client: Client) -> None:
    publish(client.server, REPUBLIC_DAY)
    report = client(REPUBLIC_DAY, REPUBLIC_DAY)
    assert report.surprises == (REPUBLIC_DAY,)
    assert (report.complete, report.count("fetched")) == (True, 3)
    assert client.history.days() == [REPUBLIC_DAY]


def test_no_file_on_a_trading_day_is_one(client: Client) -> None:
    report = client(date(2026, 2, 9), TUESDAY)
    failed = [item for item in report.files if item.status == "failed"]
    assert {item.day for item in failed} == {date(2026, 2, 9)}
    assert "2026-02-09 is a trading day" in failed[0].message
    assert client.server.times(path(date(2026, 2, 9))) == 1


def test_today_may_not_be_published_yet(client: Client) -> None:
    client.clock = ManualClock(ist("2026-02-12 16:00"))
    report = client(date(2026, 2, 12), date(2026, 2, 12))
    assert "not published yet; usually out by 19:00" in report.files[0].message
    assert last_published(client.clock, SETTINGS) == WEDNESDAY
    assert last_published(ManualClock(ist("2026-02-11 19:00")), SETTINGS) == WEDNESDAY
    # the Monday is a holiday, so the last files are of Friday
    assert last_published(ManualClock(ist("2026-01-26 21:00")), SETTINGS) == date(2026, 1, 23)


def test_weekend_sessions_are_asked_for_and_weekends_are_not(client: Client) -> None:
    sunday = date(2026, 2, 1)
    publish(client.server, sunday)
    report = client(date(2026, 1, 31), sunday)
    assert {item.day for item in report.files} == {sunday}
    assert report.complete


def test_a_file_of_another_day_does_not_count(client: Client) -> None:
    client.server.files[path(TUESDAY)] = client.server.files[path(WEDNESDAY)]
    report = client(TUESDAY, TUESDAY)
    (failed,) = (item for item in report.files if item.status == "failed")
    assert "holds 2026-02-11, expected 2026-02-10" in failed.message
    client.server.files[path(TUESDAY)] = client.server.files[path(TUESDAY, "cash")]
    report = client(TUESDAY, TUESDAY)
    (failed,) = (item for item in report.files if item.status == "failed")
    assert "is cash bhavcopy, expected contracts" in failed.message


def test_stopped_half_way_it_goes_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on disk is imported by the next run and not asked for again."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("strikeloom.adapters.downloads.days.import_paths", stop)
        with pytest.raises(KeyboardInterrupt):
            client()
    assert client.history.days() == []
    asked = len(client.server.asked)
    report = client()
    assert (report.complete, report.count("here")) == (True, 6)
    assert len(client.server.asked) == asked
    assert client.history.days() == [TUESDAY, WEDNESDAY]


def test_paths_follow_their_day() -> None:
    assert path(date(2024, 7, 5)) == (
        "/content/historical/DERIVATIVES/2024/JUL/fo05JUL2024bhav.csv.zip"
    )
    assert path(date(2024, 7, 8)) == "/content/fo/BhavCopy_NSE_FO_0_0_0_20240708_F_0000.csv.zip"
    assert set(SETTINGS.paths(date(2014, 1, 1))) == {"contracts", "indices"}


def test_a_day_beyond_the_calendar_is_refused(client: Client) -> None:
    with pytest.raises(DataError, match="2009-01-01 is before 2012-01-01, the first supported day"):
        client(date(2009, 1, 1), date(2009, 1, 2))
    with pytest.raises(DataError, match=r"calendar is known from .* not for 2027-01-04"):
        client(date(2026, 2, 19), date(2027, 1, 4))
    assert client.server.asked == []


def test_past_days_beyond_the_calendar_are_asked_of_the_server(client: Client) -> None:
    client.clock = ManualClock(ist("2027-01-05 20:00"))
    monday = date(2027, 1, 4)
    publish(client.server, monday)
    row = {"TradDt": "2027-01-04", "XpryDt": "2027-01-26", "FininstrmActlXpryDt": "2027-01-26"}
    client.server.files[path(monday)] = zipped(nse_files.udiff(row))
    report = client(date(2027, 1, 1), monday)
    # Friday has no file, as on a holiday; Monday has all of them
    assert {(item.day, item.status) for item in report.files} == {
        (date(2027, 1, 1), "closed"),
        (monday, "fetched"),
    }
    assert report.surprises == (monday,)
    assert not report.count("failed")


@pytest.mark.realdata
def test_real_files_of_six_days(shared_data: Path, tmp_path: Path) -> None:
    """Every row that the files have is stored; the folder's names are the server's."""
    first, last = date(2025, 1, 1), date(2025, 1, 8)
    days = [date(2025, 1, day) for day in (1, 2, 3, 6, 7, 8)]
    with serving() as server:
        for day in days:
            name = path(day).rsplit("/", 1)[-1]
            server.files[path(day)] = (shared_data / "fo_bhavcopy/udiff" / name).read_bytes()
            daily = (shared_data / "cm_bhavcopy/daily" / f"{day}.csv.gz").read_bytes()
            server.files[path(day, "cash")] = gzip.decompress(daily)
            closes = path(day, "indices")
            server.files[closes] = (
                shared_data / "indices" / closes.rsplit("/", 1)[-1]
            ).read_bytes()
        server.faults[path(days[0])] = ["page"]
        server.faults[path(days[3], "cash")] = ["cut"]
        client = Client(tmp_path, server)
        report = client(first, last)
    assert report.complete, [item for item in report.files if item.message]
    assert report.count("fetched") == 18
    assert client.history.days() == days
    rows = sum(item.rows for item in report.imported if "F&O" in item.kind)
    assert rows == sum(len(client.history.contracts(day)) for day in days)
