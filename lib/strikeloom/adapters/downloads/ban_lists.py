"""Download of the lists of securities in the ban period; each is published the evening before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from strikeloom.adapters.bhavcopy.importer import import_paths
from strikeloom.adapters.downloads.transfer import Wanted, transfer
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import NotFetched, StoreError
from strikeloom.nse.edges import expected_after, expected_days
from strikeloom.ports.clock import Clock
from strikeloom.settings.fetch import FetchSettings

_ABSENT = 404


@dataclass(frozen=True, slots=True)
class BanListReport:
    """Days whose list was fetched, days that the server has none of, and why it stopped early."""

    fetched: tuple[date, ...] = ()
    absent: tuple[date, ...] = ()
    stopped: str = ""


def ban_list_days(first: date, last: date, settings: FetchSettings) -> list[date]:
    """Trading days of a range that may have a list."""
    begin = max(first, settings.ban_list.since)
    return expected_days(begin, last) if begin <= last else []


def last_list_day(published: date) -> date:
    """Last day that has a list when the files of a trading day are out: the one after it."""
    return expected_after(published)


def fetch_ban_lists(
    days: list[date],
    *,
    history: ParquetHistory,
    folder: Path,
    settings: FetchSettings,
    clock: Clock,
    address: str = "",
) -> BanListReport:
    """Download and store the lists of some days that the history lacks or cannot read.

    Orders are not blocked where a list is missing, so a failure ends the download and is only
    reported.

    Raises
    ------
    StoreError
        When the folder or the history cannot be written.
    """
    missing = [day for day in days if _lacks(history, day)]
    if not missing:
        return BanListReport()
    fetched: list[date] = []
    absent: list[date] = []
    files: list[Path] = []
    stopped = ""
    with transfer(folder, address or settings.address, settings, clock) as server:
        for day in missing:
            try:
                files.append(server.get(Wanted("bans", day, settings.ban_list.on(day))))
            except NotFetched as error:
                if error.facts["status"] != _ABSENT:
                    stopped = str(error)
                    break
                absent.append(day)
            else:
                fetched.append(day)
    if files:
        import_paths(files, history)
    return BanListReport(tuple(fetched), tuple(absent), stopped)


def _lacks(history: ParquetHistory, day: date) -> bool:
    try:
        return history.banned(day) is None
    except StoreError:
        return True  # damaged: the download replaces it
