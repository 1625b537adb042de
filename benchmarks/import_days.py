"""Bringing the real files in: seconds, memory, and what reading one symbol of a day costs.

Run it where the exchange's files lie: ``python benchmarks/import_days.py [FOLDER]`` with
FOLDER as ``STRIKELOOM_SHARED/data`` (fo_bhavcopy/udiff, cm_bhavcopy, indices). Bars: 15 s and
2 GB on two cores. The ratio is to a plain parse of the same contracts into memory, without
checks, sorting or writing: of seconds, and of processor seconds, which other users of the machine
disturb less. Its bar is 2.5. Each is the median of three rounds, parse and import in turn.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
import zipfile
from datetime import date
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.csv

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
BAR_SECONDS, BAR_MB = 15, 2000
ROUNDS = 3
FOLDERS = ("fo_bhavcopy/udiff", "cm_bhavcopy", "indices")


def timed(work, *given, **more):
    start = time.perf_counter()
    found = work(*given, **more)
    return time.perf_counter() - start, found


def parse(paths):
    """The floor: unzip and parse, all cores, nothing kept."""
    rows = 0
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            body = archive.read(archive.namelist()[0])
        rows += len(pa.csv.read_csv(pa.BufferReader(body)))
    return rows


def best(work, *given, **more):
    return min(timed(work, *given, **more)[0] for _ in range(7)) * 1000


def measured(work, *given):
    """Result, seconds and processor seconds of one call."""
    cpu, start = time.process_time(), time.perf_counter()
    found = work(*given)
    return found, time.perf_counter() - start, time.process_time() - cpu


def main(data):
    contracts = sorted((data / FOLDERS[0]).glob("*.zip"))
    paths = [data / name for name in FOLDERS]
    parses, imports = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            history = ParquetHistory(Path(folder) / "nse", "nse")
            parses.append(measured(parse, contracts))
            imports.append(measured(import_paths, paths, history))
            again, repeat = timed(import_paths, paths, history)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
            size = sum(path.stat().st_size for path in history.folder.rglob("*.parquet")) / 1e6
            day = history.days()[-1]
            reads = {
                "a day": best(history.contracts, day),
                "one symbol of a day": best(history.contracts, day, symbols=["RELIANCE"]),
                "a year of one stock": best(
                    history.cash, date(day.year - 1, 4, 1), day, symbols=["RELIANCE"]
                ),
            }
    rows, report = parses[0][0], imports[0][0]
    parsing, seconds = (median(item[1] for item in items) for items in (parses, imports))
    ratio, cpu = (
        median(whole[place] / floor[place] for whole, floor in zip(imports, parses, strict=True))
        for place in (1, 2)
    )
    print(
        f"import     {seconds:8.1f} s    {BAR_SECONDS / seconds:.1f} times under the bar; "
        f"{report.counts}, {report.new_rows:,} rows, {size:.0f} MB"
    )
    print(
        f"parse only {parsing:8.1f} s    import costs {ratio:.2f} times a plain "
        f"parse of its {rows:,} contracts, {cpu:.2f} times in processor seconds"
    )
    print(f"again      {again:8.1f} s    {repeat.counts}")
    print(f"memory     {memory:8.0f} MB   {BAR_MB / memory:.1f} times under the bar")
    for name, spent in reads.items():
        print(f"read       {spent:8.1f} ms   {name}: {spent / reads['a day']:.2f} of reading a day")
    return 0 if seconds <= BAR_SECONDS and memory <= BAR_MB and not report.refused else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED))
