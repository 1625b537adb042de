"""The exchange's index method on its own end-of-day files, against India VIX as published.

Run it where the exchange's files lie: ``python benchmarks/vix_method.py [SHARED_DATA]`` with
``fo_bhavcopy/udiff`` and ``indices/india_vix_*.csv.gz`` inside. India VIX is only compared
with, never an input. Bar over the days of 2026: mean absolute difference 0.20 points,
correlation 0.997. The index is made of quotes at the close, these are closes that are averages
of the last half hour of trading: days that turn in it differ most.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.iv_history.chains import day_chains
from strikeloom.iv_history.vix_method import vix_method
from strikeloom.settings.all import load_settings

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
YEAR, BAR_MEAN, BAR_CORRELATION = 2026, 0.20, 0.997


def published(folder):
    (path,) = (folder / "indices").glob("india_vix_*.csv.gz")
    table = pd.read_csv(path).rename(columns=str.strip)
    days = pd.to_datetime(table["Date"].str.strip(), format="%d-%b-%Y").dt.date
    return dict(zip(days, table["Close"].astype(float), strict=True))


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    index, settings = published(folder), load_settings().iv
    ours, taken = {}, 0.0
    with tempfile.TemporaryDirectory() as home:
        history = ParquetHistory(Path(home), "nse")
        import_paths([folder / "fo_bhavcopy" / "udiff"], history)
        for day in history.days():
            if day.year == YEAR:
                chains = day_chains(history.contracts(day, symbols=["NIFTY"]), day)
                start = time.perf_counter()
                ours[day] = 100 * float(vix_method(chains, day, settings)[0])
                taken += time.perf_counter() - start
    table = pd.DataFrame({"ours": ours, "published": index}).dropna(subset=["ours"])
    off = table["ours"] - table["published"]
    mean, line = off.abs().mean(), np.corrcoef(table["ours"], table["published"])[0, 1]
    print(f"{len(table)} days: mean absolute difference {mean:.3f} points, lean {off.mean():+.3f},")
    print(
        f"correlation {line:.5f}, largest {off.abs().max():.2f}; {1e3 * taken / len(table):.1f} ms"
    )
    worst = table.assign(off=off).loc[off.abs().sort_values().index[-5:]]
    for day, row in worst.iterrows():
        print(f"  {day}  {row.ours:6.2f} against {row.published:6.2f}  {row.off:+.2f}")
    good = mean <= BAR_MEAN and line >= BAR_CORRELATION
    print(f"bar {'met' if good else 'MISSED'}: {BAR_MEAN} points, correlation {BAR_CORRELATION}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
