"""Percentiles and ranks on the exchange's own files, in every window of every day, against pandas.

    .venv/bin/python benchmarks/ranks.py [SHARED_DATA]

Two indices over 434 days (``fo_bhavcopy/index_options``), and the whole exchange over the days of
2026 (``fo_bhavcopy/udiff``), renamed symbols included. The files are imported, worked out and
ranked by the product as a user would; the reference (``tests/support/ranks_by_pandas.py``) takes
the stored volatilities alone. Its sessions are the days on which the cash market has a file
(``reference/trading_days_2024_2026_derived.csv``), not our calendar. Bars: equal to 1e-12, and no
day without a rank over 21 sessions once 20 days are stored, unless files of those sessions are
missing or the symbol has no volatility on some of them, as one that was listed later.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from strikeloom import iv_history
from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import HereWorkers
from strikeloom.desk import open_desk
from strikeloom.nse.renames import KnownAs
from support.ranks_by_pandas import NEEDED, WINDOWS, ranks_by_pandas, same

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
CLOSE = 1e-12


def indices(folder: Path, files: Path) -> None:
    for path in sorted((folder / "fo_bhavcopy" / "index_options").glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            archive.extractall(files, filter="data")


def exchange(folder: Path, files: Path) -> None:
    files.mkdir()
    for path in (folder / "fo_bhavcopy" / "udiff").glob("*_2026*.zip"):
        shutil.copy(path, files)


def measure(title: str, home: Path, sessions: list[date]) -> None:
    history = ParquetHistory(home / "history" / "nse", "nse")
    assert not import_paths([home / "files"], history).refused
    days = history.days()
    sessions = [day for day in sessions if days[0] <= day <= days[-1]]
    desk = open_desk("nse", days[-1], home=home)
    gaps = iv_history.find_gaps(desk, days[0])
    start = time.process_time()
    done = list(iv_history.collect(desk, gaps, HereWorkers()))
    worked_out = time.process_time()
    iv_history.save(desk, "run", gaps, done)
    ranked = time.process_time()
    stored = iv_history.read_history(desk)
    symbols = stored["symbol"].unique()
    names: list[KnownAs] = [iv_history.find_symbol(desk, name) for name in symbols]
    ranks = [row for name in symbols for row in iv_history.read_ranks(desk, name)]
    desk.close()
    reference = ranks_by_pandas(stored, sessions)
    largest = max(same(row, reference) for row in ranks)
    assert len(ranks) == len(stored)
    assert [name.symbol for name in names] == list(symbols)
    print(f"{title}: {len(symbols)} symbols, {len(days)} days of {len(sessions)} sessions")
    print(f"  without a file: {', '.join(map(str, sorted(set(sessions) - set(days)))) or 'none'}")
    print(f"  {len(ranks)} days ranked in {len(WINDOWS)} windows: largest difference {largest:.1e}")
    warm = [row for row in ranks if row.day >= days[NEEDED[0] - 1]]
    absent = [row for row in warm if row.windows[0].percentile is None]
    none_at_all = sorted({row.day for row in warm} - {r.day for r in warm if r.percentile})
    print(f"  days from {days[NEEDED[0] - 1]} on without any regime: {len(none_at_all)}")
    print(f"  symbols' days without a rank of 21 sessions: {len(absent)} of {len(warm)}")
    listed = Counter(row.symbol for row in ranks)
    full = [row for row in absent if row.atm_iv and listed[row.symbol] == len(days)]
    why = Counter(row.symbol for row in absent)
    print(f"    of symbols listed on all days, with a volatility that day: {len(full)}")
    print(f"    by symbol: {dict(why.most_common(12))}")
    each = 1e3 * (ranked - worked_out) / len(days)
    print(
        f"  days {worked_out - start:.1f} s, ranks {ranked - worked_out:.2f} s: {each:.1f} ms each"
    )
    assert largest <= CLOSE
    assert not none_at_all


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    table = pd.read_csv(folder / "reference" / "trading_days_2024_2026_derived.csv")
    sessions = [date.fromisoformat(text) for text in table["date"]]
    for title, prepare in (("two indices", indices), ("the whole exchange", exchange)):
        with tempfile.TemporaryDirectory() as name:
            prepare(folder, Path(name) / "files")
            measure(title, Path(name), sessions)


if __name__ == "__main__":
    main()
