"""Two years of index days: the 30-day volatility against India VIX, and expiries without one.

Run it where the exchange's files lie: ``python benchmarks/index_days.py [SHARED_DATA]`` with
``fo_bhavcopy/index_options`` and ``indices/india_vix_*.csv.gz`` inside. India VIX is only
compared with, never an input. Its level differs (it contains the skew), so daily changes are
compared: ours on those of the index by least squares, the deviation of the residual and the
number of days off by more than a point, over all days and over the last 406 (from 2024-05-14:
before, the coming election moved what lies between two expiries). Bars for NIFTY over those:
0.36 points, 8 days; no expiry with 100 quotes refused. Expiries are also compared with
the line in total variance between firm neighbours (grade A, error below 3 %), by stated error.
"""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.iv_history import summarise_day
from strikeloom.settings.all import load_settings

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
NO_PRICES = pd.DataFrame(
    {name: [] for name in ("symbol", "day", "open", "high", "low", "close")}, dtype=float
).astype({"symbol": object, "day": "datetime64[s]"})
SYMBOLS, LATER, QUOTES = ("NIFTY", "BANKNIFTY"), 406, 100
BAR_CHANGES, BAR_DAYS, BAR_REFUSED = 0.36, 8, 0
FIRM, APART, BINS = 0.03, 40 / 365, (0.0, 0.01, 0.03, 0.075, 0.15)


def published(folder):
    (path,) = (folder / "indices").glob("india_vix_*.csv.gz")
    table = pd.read_csv(path).rename(columns=str.strip)
    days = pd.to_datetime(table["Date"].str.strip(), format="%d-%b-%Y")
    return pd.Series(table["Close"].to_numpy(float), index=days)


def work_out(folder, home):
    """Summaries and expiries of all days, and the processor's seconds for them."""
    for archive in sorted((folder / "fo_bhavcopy" / "index_options").glob("*.tar.xz")):
        with tarfile.open(archive) as members:
            members.extractall(home / "files", filter="data")
    history, settings = ParquetHistory(home / "history", "nse"), load_settings().iv
    import_paths([home / "files"], history)
    days, found = history.days(), []
    summarise_day(history.as_of(days[0]).contracts(days[0]), NO_PRICES, days[0], settings)
    spent = 0.0
    for day in days:
        contracts = history.as_of(day).contracts(day)
        start = time.process_time()
        found.append(summarise_day(contracts, NO_PRICES, day, settings))
        spent += time.process_time() - start
    summary = pd.concat([each.summary for each in found])
    return summary, pd.concat([each.expiries for each in found]), spent


def changes(ours, index):
    """Residual of ours on the index in daily changes, points."""
    mine, its = ours.diff().iloc[1:], index.diff().iloc[1:]
    known = mine.notna()
    line = np.polyfit(its[known], mine[known], 1)
    return mine[known] - np.polyval(line, its[known])


def between_firm(expiries):
    """Relative distance of each expiry from the line between its firm neighbours."""
    rows = []
    own = expiries[expiries["quality"].isin(["A", "B"]) & (expiries["years"] > 2.5 / 365)]
    for (symbol, _), table in own.groupby(["symbol", "day"]):
        firm = table[(table["quality"] == "A") & (table["atm_error"] < FIRM)]
        time_, total = firm["years"].to_numpy(), (firm["atm_iv"] ** 2 * firm["years"]).to_numpy()
        for row in table.itertuples():
            after = np.searchsorted(time_, row.years, side="right")
            before = np.searchsorted(time_, row.years, side="left") - 1
            if before < 0 or after >= len(time_) or time_[after] - time_[before] > APART:
                continue
            line = np.interp(row.years, time_[[before, after]], total[[before, after]])
            off = np.log(row.atm_iv / np.sqrt(line / row.years))
            rows.append((symbol, row.atm_error, off))
    return pd.DataFrame(rows, columns=["symbol", "stated", "off"])


def root_mean_square(values):
    return float(np.sqrt(np.mean(np.square(values))))


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    index = published(folder)
    with tempfile.TemporaryDirectory() as home:
        summary, expiries, spent = work_out(folder, Path(home))
    count = summary["day"].nunique()
    print(f"{count} days, {len(expiries):,} expiries; {spent:.1f} s of processor")
    good = True
    for symbol in SYMBOLS:
        ours = summary[summary["symbol"] == symbol].set_index("day")["atm_iv_30d"].mul(100)
        its = index.reindex(ours.index)
        for part in (len(ours), LATER):
            off = changes(ours.iloc[-part:], its.iloc[-part:])
            wide, count = off.std(), int((off.abs() > 1).sum())
            print(f"{symbol:10s} {part} days: changes residual {wide:.3f} points", end=", ")
            print(f"{count} days off by more than one")
        if symbol == "NIFTY":
            good &= wide <= BAR_CHANGES and count <= BAR_DAYS
            for day, value in off.loc[off.abs().sort_values().index[-5:]].items():
                print(f"  {day:%Y-%m-%d} {value:+.2f}")
    traded = expiries[expiries["quotes"] >= QUOTES]
    # a term that is near its end has no grade of its own; its error shows what was known
    refused = int((~(traded["atm_error"] <= 0.15)).sum())
    good &= refused <= BAR_REFUSED
    print(f"{refused} of {len(traded):,} expiries with {QUOTES} quotes or more refused")
    print("off the line between firm neighbours, and the error stated (root mean square):")
    off = between_firm(expiries)
    for symbol, table in off.groupby("symbol", sort=False):
        for band, part in table.groupby(pd.cut(table["stated"], BINS), observed=True):
            print(f"  {symbol:10s} {band!s:14s} {len(part):4d}", end="  ")
            off_by, stated = root_mean_square(part["off"]), root_mean_square(part["stated"])
            print(f"{100 * off_by:.1f} %, stated {100 * stated:.1f} %")
    print(f"bars {'met' if good else 'MISSED'}: {BAR_CHANGES} points, {BAR_DAYS} days, 0 refused")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
