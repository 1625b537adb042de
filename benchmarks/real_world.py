"""Real-world density against the model alone, walk-forward on the exchange's own index files.

    .venv/bin/python benchmarks/real_world.py [FOLDER [HOME]]

FOLDER is ``STRIKELOOM_SHARED/data``. NIFTY closes and India VIX, 2015-01 to 2026-07. Each session
is an origin once 24 separate windows are past. At an origin only windows that have ended are
known. The models: lognormal with India VIX; and lognormal with a forecast from daily ranges
(``quant.forecast``, fitted to NIFTY's own past at each origin), with which stage 02 mixes. Judged:
the Brier score of "ends within one expected deviation" (the body; the deviation is India VIX's) and
of ends below and above, the logarithmic score over halves of a deviation, PIT and coverage.
Standard errors are Newey and West's (1987), over twice the horizon: windows of neighbouring origins
overlap.

Written apart from the library in what it judges: its own ranks of past moves (an empirical count,
without tables) are printed beside the library's distribution, so that a fault in one of them
shows. ``walk_forward`` is the library's; ``counted`` is not.

The last part carries the shape of the index to the stocks of the cash files, whose width is the
pooled forecast of ``quant.forecast``, against a lognormal of the same width. Errors there are over
windows that do not overlap, each of which counts once however many stocks it has.

With HOME, a desk's home in which stage 01 has run over many days of index options, the density is
also compared with the smiles themselves: what came at each expiry, seen from every day before it.
An expiry counts once and t is over expiries: beyond a week they overlap, and t is too high.
"""

from __future__ import annotations

import gzip
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from forecasts import bars
from scipy.special import ndtr

from strikeloom.quant.forecast import fit_har, har_forecast
from strikeloom.quant.probability.at_expiry import Law, lognormal
from strikeloom.quant.probability.past_moves import past_moves
from strikeloom.quant.probability.real_world import real_world
from strikeloom.quant.realised import daily_variance
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.model_free import model_free_variance

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
HORIZONS, YEAR, FEWEST = (5, 21), 250.0, 24
EDGES = np.array([-np.inf, *np.arange(-2.5, 2.51, 0.5), np.inf])
BANDS = (0.50, 0.80, 0.95)


def levels(folder: Path) -> pd.DataFrame:
    """NIFTY and India VIX of the days that have both, by plain pandas."""
    parts = [
        pd.read_csv(folder / "indices" / f"{name}.csv.gz", index_col="date", parse_dates=True)
        for name in ("nifty50_2015_2025", "nifty50_2024-08_2026-08")
    ]
    sides = pd.concat([part[["open", "high", "low", "close"]] for part in parts])
    sides = sides[~sides.index.duplicated()].sort_index()
    with gzip.open(folder / "indices" / "india_vix_2012_2026.csv.gz", "rt") as lines:
        vix = pd.read_csv(lines, skipinitialspace=True)
    vix.columns = vix.columns.str.strip()
    vix.index = pd.to_datetime(vix["Date"], format="%d-%b-%Y")
    vol = pd.to_numeric(vix["Close"], errors="coerce") / 100
    return sides.rename(columns={"close": "level"}).assign(vol=vol[vol > 0]).dropna()


def newey_west(values: np.ndarray, lag: int) -> tuple[float, float]:
    """Mean and its standard error with Bartlett weights."""
    mean = float(values.mean())
    away = values - mean
    total = float(away @ away)
    for k in range(1, lag + 1):
        total += 2 * (1 - k / (lag + 1)) * float(away[k:] @ away[:-k])
    return mean, float(np.sqrt(total)) / len(values)


def moves(frame: pd.DataFrame, horizon: int) -> np.ndarray:
    level, vol = frame["level"].to_numpy(), frame["vol"].to_numpy()
    expected = vol[:-horizon] * np.sqrt(horizon / YEAR)
    return np.log(level[horizon:] / level[:-horizon]) / expected


def counted(z: np.ndarray, origin: int, horizon: int) -> np.ndarray:
    """Share of past moves at or below each finite edge, mixed with the normal distribution."""
    past = z[: origin - horizon + 1]
    n = len(past) // horizon
    below = (past[:, None] - past.mean() <= EDGES[1:-1]).mean(axis=0)
    return (n * below + 24 * ndtr(EDGES[1:-1])) / (n + 24)


def forecast(frame: pd.DataFrame, horizon: int, origins: np.ndarray) -> np.ndarray:
    """Variance over the horizon, from NIFTY's own daily ranges up to each origin."""
    sides = [frame[[side]].to_numpy().T for side in ("open", "high", "low", "level")]
    daily = daily_variance(*sides)
    known = [daily[:, : at + 1] for at in origins]
    return np.array([har_forecast(fit_har(d, horizon), d)[0] * horizon for d in known])


def walk_forward(
    frame: pd.DataFrame, horizon: int, origins: np.ndarray, variance: np.ndarray
) -> dict[str, np.ndarray]:
    """Distribution at the edges and at what came, by the library and by the model.

    ``variance`` is the model's, one an origin.
    """
    level, vol = frame["level"].to_numpy(), frame["vol"].to_numpy()
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("edges", "raw", "pit", "raw_pit")}
    for at, of_model in zip(origins, variance, strict=True):
        past = past_moves(level[: at + 1], vol[: at + 1], horizon, YEAR)
        deviation = np.array([vol[at] * np.sqrt(horizon / YEAR)])
        model = lognormal([level[at]], [of_model])
        both = real_world(model, [past], deviation)
        inner, came = EDGES[1:-1] * deviation, np.log(level[at + horizon] / level[at])
        found["edges"].append(both.cdf(inner))
        found["raw"].append(model.cdf(inner))
        found["pit"].append(both.cdf(came))
        found["raw_pit"].append(model.cdf(came))
    return {name: np.array(rows) for name, rows in found.items()}


def events(below: np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities of the judged events from the distribution at the finite edges."""
    at = {round(edge, 1): below[:, place] for place, edge in enumerate(EDGES[1:-1])}
    return {
        "within 1": at[1.0] - at[-1.0],
        "within 0.5": at[0.5] - at[-0.5],
        "below -1": at[-1.0],
        "below -2": at[-2.0],
        "above 1": 1 - at[1.0],
    }


def log_score(below: np.ndarray, came: np.ndarray) -> np.ndarray:
    whole = np.hstack((np.zeros((len(below), 1)), below, np.ones((len(below), 1))))
    cell = np.searchsorted(EDGES, came) - 1
    return np.log(np.maximum(np.diff(whole, axis=1)[np.arange(len(below)), cell], 1e-12))


def index_part(frame: pd.DataFrame) -> None:
    for horizon in HORIZONS:
        z = moves(frame, horizon)
        origins = np.arange(FEWEST * horizon + horizon - 1, len(z))
        print(f"\n{horizon} sessions: {len(origins)} origins, {len(origins) // horizon} separate")
        print(f"  whole sample: {1000 * np.mean(np.abs(z) < 1):.0f} of 1,000 within 1, "
              f"rms {np.sqrt(np.mean(z * z)):.2f}, {len(z) // horizon} windows")  # fmt: skip
        expected = frame["vol"].to_numpy()[origins] ** 2 * horizon / YEAR
        start = time.process_time()
        found = walk_forward(frame, horizon, origins, expected)
        spent = time.process_time() - start
        by_count = np.array([counted(z, at, horizon) for at in origins])
        apart = np.abs(by_count - found["edges"])
        print(f"  library less count: mean {apart.mean():.4f}, highest {apart.max():.4f}; "
              f"{1e3 * spent / len(origins):.2f} ms CPU an origin")  # fmt: skip
        judge("India VIX", found, by_count, z[origins], horizon)
        calibration(found, horizon)
        later = origins[origins >= 500]  # a forecast needs a past of its own
        found = walk_forward(frame, horizon, later, forecast(frame, horizon, later))
        judge("forecast", found, by_count[-len(later) :], z[later], horizon)


def judge(
    model: str,
    found: dict[str, np.ndarray],
    by_count: np.ndarray,
    came: np.ndarray,
    horizon: int,
) -> None:
    """Scores of the mixed distribution and of a count apart, against the model's."""
    outcome = events((came[:, None] <= EDGES[1:-1]).astype(float))
    tables = (events(found["raw"]), events(found["edges"]), events(by_count))
    print(f"  model: {model}, {len(came)} origins")
    print("  event        share  model  mixed   Brier   better   t    by count")
    for name, happened in outcome.items():
        raw, mine, count = (table[name] for table in tables)
        gain, error = newey_west((raw - happened) ** 2 - (mine - happened) ** 2, 2 * horizon)
        whole = float(np.mean((raw - happened) ** 2))
        second = float(np.mean((raw - happened) ** 2 - (count - happened) ** 2))
        print(f"  {name:11s} {happened.mean():6.3f} {raw.mean():6.3f} {mine.mean():6.3f} "
              f"{whole:7.4f} {100 * gain / whole:+6.2f} % {gain / error:+5.1f} "
              f"{100 * second / whole:+6.2f} %")  # fmt: skip
    score, error = newey_west(
        log_score(found["edges"], came) - log_score(found["raw"], came), 2 * horizon
    )
    print(f"  log score by halves of a deviation {score:+.4f} (t {score / error:+.1f})")


def calibration(found: dict[str, np.ndarray], horizon: int) -> None:
    for name, key in (("model", "raw_pit"), ("mixed", "pit")):
        pit = found[key][:, 0]
        tenths = np.histogram(pit, bins=np.linspace(0, 1, 11))[0] / len(pit)
        print(f"  PIT {name}: " + " ".join(f"{share:.3f}" for share in tenths))
        for band in BANDS:
            inside = (np.abs(pit - 0.5) < 0.5 * band).astype(float)
            share, error = newey_west(inside, 2 * horizon)
            print(f"    band of {band:.0%}: {share:.3f} (error {error:.3f})")


def stock_part(frame: pd.DataFrame, folder: Path) -> None:
    """Stocks from the 120th session of their files on; the index's shape of the years before."""
    sides = bars(folder)
    daily, close = daily_variance(*sides), sides[3]
    before = frame[frame.index < "2024-12-01"]
    print(f"\nstocks: {close.shape[0]} of {close.shape[1]} sessions; shape of the index to 2024-11")
    for horizon in HORIZONS:
        index = past_moves(before["level"].to_numpy(), before["vol"].to_numpy(), horizon, YEAR)
        past = index.even  # as a stock has it
        z = []
        for at in range(120, close.shape[1] - horizon, horizon):
            known = daily[:, : at + 1]
            expected = np.sqrt(har_forecast(fit_har(known, horizon), known) * horizon)
            z.append(np.log(close[:, at + horizon] / close[:, at]) / expected)
        came = np.array(z)
        one = np.array([0.05])  # of a stock's deviation; shape alone is judged
        density = real_world(lognormal([1.0], one**2), [past], one / past.width)
        for name, law in (("lognormal", density.model), ("shape of the index", density)):
            inside = float(np.diff(law.cdf(np.array([-1.0, 1.0]) * one))[0])
            tail = float(law.cdf(-2.0 * one)[0])
            happened, fell = np.abs(came) < 1, came < -2
            brier = np.mean((happened - inside) ** 2)
            print(f"  {horizon:2d} sessions, {name:18s}: within 1 {inside:.3f} against "
                  f"{_share(happened)}, below -2 {tail:.3f} against {_share(fell)}, "
                  f"Brier {brier:.4f}, {len(came)} windows")  # fmt: skip
        print(f"     rms of the moves {np.sqrt(np.nanmean(came**2)):.3f}")


def smile_part(frame: pd.DataFrame, home: Path) -> None:
    """Each index's own smiles of every day and what came at their expiries."""
    days = sorted((home / "volatility" / "nse" / "expiries").glob("*.parquet"))
    whole = pd.concat([pd.read_parquet(path) for path in days])
    spots = pd.concat(
        [
            pd.read_parquet(
                path.parents[1] / "summary" / path.name, columns=["symbol", "day", "spot"]
            )
            for path in days
        ]
    ).set_index(["symbol", "day"])["spot"]
    sessions = frame.index
    whole = whole[(whole["quotes"] >= 20) & whole["level"].notna() & whole["expiry"].isin(sessions)]
    ahead = sessions.searchsorted(whole["expiry"]) - sessions.searchsorted(whole["day"])
    whole = whole.assign(
        ahead=ahead,
        came=spots.reindex(pd.MultiIndex.from_frame(whole[["symbol", "expiry"]])).to_numpy(),
    )
    print(f"\nsmiles of {len(days)} days; probability of within one deviation at the money")
    for symbol in ("NIFTY", "BANKNIFTY"):
        for low, high in ((1, 3), (4, 6), (7, 12), (13, 25)):
            rows = whole[(whole["symbol"] == symbol) & whole["ahead"].between(low, high)]
            on_smiles(frame, rows[rows["came"].notna()], f"{symbol:9s} {low:2d} to {high:2d}")


def on_smiles(frame: pd.DataFrame, rows: pd.DataFrame, title: str) -> None:
    smiles = Curves(*(rows[name].to_numpy(dtype=float) for name in Curves._fields))
    forward, years = rows["forward"].to_numpy(), rows["years"].to_numpy()
    variance = model_free_variance(smiles)
    ends = frame.index.searchsorted(rows["day"], side="right")
    level, vol = frame["level"].to_numpy(), frame["vol"].to_numpy()
    pasts = [
        past_moves(level[:end], vol[:end], int(ahead), YEAR)
        for end, ahead in zip(ends, rows["ahead"], strict=True)
    ]
    both = real_world(lognormal(forward, variance), pasts, np.sqrt(variance))
    edge = rows["atm_iv"].to_numpy() * np.sqrt(years)
    came = np.log(rows["came"].to_numpy() / forward)
    happened = (np.abs(came) < edge).astype(float)
    smile, mine = (law.cdf(edge) - law.cdf(-edge) for law in (Law(forward, smiles), both))
    gain = pd.Series((smile - happened) ** 2 - (mine - happened) ** 2)
    each = gain.groupby(rows["expiry"].to_numpy()).mean()
    t = each.mean() / (each.std(ddof=1) / np.sqrt(len(each)))
    expected = vol[ends - 1] * np.sqrt(rows["ahead"].to_numpy() / YEAR)
    pit = both.cdf(came)
    bands = " ".join(f"{np.mean(np.abs(pit - 0.5) < 0.5 * band):.3f}" for band in BANDS)
    brier = np.mean((smile - happened) ** 2)
    print(f"  {title}: {len(each)} expiries; deviation over India VIX's "
          f"{np.median(np.sqrt(variance) / expected):.2f}; came {happened.mean():.3f}, smile "
          f"{smile.mean():.3f}, mixed {mine.mean():.3f}; Brier {brier:.4f}, better by "
          f"{100 * gain.mean() / brier:+.1f} % (t {t:+.1f}); bands {bands}")  # fmt: skip


def _share(happened: np.ndarray) -> str:
    each = happened.mean(axis=1)
    return f"{each.mean():.3f} (error {each.std(ddof=1) / np.sqrt(len(each)):.3f})"


def main(folder: Path, home: Path | None) -> None:
    frame = levels(folder)
    print(f"{len(frame)} sessions, {frame.index[0]:%Y-%m-%d} to {frame.index[-1]:%Y-%m-%d}")
    index_part(frame)
    stock_part(frame, folder)
    if home is not None:
        smile_part(frame, home)


if __name__ == "__main__":
    GIVEN = [Path(text) for text in sys.argv[1:]]
    main(GIVEN[0] if GIVEN else SHARED, GIVEN[1] if len(GIVEN) > 1 else None)
