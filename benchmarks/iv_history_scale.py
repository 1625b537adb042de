"""The volatility history of the whole exchange: seconds against days, reading, memory, one day.

    .venv/bin/python benchmarks/iv_history_scale.py [FOLDER] [--plot FILE.html]

FOLDER holds the exchange's files (fo_bhavcopy/udiff, cm_bhavcopy, indices). Each line is a fresh
process. Bars: 59 days 60 s or less (stretch 30), reading and writing a fifth of it or less, one
new day 2 s or less, cost in a straight line. Seconds depend on who else uses the processors:
processor seconds and ratios are more reliable.

Reading and writing is all that is neither a formula nor a library's loading: finding what is
missing (fingerprints of the inputs included), contracts, prices and corporate actions as of each
day with all conversions and adjustments, the partitions of each day with their flush to disk, and
every read and write of the store, the ranks' too. Its share is given of the processor seconds, and
in brackets of the seconds, which a busy disk makes longer.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
COUNTS = (10, 20, 40, 59)
BAR, STRETCH, SHARE, ONE_DAY = 60.0, 30.0, 0.20, 2.0


def prepare(home: Path, data: Path) -> list[str]:
    from strikeloom.adapters.bhavcopy import import_paths
    from strikeloom.adapters.parquet.history import ParquetHistory

    history = ParquetHistory(home / "history" / "nse", "nse")
    report = import_paths(
        [data / name for name in ("fo_bhavcopy/udiff", "cm_bhavcopy", "indices")], history
    )
    assert not report.refused
    return [str(day) for day in history.days()]


def forget(home: Path) -> None:
    """Leave the imported files alone; drop everything that was computed."""
    shutil.rmtree(home / "volatility", ignore_errors=True)
    for path in home.glob("store.db*"):
        path.unlink()


class Watch:
    """Seconds and processor seconds inside calls that read or write, the outermost counted."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0
        self._depth = 0

    def over(self, owner: object, *names: str) -> None:
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, inner: Callable[..., object]) -> Callable[..., object]:
        def timed(*given: object, **more: object) -> object:
            begun, cpu = time.perf_counter(), time.process_time()
            self._depth += 1
            try:
                return inner(*given, **more)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - begun
                    self.cpu += time.process_time() - cpu

        return timed


def watched() -> Watch:
    """Watch everything between the disk and the formulas."""
    from strikeloom import iv_history
    from strikeloom.adapters.parquet.as_of import HistoryAsOf
    from strikeloom.adapters.parquet.day_tables import DayTables
    from strikeloom.adapters.sqlite.volatility_rows import VolatilityRows

    watch = Watch()
    watch.over(iv_history, "find_gaps")
    watch.over(HistoryAsOf, "days", "contracts", "prices", "actions")
    watch.over(DayTables, "stamps", "write", "read")
    watch.over(VolatilityRows, "save_iv", "iv_history", "save_ranks", "ranks", "rank_history")
    return watch


def child(home: Path, days: list[str], processes: int) -> dict[str, float | str]:
    """One run in this process: seconds, processor seconds, share of reading, memory, bytes."""
    import exchange_calendars  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from strikeloom import iv_history
    from strikeloom.desk import open_desk, open_workers

    watch = watched() if processes == 1 else Watch()
    desk = open_desk("nse", days[-1], home=home)
    begun, cpu = time.perf_counter(), sum(os.times()[:4])
    gaps = iv_history.find_gaps(desk, days[0])
    workers = open_workers(len(gaps.todo), processes=processes)
    outcomes = list(iv_history.collect(desk, gaps, workers))
    collected = time.perf_counter() - begun
    iv_history.save(desk, "benchmark", gaps, outcomes)
    seconds = time.perf_counter() - begun
    assert not [item for item in outcomes if item.error], outcomes
    used = sum(os.times()[:4]) - cpu
    whole = sha256()
    for path in sorted((home / "volatility").rglob("*.parquet")):
        whole.update(path.read_bytes())
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "days": len(gaps.todo),
        "seconds": seconds,
        "ranks": seconds - collected,
        "cpu": used,
        "io": watch.cpu / used,
        "io_seconds": watch.seconds / seconds,
        "megabytes": max(item.ru_maxrss for item in usage) / 1024,
        "bytes": whole.hexdigest()[:12],
    }


def run(home: Path, days: list[str], processes: int, *, keep: bool = False) -> dict[str, float]:
    if not keep:
        forget(home)
    words = [sys.executable, __file__, "--child", str(home), ",".join(days), str(processes)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def line(name: str, found: dict[str, float]) -> None:
    both = f"{found['io']:4.0%} ({found['io_seconds']:3.0%}) reading and writing"
    share = both if found["io"] else " " * len(both)
    print(
        f"{name:<26}{found['seconds']:6.1f} s  {found['cpu']:6.1f} s cpu  {share}  "
        f"ranks {found['ranks']:4.1f} s  {found['megabytes']:5.0f} MB  {found['bytes']}"
    )


def main(data: Path, plot: Path | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        days = prepare(home, data)
        run(home, days[:1], 1)  # kernels are compiled once, outside the figures
        curve = []
        for count in COUNTS:
            curve.append(run(home, days[-count:], 1))
            line(f"{count} days, this process", curve[-1])
        both = run(home, days[-COUNTS[-1] :], 2)
        line(f"{COUNTS[-1]} days, two processes", both)
        run(home, days[:-1], 2)
        new = run(home, days, 1, keep=True)
        line("one new day", new)
    counts = np.array([found["days"] for found in curve])
    cpu = np.array([found["cpu"] for found in curve])
    slope, base = np.polyfit(counts, cpu, 1)
    bend = float(np.abs(cpu - (base + slope * counts)).max() / cpu[-1])
    best = min(curve[-1]["seconds"], both["seconds"])
    print(f"cost       {slope:.3f} s cpu a day + {base:.1f} s; furthest from a line {bend:.1%}")
    growth = curve[-1]["megabytes"] / curve[0]["megabytes"]
    print(f"memory     59 days need {growth:.2f} times the memory of 10")
    print(f"same bytes {curve[-1]['bytes'] == both['bytes']}")
    print(f"59 days    {best:.1f} s: {BAR / best:.1f} times under the bar, stretch {STRETCH:g} s")
    print(f"one day    {new['seconds']:.1f} s: {ONE_DAY / new['seconds']:.1f} times under the bar")
    if plot:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_scatter(x=counts.tolist(), y=cpu.tolist(), name="processor seconds")
        wall = [found["seconds"] for found in curve]
        figure.add_scatter(x=counts.tolist(), y=wall, name="seconds")
        straight = (base + slope * counts).tolist()
        figure.add_scatter(x=counts.tolist(), y=straight, name="straight line", mode="lines")
        figure.update_layout(title="Volatility history: cost against days", xaxis_title="days")
        figure.write_html(plot)
    passed = best <= BAR and curve[-1]["io"] <= SHARE and new["seconds"] <= ONE_DAY
    return 0 if passed and curve[-1]["bytes"] == both["bytes"] else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(Path(sys.argv[2]), sys.argv[3].split(","), int(sys.argv[4]))))
        sys.exit(0)
    parser = argparse.ArgumentParser(description="cost of the volatility history against days")
    parser.add_argument("data", type=Path, nargs="?", default=SHARED)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    sys.exit(main(given.data, given.plot))
