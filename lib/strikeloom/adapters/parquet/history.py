"""History of one market in a folder of Parquet files, read in place.

``contracts`` is one file a day, ``cash`` one a month, ``indices`` one a year, ``quotes`` one a
day. A partition is replaced atomically: written beside, flushed, renamed.
"""

from __future__ import annotations

import bisect
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.datasets import DATASETS, Dataset, from_disk, to_disk
from strikeloom.adapters.parquet.merge import merge
from strikeloom.domain.instruments import Kind, Underlying
from strikeloom.errors import BadFrame, MissingHistory, StoreError

if TYPE_CHECKING:
    import pandas as pd

_SOURCES = b"strikeloom.sources"
_DAY = "%Y-%m-%d"


class ParquetHistory:
    """``ports.history.History`` over ``<folder>/<dataset>/<partition>.parquet``."""

    def __init__(self, folder: Path, market: str) -> None:
        self.folder = folder
        self.market = market

    def days(self) -> list[date]:
        """Days with contracts, ascending."""
        return sorted(date.fromisoformat(p.stem) for p in self._files("contracts"))

    def contracts(self, day: date, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``CONTRACTS`` of a day."""
        path = self._path("contracts", day.strftime(_DAY))
        if not path.exists():
            raise self._missing(day)
        frame = self._read([path], "contracts", _among("symbol", symbols))
        return frame.drop(columns="day")

    def cash(
        self, first: date, last: date, *, symbols: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``CASH`` rows from ``first`` to ``last`` inclusive."""
        return self._between("cash", first, last, _among("symbol", symbols))

    def indices(
        self, first: date, last: date, *, names: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``INDICES`` rows from ``first`` to ``last`` inclusive."""
        return self._between("indices", first, last, _among("index", names))

    def quote_times(self, day: date) -> list[datetime]:
        """Moments of recorded intraday snapshots of a day, ascending."""
        import pyarrow.parquet as pq

        from strikeloom.nse.sessions import IST

        path = self._path("quotes", day.strftime(_DAY))
        if not path.exists():
            return []
        table = pq.read_table(path, columns=["at"])
        return sorted(at.astimezone(IST) for at in table["at"].unique().to_pylist())

    def quotes(self, at: datetime, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``QUOTES`` of the snapshot taken at exactly that moment."""
        path = self._path("quotes", at.strftime(_DAY))
        filters = [("at", "==", at), *_among("symbol", symbols)]
        if path.exists():
            frame = self._read([path], "quotes", filters)
            if len(frame) or symbols:
                return frame
        raise MissingHistory(f"market {self.market} has no quotes recorded at {at.isoformat()}")

    def write(self, dataset: str, frame: pd.DataFrame, *, source: str) -> int:
        """Merge rows into a dataset, atomically a partition."""
        kind = DATASETS[dataset]
        absent = set(kind.columns) - set(frame.columns)
        if absent:
            raise BadFrame(f"{source}: table {dataset} lacks column {', '.join(sorted(absent))}")
        moments = _partitions(frame[kind.moment], kind.grain)
        # every partition is merged before the first is written: a contradiction leaves nothing
        ready = []
        for name, rows in frame.groupby(moments, sort=True):
            fresh = to_disk(rows, kind)
            repeated = fresh.duplicated(kind.key)
            if repeated.any():
                row = fresh.loc[repeated, kind.key].iloc[0].to_dict()
                raise BadFrame(f"{source}: {int(repeated.sum())} rows repeat a key, first {row}")
            path = self._path(dataset, str(name))
            changed, sources = len(fresh), [source]
            if path.exists():
                stored, past = self._stored(path)
                fresh, changed = merge(stored, fresh, kind, sources=(" and ".join(past), source))
                sources = past if source in past else [*past, source]
            if changed:
                ready.append((path, fresh, sources, changed))
        for path, fresh, sources, _ in ready:
            _replace(path, fresh, kind, sources)
        return sum(changed for *_, changed in ready)

    def underlyings(self) -> dict[str, Underlying]:
        """Underlyings that came with the market (a synthetic one); empty for the exchange."""
        path = self.folder / "underlyings.json"
        if not path.exists():
            return {}
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {r["symbol"]: Underlying(r["symbol"], Kind(r["kind"]), r["sector"]) for r in rows}

    def write_underlyings(self, rows: Iterable[Underlying]) -> None:
        """Keep the underlyings of a made market beside its history."""
        body = [{"symbol": u.symbol, "kind": u.kind.value, "sector": u.sector} for u in rows]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "underlyings.json").write_text(json.dumps(body), encoding="utf-8")

    def _files(self, dataset: str) -> list[Path]:
        return sorted((self.folder / dataset).glob("[0-9]*.parquet"))

    def _path(self, dataset: str, partition: str) -> Path:
        return self.folder / dataset / f"{partition}.parquet"

    def _between(
        self, dataset: str, first: date, last: date, filters: list[tuple[str, str, object]]
    ) -> pd.DataFrame:
        grain = DATASETS[dataset].grain
        low, high = first.strftime(grain), last.strftime(grain)
        paths = [p for p in self._files(dataset) if low <= p.stem <= high]
        bounds: list[tuple[str, str, object]] = [("day", ">=", first), ("day", "<=", last)]
        return self._read(paths, dataset, bounds + filters)

    def _read(
        self, paths: list[Path], dataset: str, filters: list[tuple[str, str, object]]
    ) -> pd.DataFrame:
        import pandas as pd
        import pyarrow.parquet as pq

        kind = DATASETS[dataset]
        frames = [pq.read_table(path, filters=filters or None).to_pandas() for path in paths]
        if not frames:
            frames = [pd.DataFrame({name: _empty(family) for name, family in kind.columns.items()})]
        return from_disk(pd.concat(frames, ignore_index=True), kind)

    def _stored(self, path: Path) -> tuple[pd.DataFrame, list[str]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
        except pa.ArrowInvalid as error:
            raise StoreError(
                f"{path.name} in {path.parent} is damaged ({error}); delete it and import the "
                "day again"
            ) from error
        sources = json.loads((table.schema.metadata or {})[_SOURCES])
        frame = table.to_pandas(types_mapper=_pandas_type)
        kind = DATASETS[path.parent.name]
        for name, family in kind.columns.items():
            if family == "date":
                frame[name] = frame[name].astype("datetime64[s]")
            elif family == "time":
                frame[name] = frame[name].dt.tz_localize(None).astype("datetime64[us]")
        return frame, sources

    def _missing(self, day: date) -> MissingHistory:
        days = self.days()
        if not days:
            return MissingHistory(
                f"market {self.market} has no stored days; run strikeloom data import PATH"
            )
        place = bisect.bisect(days, day)
        near = [str(d) for d in days[max(0, place - 1) : place + 1]]
        return MissingHistory(
            f"market {self.market} has no contracts of {day}; nearest stored: "
            f"{' and '.join(near)}. Import that day's file with strikeloom data import PATH",
            day=day.isoformat(),
        )


def _partitions(moment: pd.Series, grain: str) -> pd.Series:
    """Partition name of each row; formatted once a distinct day."""
    local = moment.dt.tz_localize(None) if moment.dt.tz is not None else moment
    days = local.dt.floor("D")
    names = {day: day.strftime(grain) for day in days.unique()}
    return days.map(names)


def _among(column: str, wanted: Sequence[str] | None) -> list[tuple[str, str, object]]:
    return [] if wanted is None else [(column, "in", list(wanted))]


def _empty(family: str) -> pd.Series:
    import pandas as pd

    kinds = {
        "text": "object",
        "date": "datetime64[s]",
        "time": "datetime64[us]",
        "price": "float64",
        "number": "float64",
        "count": "int64",
        "flag": "bool",
    }
    return pd.Series([], dtype=kinds[family])


def _pandas_type(kind: object) -> object:
    import pandas as pd
    import pyarrow as pa

    return pd.Int64Dtype() if kind == pa.int64() else None


def _arrow_schema(kind: Dataset, sources: list[str]) -> object:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "date": pa.date32(),
        "time": pa.timestamp("us", "UTC"),
        "price": pa.int64(),
        "number": pa.float64(),
        "count": pa.int64(),
        "flag": pa.bool_(),
    }
    fields = [pa.field(name, types[family]) for name, family in kind.columns.items()]
    return pa.schema(fields, metadata={_SOURCES: json.dumps(sources).encode()})


def _replace(path: Path, frame: pd.DataFrame, kind: Dataset, sources: list[str]) -> None:
    """Write a partition beside its place, flush it, and move it there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    frame = frame.copy(deep=False)
    for name, family in kind.columns.items():
        if family == "time":
            frame[name] = frame[name].dt.tz_localize("UTC")
    table = pa.Table.from_pandas(frame, schema=_arrow_schema(kind, sources), preserve_index=False)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            pq.write_table(
                table, out, compression="zstd", row_group_size=20_000, write_statistics=True
            )
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
