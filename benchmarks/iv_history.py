"""The daily summary on the exchange's real days: how many symbols, how good, how long.

Run it where the exchange's files lie: ``python benchmarks/iv_history.py [SHARED_DATA]``. Bars
over the days of 2026: 98 % of symbol-days have a volatility 30 days ahead and the others a
reason; a far expiry carried along its peers, left out where it did trade, within 1.0 point of
30-day volatility in the median; nothing moves on the days of splits. Time is of the pure
per-day function on this machine, files read beforehand; reading is timed separately.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.iv_history import summarise_day
from strikeloom.quant.peers import carry
from strikeloom.settings.all import load_settings

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
YEAR, BAR_SOLVED, BAR_CARRIED, SPAN = 2026, 0.98, 1.0, timedelta(days=130)
MONTH, LEAST = 30 / 365, 2 / 365
SPLITS = (("MCX", "2026-01-02"), ("KOTAKBANK", "2026-01-14"), ("ANGELONE", "2026-02-26"))
WATCHED = ("atm_iv_30d", "rv_cc_20", "rv_pk_20", "rv_gk_20", "rv_yz_20", "rv_cc_60")
SETTINGS = load_settings().iv


def work_out(history, days):
    """Summaries and expiries of the days; seconds reading and seconds working of each."""
    summaries, expiries, spent = [], [], []
    for day in days:
        start = time.perf_counter()
        past = history.as_of(day)
        contracts = past.contracts(day)
        prices = past.prices(day - SPAN, day, symbols=sorted(contracts["symbol"].unique()))
        actions = past.actions(day - SPAN, day)
        read = time.perf_counter()
        computed = summarise_day(contracts, prices, day, SETTINGS, actions=actions)
        spent.append((read - start, time.perf_counter() - read))
        summaries.append(computed.summary)
        expiries.append(computed.expiries)
    return pd.concat(summaries), pd.concat(expiries), np.array(spent)


def month(near, far, times):
    """Volatility 30 days ahead of two expiries; the nearest one's outside them."""
    first, second = times
    if not first < MONTH < second:
        return near if first >= MONTH else far
    share = (MONTH - first) / (second - first)
    return np.sqrt(((1 - share) * near**2 * first + share * far**2 * second) / MONTH)


def left_out(expiries):
    """Points by which 30-day volatility misses when the far expiry is carried, by days left."""
    rows = []
    solved = expiries[(expiries["quality"] == "A") & (expiries["years"] > LEAST)]
    for day, table in solved.groupby("day"):
        common = table["expiry"].value_counts()
        ladder = sorted(common[common >= 40].index)[:2]
        if len(ladder) < 2:
            continue
        wide = table[table["expiry"].isin(ladder)].pivot(
            index="symbol", columns="expiry", values="atm_iv"
        )
        near, far = (wide[expiry].to_numpy() for expiry in ladder)
        times = tuple(table.loc[table["expiry"] == e, "years"].iloc[0] for e in ladder)
        both = np.isfinite(near) & np.isfinite(far)
        for row in np.flatnonzero(both):
            others = both & (np.arange(len(both)) != row)
            guess = carry(near, far, others).vol[row]
            miss = month(near[row], guess, times) - month(near[row], far[row], times)
            rows.append((day, 365 * times[0], 100 * abs(miss), 100 * abs(guess - far[row])))
    return pd.DataFrame(rows, columns=["day", "left", "month", "expiry"])


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    with tempfile.TemporaryDirectory() as home:
        history = ParquetHistory(Path(home), "nse")
        cash = list((folder / "cm_bhavcopy").glob("fno_underlyings_*.csv.gz"))
        import_paths([folder / "fo_bhavcopy" / "udiff", *cash, folder / "indices"], history)
        days = history.days()
        work_out(history, days[:1])  # compiles once
        summary, expiries, spent = work_out(history, days)
    read, worked = spent.sum(axis=0)
    print(f"{len(days)} days: {worked:.1f} s working, {read:.1f} s reading, one thread of days;")
    print(f"a day {np.median(spent[:, 1]):.2f} s in the median, {spent[:, 1].max():.2f} at most")
    summary = summary[summary["day"] >= str(YEAR)]
    solved = summary["atm_iv_30d"].notna()
    print(f"{len(summary):,} symbol-days of {YEAR}, {solved.mean():.2%} with 30-day volatility")
    shares = summary["quality"].value_counts(normalize=True)
    print("grades     ", ", ".join(f"{grade or 'none'} {n:.1%}" for grade, n in shares.items()))
    for reason, number in summary.loc[~solved, "reason"].value_counts().items():
        print(f"  {number:4d}  {reason}")
    missed = left_out(expiries[expiries["day"] >= str(YEAR)])
    middle = missed["month"].median()
    print(
        f"carried     median {middle:.2f} points of 30-day volatility over {len(missed):,} left out"
    )
    print(f"            {missed['expiry'].median():.2f} at the expiry itself; by days left to it:")
    bins = pd.cut(missed["left"], [0, 7, 14, 21, 28, 60])
    for left, part in missed.groupby(bins, observed=True):
        most = part["month"].quantile(0.9)
        print(f"  {left!s:12s} {part['month'].median():.2f}  90 % within {most:.2f}")
    calm = True
    for symbol, day in SPLITS:
        rows = summary[summary["symbol"] == symbol].set_index("day").sort_index()
        at = rows.index.get_loc(pd.Timestamp(day))
        moved = (rows.iloc[at][list(WATCHED)] - rows.iloc[at - 1][list(WATCHED)]).abs().max()
        calm &= bool(moved < 0.06)
        print(f"split       {symbol} on {day}: nothing moved by more than {100 * moved:.1f} points")
    typed = bool((summary.loc[~solved, "reason"] != "").all())
    good = solved.mean() >= BAR_SOLVED and middle <= BAR_CARRIED and calm and typed
    print(
        f"bars {'met' if good else 'MISSED'}: 98 % solved, carried within 1.0 point, splits unseen"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
