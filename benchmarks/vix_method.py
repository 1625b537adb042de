"""The exchange's index method on its own end-of-day files, against India VIX as published.

Run it where the exchange's files lie: ``python benchmarks/vix_method.py [SHARED_DATA]`` with
``fo_bhavcopy/index_options``, ``fo_bhavcopy/udiff`` and ``indices/india_vix_*.csv.gz`` inside.
India VIX is only compared with, never an input. Bars: over the index-only days of April 2024 to
December 2025 a mean absolute difference of 0.07 points, at most three days off by more than 0.30;
over the days of 2026 a mean of 0.05.

The index is made of quotes at the close, these are closes of contracts that traded. What decides
most is how far down the strip reaches: each strike of 1,000 points at 2 rupees adds a tenth of a
point. For a day above 0.30 the far put of its quarterly expiry is shown, with the figure without it
and with the next listed strike at the price at which that last traded.
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
from strikeloom.iv_history.chains import day_chains
from strikeloom.iv_history.vix_method import LEAST_PRICE, vix_method
from strikeloom.settings.all import load_settings

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
YEAR, BAR_INDEX, BAR_YEAR, LARGEST, NAMED = 2026, 0.07, 0.05, 0.30, 3
SETTINGS = load_settings().iv


def published(folder):
    (path,) = (folder / "indices").glob("india_vix_*.csv.gz")
    table = pd.read_csv(path).rename(columns=str.strip)
    days = pd.to_datetime(table["Date"].str.strip(), format="%d-%b-%Y").dt.date
    return dict(zip(days, table["Close"].astype(float), strict=True))


def read_index_days(folder, home):
    """History of the index-only files: a month is an archive of files of a day."""
    files = home / "files"
    for month in sorted((folder / "fo_bhavcopy" / "index_options").glob("*.tar.xz")):
        with tarfile.open(month) as archive:
            archive.extractall(files, filter="data")
    history = ParquetHistory(home / "index", "nse")
    import_paths([files], history)
    return history


def read_year(folder, home):
    history = ParquetHistory(home / "year", "nse")
    import_paths([folder / "fo_bhavcopy" / "udiff"], history)
    return history


def index_of(contracts, day):
    return 100 * float(vix_method(day_chains(contracts, day), day, SETTINGS)[0])


def compared(history, days, index):
    """Figure of each day beside the published one; milliseconds a day."""
    rows, taken = {}, 0.0
    for day in days:
        contracts = history.contracts(day, symbols=["NIFTY"])
        start = time.process_time()
        rows[day] = (index_of(contracts, day), index[day])
        taken += time.process_time() - start
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["ours", "published"])
    return table.assign(off=table["ours"] - table["published"]), 1e3 * taken / len(table)


def far_puts(history, days, day):
    """What the far puts of a day decide: the figure without the last, and with one more."""
    contracts = history.contracts(day, symbols=["NIFTY"]).reset_index(drop=True)
    puts = contracts[(contracts["right"] == "PE") & (contracts["expiry"] > pd.Timestamp(day))]
    months = set(contracts.loc[(contracts["right"] == "XX") & contracts["traded"], "expiry"])
    puts = puts[puts["expiry"].isin(months)]
    lowest = puts.loc[puts.groupby("expiry")["strike"].idxmin()]
    expiry = lowest.loc[lowest["strike"].idxmin(), "expiry"]  # reaches furthest: the quarter's
    puts = puts[puts["expiry"] == expiry].sort_values("strike")
    last = puts[
        puts["traded"] & (puts["high"] > puts["low"]) & (puts["close"] >= LEAST_PRICE)
    ].iloc[0]
    less = contracts.copy()
    less.loc[last.name, "traded"] = False
    name = f"put {last['strike']:g} of {expiry.date()}"
    print(f"    {name} at {last['close']:g}, {last['lots_traded']:.0f} lots:", end=" ")
    print(f"without it {index_of(less, day):.2f}")
    for _, row in puts[puts["strike"] < last["strike"]].iterrows():
        for before in [d for d in days if d < day][:-11:-1]:
            past = history.contracts(before, symbols=["NIFTY"])
            same = past["expiry"].eq(expiry) & past["strike"].eq(row["strike"])
            found = past[same & past["right"].eq("PE") & past["traded"]]
            if len(found):
                price = float(found["close"].iloc[0])
                more = contracts.copy()
                at = ["traded", "close", "high", "low", "lots_traded"]
                more.loc[row.name, at] = [True, price, price + 0.05, price, last["lots_traded"]]
                name = f"put {row['strike']:g}"
                print(f"    {name} did not trade; at {price:g} of {before}", end=" ")
                print(f"it would be {index_of(more, day):.2f}")
                return


def report(name, table, speed):
    off = table["off"]
    line = np.corrcoef(table["ours"], table["published"])[0, 1]
    print(f"{name}: {len(table)} days, mean absolute difference {off.abs().mean():.4f} points,")
    print(
        f"  lean {off.mean():+.3f}, correlation {line:.5f}, largest {off.abs().max():.2f},", end=" "
    )
    print(f"{(off.abs() > LARGEST).sum()} above {LARGEST:.2f}; {speed:.1f} ms a day")
    for year, part in off.groupby([day.year for day in off.index]):
        print(f"  {year}  {len(part)} days, {part.abs().mean():.4f}")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    index = published(folder)
    with tempfile.TemporaryDirectory() as place:
        history = read_index_days(folder, Path(place))
        days = history.days()
        table, speed = compared(history, days, index)
        report("index-only days", table, speed)
        for day, row in table.loc[table["off"].abs().sort_values().index[::-1][:6]].iterrows():
            print(f"  {day}  {row.ours:6.2f} against {row.published:6.2f}  {row.off:+.2f}")
            if abs(row.off) > LARGEST:
                far_puts(history, days, day)
        year = read_year(folder, Path(place))
        later, speed = compared(year, [day for day in year.days() if day.year == YEAR], index)
        report(str(YEAR), later, speed)
    above = int((table["off"].abs() > LARGEST).sum())
    good = table["off"].abs().mean() <= BAR_INDEX and above <= NAMED
    good &= later["off"].abs().mean() <= BAR_YEAR and later["off"].abs().max() <= LARGEST
    print(
        f"bars {'met' if good else 'MISSED'}: {BAR_INDEX} and {BAR_YEAR} points, "
        f"{NAMED} days above {LARGEST:.2f} or fewer"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
