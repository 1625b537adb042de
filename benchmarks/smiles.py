"""Smiles of a real exchange day in one batch: seconds, arbitrage left, distance from quotes.

Run it where the exchange's files lie: ``python benchmarks/smiles.py [FOLDER] [DAY ...]`` with
FOLDER as ``STRIKELOOM_SHARED/data/fo_bhavcopy/udiff``. Bars, on two threads and the day
2026-02-10: 1.5 s (stretch 0.5), no butterfly or calendar arbitrage on a dense search that
shares nothing with the fit, median distance of quotes with 50 lots or more 0.25 vol points.
The ratio is to one slice at a time by scipy's least squares on raw SVI's five parameters,
without any condition of arbitrage, over a sample of the slices. Seconds are wall time: on a
machine shared with others look at the processor time beside them.
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
from strikeloom.nse.sessions import session, years_array
from strikeloom.quant.black76 import greeks
from strikeloom.quant.forwards import (
    INDEX_CARRY,
    STOCK_CARRY,
    best_forwards,
    call_put_pairs,
    close_variance,
    parity_forwards,
)
from strikeloom.quant.implied.solver import Reason, implied_vol
from strikeloom.quant.smile.arbitrage import find_arbitrage
from strikeloom.quant.smile.fit import QuoteReason, SmileKind, fit_smiles
from strikeloom.quant.smile.quotes import out_of_the_money, precision

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
DAYS = ("2026-02-10", "2026-01-27", "2026-03-19", "2025-01-02")
RATE, RATE_ERROR, PARITY_ERROR, TICK, THREADS = 0.065, 0.01, 0.0015, 0.05, 2
BAR_SECONDS, STRETCH, BAR_POINTS, LOTS = 1.5, 0.5, 0.25, 50


def forwards(options, futures, groups, years, discount):
    """The product's own: parity over all strikes, else the listed future, else carried."""
    strike, close = options["strike"].to_numpy(), options["close"].to_numpy()
    fresh = (options["settle"] == options["close"]).to_numpy()
    variance = close_variance(options["lots_traded"].to_numpy(dtype=float), fresh)
    group, call = options["group"].to_numpy(), (options["right"] == "CE").to_numpy()
    calls, puts = call_put_pairs(strike, call, group)
    spread, both = close[calls] - close[puts], variance[calls] + variance[puts]
    prior = discount * years * RATE_ERROR
    parity = parity_forwards(strike[calls], spread, both, group[calls], discount, prior)
    listed = futures.set_index(["symbol", "expiry"])["close"]
    keys = list(zip(groups["symbol"], groups["expiry"], strict=True))
    listed, spot = listed.reindex(keys).to_numpy(dtype=float), groups["underlying"].to_numpy()
    chain = groups["symbol"].factorize()[0].astype(np.int64)
    carry = np.where(groups["kind"] == "index", INDEX_CARRY, STOCK_CARRY)
    errors = {"carry_error": carry, "most_error": PARITY_ERROR}
    return best_forwards(parity, listed, spot, years, chain, RATE, **errors).forward


def quotes(history, day):
    """Out-of-the-money options of a day that traded and do not expire on it."""
    contracts = history.contracts(day)
    live = contracts[contracts["traded"] & (contracts["expiry"] > pd.Timestamp(day))]
    options = live[live["right"] != "XX"].copy()
    keys = options.groupby(["symbol", "expiry"], sort=True)
    options["group"] = keys.ngroup().to_numpy()
    groups = keys[["underlying", "kind"]].first().reset_index()
    years = years_array(session(day).close, groups["expiry"].to_numpy())
    discount = np.exp(-RATE * years)
    forward = forwards(options, live[live["right"] == "XX"], groups, years, discount)
    group = options["group"].to_numpy()
    strike, price = options["strike"].to_numpy(), options["close"].to_numpy()
    call = (options["right"] == "CE").to_numpy()
    row = (forward[group], strike, years[group])
    vol, reason = implied_vol(price, *row, call, discount[group])
    use = out_of_the_money(price, forward[group], strike, call, TICK) & (reason == Reason.OK)
    vega = greeks(*row, vol, call, discount[group]).vega
    lots = options["lots_traded"].to_numpy(dtype=float)
    weight = precision(vega, lots, options["settle"].to_numpy() == price, TICK)
    surface = np.unique(groups["symbol"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    k, w = np.log(strike / forward[group]), vol * vol * years[group]
    given = (k[use], w[use], weight[use], group[use].astype(np.int64), years, surface)
    return given, lots[use], groups, len(contracts)


def one_by_one(given, sample=25):
    """Seconds a slice of scipy's least squares on raw SVI, no conditions of arbitrage."""
    k, w, weight, group, _, _ = given
    full = np.flatnonzero(np.bincount(group) >= 8)
    chosen = full[:: max(1, len(full) // sample)]
    start = time.perf_counter()
    for i in chosen:
        x, s, p = k[group == i], np.sqrt(w[group == i]), np.sqrt(weight[group == i])
        unit = np.median(s)

        x, s, p = x / unit, s / unit, p / p.max()

        def off(c, x=x, s=s, p=p):
            y = x - c[3]
            shape = 0.5 * (c[2] - c[1]) * y + 0.5 * (c[2] + c[1]) * np.hypot(y, c[4])
            return p * (np.sqrt(np.maximum(c[0] + shape, 1e-9)) - s)

        low, high = [-20, 0, 0, -10, 0.01], [20, 20, 20, 10, 20]
        least_squares(off, [0.5, 0.5, 0.5, 0.0, 1.0], bounds=(low, high), loss="soft_l1")
    return (time.perf_counter() - start) / len(chosen)


def seconds(given, threads):
    found, used = [], []
    for _ in range(7):
        start, busy = time.perf_counter(), time.process_time()
        fit = fit_smiles(*given, threads=threads)
        found.append(time.perf_counter() - start)
        used.append(time.process_time() - busy)
    return float(np.median(found)), float(np.median(used)), fit


def show(day, given, lots, groups, rows):
    one, _, _ = seconds(given, 1)
    two, busy, fit = seconds(given, THREADS)
    arbitrage = find_arbitrage(fit.curves, given[4], given[5])
    points = 100 * np.abs(fit.residual)
    liquid = points[(lots >= LOTS) & ~np.isnan(points)]
    middle = float(np.median(liquid))
    left = int(arbitrage.butterfly.sum()), int(arbitrage.calendar.sum())
    kinds = ", ".join(f"{np.count_nonzero(fit.kind == kind)} {kind.name}" for kind in SmileKind)
    print(f"\n{day}: {rows:,} contracts, {len(points):,} quotes, {len(fit.kind)} slices ({kinds})")
    print(
        f"fit        {two:8.3f} s   on {THREADS} threads, {one:.3f} s on one; "
        f"processor {busy:.3f} s"
    )
    print(f"arbitrage  {left[0]:4d} butterfly, {left[1]:d} calendar; least g", end=" ")
    print(f"{np.nanmin(arbitrage.least_g):.2g}, least step {np.nanmin(arbitrage.least_step):.2g}")
    print(
        f"distance   {middle:8.3f} vol points (median of {len(liquid):,} with {LOTS}+ lots)", end=""
    )
    print(f", 90 % within {np.quantile(liquid, 0.9):.2f}", end="")
    wild = np.count_nonzero(fit.reason == QuoteReason.WILD)
    print(f"; all quotes {np.nanmedian(points):.3f}; {wild} wild")
    print(f"moved      {100 * np.nanquantile(fit.moved, 0.9):8.3f} vol points (90 % of slices)")
    known = (fit.kind == SmileKind.FULL) & (
        np.bincount(given[3][lots >= LOTS], minlength=len(groups)) > 4
    )
    worst = np.flatnonzero(known)[np.argsort(-fit.error[known])[:5]]
    names = [
        f"{groups['symbol'][i]} {groups['expiry'][i]:%d %b} {100 * fit.error[i]:.2f}" for i in worst
    ]
    print("worst      " + ", ".join(names))
    return two, left, middle


def main(folder, days):
    names = [
        folder / f"BhavCopy_NSE_FO_0_0_0_{day.replace('-', '')}_F_0000.csv.zip" for day in days
    ]
    with tempfile.TemporaryDirectory() as home:
        history = ParquetHistory(Path(home) / "nse", "nse")
        import_paths(names, history)
        found = {day: quotes(history, date.fromisoformat(day)) for day in days}
    start = time.perf_counter()
    fit_smiles(*found[days[0]][0])
    print(f"first call {time.perf_counter() - start:8.2f} s   kernels compiled, or read from disk")
    results = {day: show(day, *data) for day, data in found.items()}
    each = one_by_one(found[days[0]][0])
    two, _, middle = results[days[0]]
    slices = len(found[days[0]][0][4])
    print(
        f"\nscipy      {1000 * each:8.2f} ms   a slice; here {1000 * two / slices:.2f}", end=" ms, "
    )
    print(f"{each * slices / two:.0f} times as fast")
    clean = all(not any(result[1]) for result in results.values())
    good = two <= BAR_SECONDS and middle <= BAR_POINTS and clean
    print(f"bar        {BAR_SECONDS / two:.1f} times under {BAR_SECONDS} s, ", end="")
    print(f"{STRETCH / two:.1f} times under the stretch; {'kept' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    place = Path(given[0]) if given else SHARED / "fo_bhavcopy" / "udiff"
    sys.exit(main(place, given[1:] or list(DAYS)))
