"""Download of one file over HTTP: paced, retried with back-off, verified, moved into place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.bhavcopy.ban_list import parse_ban_list
from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.layouts import recognise
from strikeloom.adapters.bhavcopy.packed import MOST_BYTES, PackedFile
from strikeloom.errors import BadFile, NotFetched, StoreError
from strikeloom.ports.clock import Clock
from strikeloom.settings.fetch import FetchSettings, Kind

if TYPE_CHECKING:
    import httpx

_OK, _FORBIDDEN, _ABSENT, _TOO_MANY, _SERVER = 200, 403, 404, 429, 500
PART = ".part"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of one day.

    Attributes
    ----------
    path : str
        On the server; its last part is the file's name.
    """

    kind: Kind
    day: date
    path: str

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.rsplit("/", 1)[-1]


class _Retryable(Exception):
    """Failure that a retry may overcome. ``after``: seconds that the server asks to wait."""

    def __init__(self, why: str, status: int = 0, after: float = 0.0) -> None:
        super().__init__(why)
        self.status = status
        self.after = after


class Transfer:
    """Downloads into a folder, one request at a time.

    Parameters
    ----------
    address : str
        Scheme and host; the paths of the files follow.
    clock : Clock
        Paces the requests and waits between attempts.
    """

    def __init__(self, folder: Path, address: str, settings: FetchSettings, clock: Clock) -> None:
        import httpx

        self.folder = folder
        self._address = address.rstrip("/")
        self._settings = settings
        self._clock = clock
        self._last_request: datetime | None = None
        self._client = httpx.Client(
            headers={"User-Agent": settings.user_agent, "Accept": "*/*"},
            timeout=settings.stall_seconds,
            follow_redirects=True,
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def place(self, item: Wanted) -> Path:
        """Path of a file: by kind and year."""
        return self.folder / item.kind / f"{item.day.year}" / item.name

    def get(self, item: Wanted) -> Path:
        """Download a file unless it exists. It appears in one step, complete and verified.

        Raises
        ------
        NotFetched
            When the server has no such file (status 404) or all attempts failed.
        StoreError
            When the disk refuses.
        """
        target = self.place(item)
        if target.exists():
            return target
        pause, attempts = self._settings.backoff_seconds, self._settings.attempts
        for attempt in range(1, attempts + 1):
            try:
                self._attempt(item, target)
                return target
            except _Retryable as error:
                if attempt == attempts:
                    raise self._failed(item, error) from None
                longest = self._settings.longest_backoff_seconds
                self._clock.wait(min(longest, max(pause, error.after)))
                pause *= 2
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _attempt(self, item: Wanted, target: Path) -> None:
        import httpx

        self._pace()
        part = target.with_name(f".{target.name}{PART}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._client.stream("GET", self._address + item.path) as response:
                _check_status(response, item)
                self._receive(response, part)
            _verify(part, item)
            part.replace(target)
        except BadFile as error:
            raise _Retryable(str(error), _OK) from None
        except httpx.TimeoutException:
            stalled = f"no byte received for {self._settings.stall_seconds:g} s"
            raise _Retryable(stalled) from None
        except httpx.HTTPError as error:
            raise _Retryable(f"{type(error).__name__}: {error}") from None
        except OSError as error:
            raise StoreError(
                f"{target.parent} cannot be written: {error}; free space or mend the "
                "permissions, then run the same command again: it continues where it stopped"
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def _receive(self, response: httpx.Response, part: Path) -> None:
        """Write the body to disk, within the time and size that a file may take."""
        started = self._clock.now()
        most = timedelta(seconds=self._settings.file_seconds)
        size = 0
        with part.open("wb") as out:
            for piece in response.iter_bytes():
                size += len(piece)
                out.write(piece)
                if size > MOST_BYTES:
                    raise _Retryable(f"more than {MOST_BYTES // 2**20} MB received")
                if self._clock.now() - started > most:
                    raise _Retryable(f"incomplete after {most.total_seconds():g} s")
            out.flush()
            os.fsync(out.fileno())

    def _pace(self) -> None:
        now = self._clock.now()
        if self._last_request is not None:
            left = self._settings.pause_seconds - (now - self._last_request).total_seconds()
            if left > 0:
                self._clock.wait(left)
        self._last_request = self._clock.now()

    def _failed(self, item: Wanted, error: _Retryable) -> NotFetched:
        remedy = "run the same command again later: it continues where it stopped"
        if error.status == _FORBIDDEN:
            remedy = (
                "the server refuses requests: wait a quarter of an hour, check user_agent and "
                "pause_seconds in config/fetch.yaml, then run the same command again"
            )
        return NotFetched(
            f"{item.name} of {item.day} could not be downloaded in {self._settings.attempts} "
            f"attempts from {self._address}: {error}; {remedy}",
            status=error.status,
            day=item.day.isoformat(),
        )


def _check_status(response: httpx.Response, item: Wanted) -> None:
    """Raise for a response without a file."""
    status = response.status_code
    if status == _OK:
        return
    if status == _ABSENT:
        raise NotFetched(
            f"the server has no {item.name} (404)", status=status, day=item.day.isoformat()
        )
    retry_after = response.headers.get("Retry-After", "")
    after = float(retry_after) if retry_after.isdecimal() else 0.0
    if status in (_FORBIDDEN, _TOO_MANY) or status >= _SERVER:
        raise _Retryable(f"status {status}", status, after)
    raise NotFetched(
        f"{item.name} of {item.day}: unexpected status {status} from the server; has it moved? "
        "mend its path in config/fetch.yaml",
        status=status,
        day=item.day.isoformat(),
    )


def _verify(part: Path, item: Wanted) -> None:
    """Read the whole file as the importer does.

    Raises
    ------
    BadFile
        When it is empty, cut off, a web page, of another kind or of another day.
    """
    import pyarrow.compute as pc

    raw = part.read_bytes()
    if not raw:
        raise BadFile(f"{item.name}: the response is empty")
    packed = PackedFile(part, item.name, raw)
    if item.kind == "bans":
        day, _ = parse_ban_list(packed.body(), item.name)
        if day != item.day:
            raise BadFile(f"{item.name}: is of {day}, expected {item.day}")
        return
    layout = recognise(CsvText(item.name, packed.head()))
    if layout.dataset != item.kind:
        raise BadFile(f"{item.name}: is {layout.title}, expected {item.kind}")
    days = pc.unique(layout.read(CsvText(item.name, packed.body())).table["day"]).to_pylist()
    if days != [item.day]:
        held = ", ".join(str(day) for day in sorted(days)[:3])
        raise BadFile(f"{item.name}: holds {held or 'no day'}, expected {item.day}")


@contextmanager
def transfer(
    folder: Path, address: str, settings: FetchSettings, clock: Clock
) -> Iterator[Transfer]:
    """Open a transfer; its connection is closed at the end."""
    opened = Transfer(folder, address, settings, clock)
    try:
        yield opened
    finally:
        opened.close()
