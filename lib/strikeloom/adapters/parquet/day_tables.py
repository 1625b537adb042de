"""Results by day as Parquet: ``<folder>/<table>/<day>.parquet``, each written whole."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.partitions import PART, stored
from strikeloom.errors import MissingHistory, StoreError
from strikeloom.ports.partitions import Stamp

if TYPE_CHECKING:
    import pandas as pd

_STAMP = b"strikeloom.stamp"


class DayTables:
    """``ports.partitions.Partitions`` in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Created when first written.
    last : str
        Table written last: a day counts as stored when it has this table.
    """

    def __init__(self, folder: Path, last: str) -> None:
        self.folder = folder
        self.last = last

    def stamps(self) -> dict[date, Stamp]:
        """Stamp of every stored day; damaged files are skipped."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        stamps = {}
        for path in stored(self.folder / self.last):
            try:
                body = json.loads((pq.read_metadata(path).metadata or {})[_STAMP])
                stamps[date.fromisoformat(path.stem)] = Stamp(**body)
            except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
                continue
        return stamps

    def write(self, day: date, tables: Mapping[str, pd.DataFrame], stamp: Stamp) -> None:
        """Write the tables of a day, ``last`` at the end.

        Raises
        ------
        StoreError
            When the disk cannot be written.
        """
        order = sorted(tables, key=lambda name: (name == self.last, name))
        try:
            for name in order:
                self._write(self._path(name, day), tables[name], stamp)
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be written: {error}; free space or fix the permissions "
                "and run again: stored days are kept"
            ) from error

    def read(self, day: date, table: str) -> pd.DataFrame:
        """One table of a day.

        Raises
        ------
        MissingHistory
            When it is not stored.
        StoreError
            When it is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._path(table, day)
        if not path.exists():
            raise MissingHistory(
                f"{table} of {day} has not been computed; strikeloom run iv-history --date {day}",
                day=day.isoformat(),
            )
        try:
            with pq.ParquetFile(path) as file:
                frame: pd.DataFrame = file.read(use_threads=False).to_pandas()
        except (pa.ArrowException, OSError) as error:
            raise StoreError(
                f"{path} is damaged ({error}); delete it and run iv-history for {day} again",
                path=str(path),
            ) from error
        # Parquet has no whole seconds: dates come back finer than they were written
        finer = frame.columns[frame.dtypes == "datetime64[ms]"]
        return frame.astype(dict.fromkeys(finer, "datetime64[s]"))

    def _path(self, table: str, day: date) -> Path:
        return self.folder / table / f"{day}.parquet"

    def _write(self, path: Path, frame: pd.DataFrame, stamp: Stamp) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        body = json.dumps(asdict(stamp), sort_keys=True)
        columns = {
            name: pa.array(frame[name].to_numpy(), from_pandas=True) for name in frame.columns
        }
        table = pa.table(columns, metadata={_STAMP: body})
        # numbers hardly repeat: only texts benefit from a dictionary
        texts = [name for name, column in columns.items() if pa.types.is_string(column.type)]
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=PART)
        try:
            with os.fdopen(handle, "wb") as out:
                pq.write_table(table, out, compression="zstd", use_dictionary=texts)
                out.flush()
                os.fsync(out.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
