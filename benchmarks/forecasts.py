"""Forecasts of realised variance out of sample, on the exchange's own cash files.

    .venv/bin/python benchmarks/forecasts.py [FOLDER]

FOLDER is ``STRIKELOOM_SHARED/data``. 324 sessions of the stocks with options, adjusted for
splits; origins are every tenth session of the second half, and a model sees nothing after its
origin. Judged by QLIKE (ratio - ln ratio - 1) and by the mean squared error of volatility, against
two measures of what came: the sessions' ranges with their nights, and squared close-to-close
returns. Both losses rank models rightly under a noisy but unbiased measure (A. Patton,
"Volatility forecast comparison using imperfect volatility proxies", 2011). GARCH(1,1) is the
library arch's (group ``bench``), fitted to each stock at each origin.
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

from strikeloom.quant.forecast import fit_har, har_forecast
from strikeloom.quant.realised import daily_variance

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
HORIZONS, EVERY, STOCKS, SESSIONS = (5, 21), 10, 60, 250.0


def sides(folder: Path) -> list[pd.DataFrame]:
    """Open, high, low and close of every stock with options, adjusted; a column a session."""
    from strikeloom.adapters.bhavcopy.importer import import_paths
    from strikeloom.adapters.parquet.history import ParquetHistory

    with tempfile.TemporaryDirectory() as home:
        history = ParquetHistory(Path(home), "nse")
        import_paths([next((folder / "cm_bhavcopy").glob("fno_underlyings*.csv.gz"))], history)
        last = date(2026, 3, 19)
        frame = history.as_of(last).prices(date(2024, 12, 2), last)
    names = ("open", "high", "low", "close")
    return [frame.pivot_table(index="symbol", columns="day", values=name) for name in names]


def bars(folder: Path) -> tuple[np.ndarray, ...]:
    """Open, high, low, close of every stock that traded on all sessions, adjusted."""
    tables = [table[table.notna().all(axis=1)] for table in sides(folder)]
    common = tables[0].index
    for table in tables[1:]:
        common = common.intersection(table.index)
    return tuple(table.loc[common].to_numpy() for table in tables)


def garch(returns: np.ndarray, horizon: int) -> float:
    """Mean variance a session ahead of one stock; NaN where the fit does not converge."""
    from arch import arch_model

    scale = 1 / np.std(returns)
    model = arch_model(scale * returns, mean="Zero", p=1, q=1)
    fitted = model.fit(disp="off", show_warning=False)
    ahead = fitted.forecast(horizon=horizon, reindex=False).variance.to_numpy()[-1]
    return float(ahead.mean() / scale**2) if fitted.convergence_flag == 0 else np.nan


def smoothed(variance: np.ndarray, decay: float = 0.94) -> np.ndarray:
    weights = decay ** np.arange(variance.shape[1])[::-1]
    return variance @ weights / weights.sum()


def forecasts(daily: np.ndarray, returns: np.ndarray, chosen: np.ndarray, horizon: int) -> dict:
    """Forecasts of the chosen stocks by each model; everything given is known."""
    squared = returns**2
    return {
        "last month (naive)": daily[chosen, -22:].mean(axis=1),
        "exponential, 0.94": smoothed(daily[chosen]),
        "GARCH(1,1), each stock": np.array([garch(returns[i], horizon) for i in chosen]),
        "HAR, pooled": har_forecast(fit_har(daily, horizon), daily[chosen]),
        "exponential of squared returns": smoothed(squared[chosen]),
    }


def main(folder: Path) -> None:
    first, top, bottom, close = bars(folder)
    daily = daily_variance(first, top, bottom, close)[:, 1:]
    returns = np.diff(np.log(close), axis=1)
    count, sessions = daily.shape
    chosen = np.arange(0, count, max(1, count // STOCKS))
    print(f"{count} stocks, {sessions} sessions; judged on {len(chosen)} of them")
    for horizon in HORIZONS:
        losses: dict[str, list[np.ndarray]] = {}
        spent: dict[str, float] = {}
        origins = range(sessions // 2, sessions - horizon, EVERY)
        for origin in origins:
            begun = time.perf_counter()
            made = forecasts(daily[:, :origin], returns[:, :origin], chosen, horizon)
            spent["all"] = spent.get("all", 0) + time.perf_counter() - begun
            came = {
                "ranges": daily[chosen, origin : origin + horizon].mean(axis=1),
                "returns": (returns[chosen, origin : origin + horizon] ** 2).mean(axis=1),
            }
            for name, value in made.items():
                for truth, seen in came.items():
                    ratio = seen / value
                    off = 100 * np.sqrt(SESSIONS) * (np.sqrt(seen) - np.sqrt(value))
                    pair = np.stack((ratio - np.log(ratio) - 1, off**2))
                    losses.setdefault(f"{name}|{truth}", []).append(pair)
        whole = {name: np.concatenate(parts, axis=1) for name, parts in losses.items()}
        # the same rows for all: where every model has a forecast
        good = np.isfinite(np.stack([part.sum(axis=0) for part in whole.values()])).all(axis=0)
        print(f"\n{horizon} sessions ahead, {len(origins)} origins, {good.sum()} forecasts each; "
              f"{spent['all']:.0f} s")  # fmt: skip
        print(f"{'model':<34}{'QLIKE':>9}{'RMSE':>8}   {'QLIKE':>9}{'RMSE':>8}")
        print(f"{'':<34}{'against ranges':>17}   {'against returns':>17}")
        for name in dict.fromkeys(key.split("|")[0] for key in whole):
            cells = []
            for truth in ("ranges", "returns"):
                qlike, square = whole[f"{name}|{truth}"][:, good].mean(axis=1)
                cells.append(f"{qlike:9.4f}{np.sqrt(square):8.2f}")
            print(f"{name:<34}{cells[0]}   {cells[1]}")


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    if not place.is_dir():
        sys.exit(f"no exchange files in {place}; name their folder")
    main(place)
