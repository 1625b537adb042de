"""Download and import of the missing files of a range of days; a repeat requests nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from strikeloom.adapters.bhavcopy.importer import import_paths
from strikeloom.adapters.bhavcopy.report import FileOutcome
from strikeloom.adapters.downloads.transfer import Transfer, Wanted, transfer
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import NotFetched
from strikeloom.nse.edges import is_expected, is_known
from strikeloom.nse.session_table import own_sessions
from strikeloom.nse.sessions import FIRST_DAY, is_trading_day
from strikeloom.ports.clock import Clock
from strikeloom.settings.fetch import FetchSettings, Kind

Status = Literal["fetched", "here", "stored", "closed", "failed", "not asked"]
Progress = Callable[[int, int, str], None]

_FORBIDDEN, _ABSENT = 403, 404
_SATURDAY = 5
_IMPORTED_TOGETHER = 60  # downloaded files that are imported together
_EXCHANGE_INDEX = "NIFTY"  # only the file with the closes of all indices has it


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """Result of one file.

    Attributes
    ----------
    status : str
        ``fetched`` now; ``here``: downloaded before, not imported yet; ``stored``: imported
        before; ``closed``: no file, no trading that day; ``failed``; ``not asked``: skipped
        after too many failures in a row.
    message : str
        Why the file failed, and what to do.
    """

    day: date
    kind: Kind
    name: str
    status: Status
    message: str = ""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """Outcome of each file, and of the import of the new ones.

    Attributes
    ----------
    surprises : tuple of datetime.date
        Days with a file on which the calendar has no session.
    """

    files: tuple[FetchOutcome, ...]
    imported: tuple[FileOutcome, ...]
    surprises: tuple[date, ...]

    def count(self, *statuses: Status) -> int:
        """Files with one of the statuses."""
        return sum(1 for item in self.files if item.status in statuses)

    @property
    def refused(self) -> list[FileOutcome]:
        """Files that the import refused."""
        return [item for item in self.imported if item.status == "refused"]

    @property
    def complete(self) -> bool:
        """Every file of the range is stored."""
        return not self.refused and not self.count("failed", "not asked")


def last_published(clock: Clock, settings: FetchSettings) -> date:
    """Last trading day whose files should be published by now."""
    now = clock.now()
    day = now.date() if now.time() >= settings.published else now.date() - timedelta(days=1)
    while not is_expected(day):
        day -= timedelta(days=1)
    return day


def fetch(
    first: date,
    last: date,
    *,
    history: ParquetHistory,
    folder: Path,
    settings: FetchSettings,
    clock: Clock,
    address: str = "",
    progress: Progress | None = None,
) -> FetchReport:
    """Download the files of a range that the history lacks, and import them.

    Every kind of file is requested for trading days. For weekdays without a session in the
    calendar, or beyond it, contracts are requested first: no file is then no error.

    Parameters
    ----------
    folder : pathlib.Path
        Folder in which the files are kept unchanged.
    address : str
        Address of another server with the same paths.

    Raises
    ------
    DataError
        When a day is before the first supported one, or beyond the known calendar and still ahead.
    StoreError
        When the folder or the history cannot be written.
    """
    for day in (first, last):
        if not is_known(day) and not FIRST_DAY <= day <= clock.now().date():
            is_trading_day(day)  # raises: neither the calendar nor the server knows it
    days = _days(first, last)
    outcomes: list[FetchOutcome] = []
    imported: list[FileOutcome] = []
    waiting: list[Path] = []

    def import_waiting() -> None:
        if waiting:
            # a file that the exchange's server has for a day is a session of that day
            imported.extend(import_paths(list(waiting), history, accept=("session",)).files)
            waiting.clear()

    with transfer(folder, address or settings.address, settings, clock) as server:
        requests = _Requests(server, _stored(history, first, last), settings, clock)
        for number, day in enumerate(days):
            if progress:
                progress(number, len(days), str(day))
            for outcome in requests.day(day):
                outcomes.append(outcome)
                if outcome.status in ("fetched", "here"):
                    waiting.append(server.place(requests.wanted(day, outcome.kind)))
            if len(waiting) >= _IMPORTED_TOGETHER:
                import_waiting()
        import_waiting()
    if progress:
        progress(len(days), len(days), "imported")
    with_files = {item.day for item in outcomes if item.status in ("fetched", "here")}
    surprises = tuple(sorted(day for day in with_files if not _is_session(day)))
    return FetchReport(tuple(outcomes), tuple(imported), surprises)


class _Requests:
    """Requests the files of one day after another, until too many in a row fail."""

    def __init__(
        self,
        server: Transfer,
        stored: dict[Kind, set[date]],
        settings: FetchSettings,
        clock: Clock,
    ) -> None:
        self._server = server
        self._stored = stored
        self._settings = settings
        self._clock = clock
        self._failures = 0

    def wanted(self, day: date, kind: Kind) -> Wanted:
        """One file of a day."""
        return Wanted(kind, day, self._settings.paths(day)[kind])

    def day(self, day: date) -> Iterator[FetchOutcome]:
        """Files of a day, contracts first; without a session, the others only if those exist."""
        for kind in sorted(self._settings.paths(day), key=lambda name: name != "contracts"):
            outcome = self._outcome(self.wanted(day, kind))
            yield outcome
            if outcome.status == "closed":
                return

    def _outcome(self, item: Wanted) -> FetchOutcome:
        def outcome(status: Status, message: str = "") -> FetchOutcome:
            return FetchOutcome(item.day, item.kind, item.name, status, message)

        if item.day in self._stored[item.kind]:
            return outcome("stored")
        if self._server.place(item).exists():
            return outcome("here")
        if self._failures >= self._settings.give_up_after:
            return outcome("not asked", "too many files before it failed")
        try:
            self._server.get(item)
        except NotFetched as error:
            status = error.facts["status"]
            if status == _ABSENT and not _is_session(item.day):
                return outcome("closed")
            # further requests would only prolong the refusal
            self._failures += self._settings.give_up_after if status == _FORBIDDEN else 1
            return outcome(
                "failed", f"{error}{self._explanation(item) if status == _ABSENT else ''}"
            )
        self._failures = 0
        return outcome("fetched")

    def _explanation(self, item: Wanted) -> str:
        """Likely reason why the server has no file of a trading day."""
        out = f"{self._settings.published:%H:%M}"
        now = self._clock.now()
        if item.day > now.date() or (
            item.day == now.date() and now.time() < self._settings.published
        ):
            return f": {item.day} is not published yet; usually out by {out}, run again then"
        return (
            f" although {item.day} is a trading day: run again later; if the exchange was closed, "
            f"add the day to {own_sessions()}; if the file has moved, mend its path in "
            "config/fetch.yaml"
        )


def _days(first: date, last: date) -> list[date]:
    """Trading days, and the weekdays between them."""
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in span if day.weekday() < _SATURDAY or _is_session(day)]


def _is_session(day: date) -> bool:
    """Whether the calendar has a session; a day that it does not cover is asked of the server."""
    return is_known(day) and is_trading_day(day)


def _stored(history: ParquetHistory, first: date, last: date) -> dict[Kind, set[date]]:
    levels = history.indices(first, last, names=[_EXCHANGE_INDEX])
    closes = levels.loc[levels["publisher"] == "nse", "day"].dt.date
    return {
        "contracts": set(history.days()),
        "cash": set(history.stored_days("cash")),
        "indices": set(closes),
        "bans": set(),
    }
