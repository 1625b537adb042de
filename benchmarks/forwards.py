"""Forwards of the exchange's real days: against the listed futures, and how long they take.

Run it where the exchange's files lie: ``python benchmarks/forwards.py [FOLDER]`` with FOLDER as
``STRIKELOOM_SHARED/data/fo_bhavcopy/udiff``. Bar: front-month parity forward against the future
of the same expiry, expiries with three or more strikes whose call and put both traded, pooled
over the days of 2026: median 5 basis points, 90 % within 15. Later expiries and the worst days
are shown. Time: forwards, volatilities and Greeks of 2026-02-10 in 0.3 s on two threads. The
ratio is to the same parity line by scipy's Huber least squares, one expiry at a time.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.iv_history.chains import day_chains
from strikeloom.quant.chain import solve_chain
from strikeloom.quant.forwards import call_put_pairs, close_variance, parity_forwards
from strikeloom.settings.all import load_settings

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
DAY, YEAR, FEWEST, THREADS = date(2026, 2, 10), 2026, 3, 2
BAR_MEDIAN, BAR_SHARE, BAR_SECONDS = 5.0, 0.9, 0.3
SETTINGS = load_settings().iv


def pairs_of(chains):
    rows = np.flatnonzero(chains.traded)
    calls, puts = call_put_pairs(chains.strike[rows], chains.is_call[rows], chains.group[rows])
    return rows[calls], rows[puts]


def parity_of(chains):
    calls, puts = pairs_of(chains)
    variance = close_variance(chains.lots, chains.fresh)
    discount = np.exp(-SETTINGS.rate * chains.years)
    return parity_forwards(
        chains.strike[calls],
        chains.close[calls] - chains.close[puts],
        variance[calls] + variance[puts],
        chains.group[calls],
        discount,
        discount * chains.years * SETTINGS.rate_error,
    )


def gaps_of(day, chains):
    parity = parity_of(chains)
    known = np.isfinite(chains.future) & (parity.used >= FEWEST)
    listed = np.flatnonzero(np.isfinite(chains.future))
    front = np.zeros(len(chains.underlying), dtype=bool)
    front[listed[np.unique(chains.underlying[listed], return_index=True)[1]]] = True
    return pd.DataFrame(
        {
            "day": day,
            "symbol": chains.symbols[chains.underlying[known]],
            "front": front[known],
            "off": 1e4 * (parity.forward[known] / chains.future[known] - 1),
            "error": 1e4 * parity.std_error[known],
        }
    )


def whole_pass(chains):
    parity = parity_of(chains)
    rows = np.flatnonzero(chains.traded)
    group = chains.group[rows]
    at = (
        chains.close[rows],
        parity.forward[group],
        chains.strike[rows],
        chains.years[group],
        chains.is_call[rows],
    )
    return solve_chain(*at, parity.discount[group], threads=THREADS)


def one_by_one(chains):
    calls, puts = pairs_of(chains)
    group, strike = chains.group[calls], chains.strike[calls]
    spread = chains.close[calls] - chains.close[puts]
    for number in np.unique(group):
        at = group == number
        k, y = strike[at], spread[at]
        start = np.array([np.median(k + y), 0.99])
        least_squares(lambda p, k=k, y=y: (y - p[1] * (p[0] - k)) / k[0] * 1e4, start, loss="huber")


def seconds(work, chains, runs=5):
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        work(chains)
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def show(name, rows):
    off = rows["off"].abs()
    print(
        f"{name:12s} {len(rows):6,d} expiries  median {off.median():5.2f} bp  90 % within "
        f"{off.quantile(0.9):6.2f}  within 15: {(off <= 15).mean():.1%}  worst {off.max():.0f}  "
        f"lean {rows['off'].median():+.1f}"
    )


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "fo_bhavcopy" / "udiff"
    with tempfile.TemporaryDirectory() as home:
        history = ParquetHistory(Path(home), "nse")
        import_paths([folder], history)
        days = [day for day in history.days() if day.year == YEAR]
        tables, shown = [], None
        for day in days:
            chains = day_chains(history.contracts(day), day)
            tables.append(gaps_of(day, chains))
            shown = chains if day == DAY else shown
    gaps = pd.concat(tables, ignore_index=True)
    front = gaps[gaps["front"]]
    print(f"{len(days)} days; expiries with {FEWEST} or more strikes traded on both sides")
    show("front month", front)
    show("later", gaps[~gaps["front"]])
    by_day = front.groupby("day")["off"].agg(lambda x: x.abs().median()).sort_values()
    print("worst days  ", ", ".join(f"{d} {v:.1f}" for d, v in by_day.tail(5).items()))
    worst = front.reindex(front["off"].abs().sort_values().index[-5:])
    print("worst ones  ", ", ".join(f"{r.symbol} {r.day} {r.off:+.0f}" for r in worst.itertuples()))
    off = front["off"].abs()
    good = off.median() <= BAR_MEDIAN and (off <= 15).mean() >= BAR_SHARE
    print(f"bar          {'met' if good else 'MISSED'}: median 5 bp, 90 % within 15")
    if shown is not None:
        whole_pass(shown)
        line, whole, loop = (seconds(w, shown, n) for w, n in
                             ((parity_of, 5), (whole_pass, 5), (one_by_one, 1)))  # fmt: skip
        print(
            f"{DAY}   forwards {1e3 * line:.1f} ms ({loop / line:.0f} times scipy one by one); "
            f"with volatilities and Greeks {whole:.3f} s on {THREADS} threads (bar {BAR_SECONDS})"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
