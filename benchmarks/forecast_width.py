"""How wide: forecast, at-the-money volatility and their blend against what came.

    .venv/bin/python benchmarks/forecast_width.py [FOLDER [HOME]]

FOLDER is ``STRIKELOOM_SHARED/data``; HOME a desk's home in which stage 01 has run over many days of
options, for the stocks. Nothing is drawn at random: two runs print the same.

A width is the deviation of a session until an expiry. Its forecast is ``quant.forecast``'s, fitted
at each origin to the 88 sessions before it as stage 02 does (to NIFTY's own past over its long
history); what came is the mean of the sessions' range variances, and beside it of squared returns
between closes. The blend is weight x ln(forecast) + (1 - weight) x ln(implied), and its weight is
taken from the other windows alone: another half of the years, the other expiries.

What came is itself noisy. So the error of a width is the covariance of its two errors against the
odd and against the even sessions of a window, which have the width in common and not the noise:
``error`` below, as a log ratio. Of the stocks it is taken apart into what all have in common on a
day and what is a stock's own. Few expiries have passed, so the common part is also carried over
from the index: the slope of the stocks' on NIFTY's forecast error times the error of NIFTY's blend
over ten years.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from forecasts import SHARED, sides
from real_world import YEAR, levels

from strikeloom.errors import DataError
from strikeloom.nse.edges import expected_days
from strikeloom.quant.forecast import fit_har, har_forecast
from strikeloom.quant.probability.blended_width import FORECAST_WEIGHT
from strikeloom.quant.realised import daily_variance

HORIZONS, SPAN, FEWEST = (5, 10, 21), 88, 500
WEIGHTS = np.round(np.arange(0.0, 1.01, 0.1), 1)


def covariance(one: pd.Series, two: pd.Series) -> float:
    return float(np.mean((one - one.mean()) * (two - two.mean())))


def root(square: float) -> float:
    return float(np.sqrt(max(square, 0.0)))


def came(variance: np.ndarray, squares: np.ndarray) -> dict[str, np.ndarray]:
    """What came in windows, a row each: by ranges, by closes, by the odd and even sessions."""
    return {
        "ranges": variance.mean(axis=1),
        "closes": squares.mean(axis=1),
        "odd": variance[:, ::2].mean(axis=1),
        "even": variance[:, 1::2].mean(axis=1),
    }


def blend(rows: pd.DataFrame, weight: float) -> pd.Series:
    """Logarithm of the width."""
    logs = weight * np.log(rows["forecast"]) + (1 - weight) * np.log(rows["implied"])
    return 0.5 * logs


def halves(rows: pd.DataFrame, weight: float) -> tuple[pd.Series, pd.Series]:
    """Log errors against the odd and the even sessions."""
    width = blend(rows, weight)
    return 0.5 * np.log(rows["odd"]) - width, 0.5 * np.log(rows["even"]) - width


def error(rows: pd.DataFrame, weight: float) -> float:
    """Error of a width without the noise of what came, as a log ratio."""
    return root(covariance(*halves(rows, weight)))


def best(rows: pd.DataFrame) -> float:
    return float(WEIGHTS[np.argmin([covariance(*halves(rows, w)) for w in WEIGHTS])])


def apart(rows: pd.DataFrame, weight: float) -> tuple[float, float]:
    """Error that a day's stocks have in common, and a stock's own."""
    odd, even = halves(rows, weight)
    days = [part.groupby(rows["day"]).transform("mean") for part in (odd, even)]
    own = float(np.mean((odd - days[0]) * (even - days[1])))
    means = [part.groupby(rows["day"]).mean() for part in (odd, even)]
    return root(covariance(*means)), root(own)


def qlike(rows: pd.DataFrame, width: pd.Series) -> float:
    ratio = rows["ranges"] / np.exp(2 * width)
    return float(np.mean(ratio - np.log(ratio) - 1))


def judge(title: str, rows: pd.DataFrame, fold: pd.Series, *, parted: bool) -> None:
    """Table of the models; the blend of a fold has the weight of the others."""
    chosen = {name: best(rows[fold != name]) for name in fold.unique()}
    weights = fold.map(chosen).astype(float)
    taken = ", ".join(f"{name}: {weight:.1f}" for name, weight in chosen.items())
    print(f"\n{title}: {len(rows)} windows; weight by the others {taken}; best of all {best(rows)}")
    print(
        "  model      came over it    QLIKE  raw sd   error" + ("  common    own" if parted else "")
    )
    made = {"forecast": 1.0, "implied": 0.0, "blend": None, "as used": FORECAST_WEIGHT}
    for name, weight in made.items():
        used = weights if weight is None else pd.Series(weight, rows.index)
        width = used * blend(rows, 1.0) + (1 - used) * blend(rows, 0.0)
        ratio = [np.sqrt(np.mean(rows[by] / np.exp(2 * width))) for by in ("ranges", "closes")]
        spread = float(np.std(0.5 * np.log(rows["ranges"]) - width))
        line = (
            f"  {name:9s} {ratio[0]:6.3f} {ratio[1]:6.3f} {qlike(rows, width):8.4f} {spread:7.3f}"
        )
        if weight is not None:
            line += f" {error(rows, weight):7.3f}"
            if parted:
                line += " {:7.3f} {:6.3f}".format(*apart(rows, weight))
        print(line)


def windows(
    variance: np.ndarray,
    squares: np.ndarray,
    horizon: int,
    first: int,
    forecast: Callable[[int], np.ndarray],
) -> pd.DataFrame:
    """Rows of every series at every origin, of arrays of shape (series, sessions)."""
    parts = []
    for at in range(first, variance.shape[1] - horizon):
        ahead = slice(at + 1, at + 1 + horizon)
        whole = came(variance[:, ahead], squares[:, ahead])
        part = pd.DataFrame({"forecast": forecast(at), **whole})
        parts.append(part.assign(at=at, row=np.arange(len(variance))))
    return usable(pd.concat(parts, ignore_index=True))


def usable(rows: pd.DataFrame) -> pd.DataFrame:
    sound = rows[["forecast", "odd", "even", "closes"]]
    return rows[(sound > 0).all(axis=1)]


def rolling(variance: np.ndarray, horizon: int) -> Callable[[int], np.ndarray]:
    """The pooled forecast of all series at an origin, from the sessions that stage 02 reads."""

    def at_origin(at: int) -> np.ndarray:
        known = variance[:, max(0, at - SPAN + 1) : at + 1]
        try:
            return har_forecast(fit_har(known, horizon), known)
        except DataError:
            return np.full(len(variance), np.nan)

    return at_origin


def index_part(frame: pd.DataFrame) -> dict[int, float]:
    """NIFTY with India VIX; error of the blend at each horizon."""
    series = [frame[[side]].to_numpy().T for side in ("open", "high", "low", "level")]
    variance = daily_variance(*series)
    squares = squared_returns(frame[["level"]].to_numpy().T)
    found = {}
    for horizon in HORIZONS:

        def own(at: int, horizon: int = horizon) -> np.ndarray:
            known = variance[:, : at + 1]
            return har_forecast(fit_har(known, horizon), known)

        rows = windows(variance, squares, horizon, FEWEST, own)
        rows["implied"] = frame["vol"].to_numpy()[rows["at"]] ** 2 / YEAR
        late = pd.Series(np.where(frame.index[rows["at"]].year > 2021, "2022 on", "to 2021"),
                         rows.index)  # fmt: skip
        title = f"NIFTY, India VIX, {horizon} sessions ({len(rows) // horizon} separate)"
        judge(title, rows, late, parted=False)
        found[horizon] = error(rows, FORECAST_WEIGHT)
    return found


def squared_returns(close: np.ndarray) -> np.ndarray:
    found = np.full(close.shape, np.nan)
    found[:, 1:] = np.diff(np.log(close), axis=1) ** 2
    return found


def carried_part(
    tables: list[pd.DataFrame], frame: pd.DataFrame, of_index: dict[int, float]
) -> None:
    """Common error of the stocks' forecast on NIFTY's over the sessions of the cash files."""
    days = tables[0].columns
    index = [frame[side].reindex(days).to_numpy() for side in ("open", "high", "low", "level")]
    series = [np.vstack((table.to_numpy(), one)) for table, one in zip(tables, index, strict=True)]
    variance, squares = daily_variance(*series), squared_returns(series[3])
    print(f"\n{len(variance) - 1} stocks and NIFTY, {len(days)} sessions, forecast alone")
    for horizon in HORIZONS:
        rows = windows(variance, squares, horizon, 60, rolling(variance, horizon))
        rows = rows.assign(implied=rows["forecast"], day=rows["at"])
        nifty, stocks = (rows[(rows["row"] == len(variance) - 1) == own] for own in (True, False))
        common, own = apart(stocks, 1.0)
        one = [part.groupby(stocks["at"]).mean() for part in halves(stocks, 1.0)]
        two = [part.set_axis(nifty["at"]) for part in halves(nifty, 1.0)]
        both = one[0].index.intersection(two[0].index)
        one, two = [p[both] for p in one], [p[both] for p in two]
        slope = 0.5 * (covariance(one[0], two[1]) + covariance(one[1], two[0]))
        slope /= covariance(*two)
        ratio = [np.sqrt(np.mean(stocks[by] / stocks["forecast"])) for by in ("ranges", "closes")]
        print(f"  {horizon:2d} sessions: came over it {ratio[0]:.3f} {ratio[1]:.3f}; error in "
              f"common {common:.3f}, own {own:.3f}; slope on NIFTY's {slope:.2f}, so a blend's "
              f"common error is {slope * of_index[horizon]:.3f}")  # fmt: skip


def stock_part(tables: list[pd.DataFrame], home: Path) -> None:
    """Stocks with their own volatilities until each expiry, from every day of the home."""
    days, symbols = tables[0].columns, tables[0].index
    series = [table.to_numpy() for table in tables]
    variance, squares = daily_variance(*series), squared_returns(series[3])
    columns = ["symbol", "day", "expiry", "years", "atm_iv", "quality"]
    folder = home / "volatility" / "nse" / "expiries"
    listed = pd.concat(
        [pd.read_parquet(p, columns=columns) for p in sorted(folder.glob("*.parquet"))]
    )
    known = listed["symbol"].isin(symbols) & listed["day"].isin(days)
    listed = listed[known & listed["quality"].isin(["A", "B"])]
    ahead = [
        len(expected_days(a.date(), b.date())) - 1
        for a, b in zip(listed["day"], listed["expiry"], strict=True)
    ]
    listed = listed.assign(
        at=days.searchsorted(listed["day"]), ahead=ahead, row=symbols.get_indexer(listed["symbol"])
    )
    listed = listed[listed["ahead"].between(3, 30)]
    parts = []
    for (origin, ahead), rows in listed.groupby(["at", "ahead"]):
        place = rows["row"].to_numpy()
        window = slice(origin + 1, min(origin + 1 + ahead, len(days)))
        if window.stop - window.start < 3:
            continue
        whole = came(variance[place, window], squares[place, window])
        forecast = rolling(variance, ahead)(origin)[place]
        implied = rows["atm_iv"] ** 2 * rows["years"] / ahead
        parts.append(rows.assign(forecast=forecast, implied=implied, **whole))
    rows = usable(pd.concat(parts, ignore_index=True))
    ends = rows["expiry"].dt.strftime("%Y-%m-%d")
    judge(f"stocks, {rows['day'].nunique()} days", rows, ends, parted=True)
    for low, high in ((3, 6), (7, 14), (15, 25)):
        mine = rows["ahead"].between(low, high)
        judge(f"stocks, {low} to {high} sessions", rows[mine], ends[mine], parted=True)


def main(folder: Path, home: Path | None) -> None:
    frame, tables = levels(folder), sides(folder)
    carried_part(tables, frame, index_part(frame))
    if home is not None:
        stock_part(tables, home)


if __name__ == "__main__":
    GIVEN = [Path(text) for text in sys.argv[1:]]
    main(GIVEN[0] if GIVEN else SHARED, GIVEN[1] if len(GIVEN) > 1 else None)
