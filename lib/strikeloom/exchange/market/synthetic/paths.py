"""Daily and intraday paths of spots and volatilities, all drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strikeloom.exchange.market.synthetic.underlyings import LISTINGS

Floats = NDArray[np.float64]

DAYS_PER_YEAR = 250
_DRIFT = 0.08
_VOL_REVERSION = 0.06  # of the log-volatility gap, each day
_VOL_OF_VOL = 0.08


@dataclass(frozen=True)
class Paths:
    """Daily levels, shape (days, underlyings), before any split.

    ``spot_vol`` is the instantaneous volatility at the close, ``long_vol`` what it reverts to.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    spot_vol: Floats
    long_vol: Floats
    volume: NDArray[np.int64]


def daily_paths(seed: int, days: int) -> Paths:
    """Draw ``days`` days of a market whose volatility clusters and reverts.

    Returns follow one common factor and an own part; log-volatility is an Ornstein-Uhlenbeck
    walk with a common shock that rises when the market falls.
    """
    rng = np.random.default_rng([seed, 1])
    count = len(LISTINGS)
    long_vol = np.array([row.vol for row in LISTINGS])
    beta = np.array([row.beta for row in LISTINGS])
    factor_vol = LISTINGS[0].vol
    own_share = np.sqrt(np.maximum(long_vol**2 - (beta * factor_vol) ** 2, (0.3 * long_vol) ** 2))
    log_gap = rng.normal(0, 0.23, count)
    close = np.array([row.level for row in LISTINGS])
    kept: dict[str, list[Floats]] = {name: [] for name in ("open", "high", "low", "close", "vol")}
    for _ in range(days):
        common, own = rng.standard_normal(), rng.standard_normal(count)
        scale = np.exp(log_gap) / np.sqrt(DAYS_PER_YEAR)
        step = scale * (beta * factor_vol * common + own_share * own) + _DRIFT / DAYS_PER_YEAR
        step[0] = scale[0] * factor_vol * common + _DRIFT / DAYS_PER_YEAR
        gap = 0.35 * step + 0.2 * scale * long_vol * rng.standard_normal(count)
        opens, before = close * np.exp(gap), close
        close = before * np.exp(step)
        reach = np.abs(rng.standard_normal((2, count))) * 0.4 * scale * long_vol
        kept["open"].append(opens)
        kept["high"].append(np.maximum(opens, close) * np.exp(reach[0]))
        kept["low"].append(np.minimum(opens, close) * np.exp(-reach[1]))
        kept["close"].append(close)
        shared = -0.45 * common + 0.36 * rng.standard_normal()
        shock = shared + 0.8 * rng.standard_normal(count)
        log_gap = (1 - _VOL_REVERSION) * log_gap + _VOL_OF_VOL * shock
        kept["vol"].append(long_vol * np.exp(log_gap))
    volume = rng.lognormal(14.0, 0.6, (days, count)).astype(np.int64)
    return Paths(
        open=np.array(kept["open"]),
        high=np.array(kept["high"]),
        low=np.array(kept["low"]),
        close=np.array(kept["close"]),
        spot_vol=np.array(kept["vol"]),
        long_vol=np.broadcast_to(long_vol, (days, count)).copy(),
        volume=volume,
    )


def intraday_paths(seed: int, start: Floats, vol: Floats, moments: int) -> tuple[Floats, Floats]:
    """Spots and volatilities through one session, shape (moments, underlyings) each.

    The first moment is the open, with an overnight gap. Volatility rises as the spot falls.
    """
    rng = np.random.default_rng([seed, 2])
    count = len(start)
    beta = np.array([row.beta for row in LISTINGS])
    common = rng.standard_normal((moments, 1))
    own = rng.standard_normal((moments, count))
    both = (np.sign(beta) * common + own) / np.sqrt(2)
    step = vol / np.sqrt(DAYS_PER_YEAR * moments) * both
    step[0] = vol / np.sqrt(DAYS_PER_YEAR) * 0.4 * both[0]
    shock = -0.45 * both + 0.9 * rng.standard_normal((moments, count))
    log_vol = np.cumsum(_VOL_OF_VOL / np.sqrt(moments) * shock, axis=0)
    return np.asarray(start * np.exp(np.cumsum(step, axis=0))), np.asarray(vol * np.exp(log_vol))
