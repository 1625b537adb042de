"""Instrument lists on disk, one Parquet file a day, written atomically."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.dhan.security_master import SecurityMaster, parse_master
from strikeloom.errors import BadFile, MissingHistory, Unreachable

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.parquet$")
_CONNECT_SECONDS, _SILENCE_SECONDS, _WHOLE_SECONDS = 10.0, 20.0, 180.0
_LARGEST = 512 * 2**20


class MasterStore:
    """Lists of one market.

    Parameters
    ----------
    folder : pathlib.Path
        Created when the first list is stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def days(self) -> list[date]:
        """Days with a list, ascending."""
        names = (_NAME.match(path.name) for path in self.folder.glob("*.parquet"))
        return sorted(date.fromisoformat(found.group(1)) for found in names if found)

    def newest(self) -> date | None:
        """Last day with a list."""
        return max(self.days(), default=None)

    def keep(self, master: SecurityMaster, day: date) -> Path:
        """Store the list of a day; an existing one is replaced."""
        import pyarrow.parquet as pq

        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".list.", dir=self.folder)
        os.close(handle)
        try:
            pq.write_table(master.table, name, compression="zstd")
            target = self.folder / f"{day}.parquet"
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return target

    def read(self, day: date) -> pa.Table:
        """Table of a day, as ``SecurityMaster`` describes it.

        Raises
        ------
        MissingHistory
            When the day has none.
        BadFile
            When the file cannot be read.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / f"{day}.parquet"
        try:
            table = pq.read_table(path)
        except FileNotFoundError:
            raise MissingHistory(f"no instrument list of {day} is stored") from None
        except (pa.ArrowInvalid, OSError) as error:
            raise BadFile(f"{path} cannot be read ({error}); fetch the list again") from None
        if "largest_order" not in table.column_names:  # stored by an earlier version
            none = pa.array([0] * table.num_rows, pa.int64())
            table = table.append_column("largest_order", none)
        return table


def fetch_master(url: str, progress: Callable[[int], None] = lambda _: None) -> SecurityMaster:
    """Download a list and read it.

    Parameters
    ----------
    progress : callable
        Called with the bytes so far.

    Raises
    ------
    Unreachable
        When it cannot be downloaded completely in time.
    BadFile
        When the download is not such a list.
    """
    import httpx

    started, parts, size = time.monotonic(), [], 0
    limits = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    try:
        with httpx.stream("GET", url, timeout=limits, follow_redirects=True) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                parts.append(part)
                size += len(part)
                progress(size)
                if size > _LARGEST or time.monotonic() - started > _WHOLE_SECONDS:
                    raise Unreachable(
                        f"the list at {url} is too large or too slow: {size:,} bytes in "
                        f"{time.monotonic() - started:.0f} s",
                        url=url,
                    )
    except httpx.HTTPError as error:
        raise Unreachable(
            f"the instrument list at {url} was not fetched: {type(error).__name__}", url=url
        ) from None
    return parse_master(b"".join(parts), url)
