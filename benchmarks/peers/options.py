"""Options as the exchange lists them, and their prices to 40 digits."""

from __future__ import annotations

from typing import NamedTuple

import mpmath as mp
import numpy as np

mp.mp.dps = 40


class Options(NamedTuple):
    """Columns of one length."""

    forward: np.ndarray
    strike: np.ndarray
    years: np.ndarray
    vol: np.ndarray
    is_call: np.ndarray

    def part(self, rows: object) -> Options:
        return Options(*(column[rows].copy() for column in self))

    @property
    def otm(self) -> np.ndarray:
        return self.is_call == (self.strike >= self.forward)


def chains(count: int, seed: int = 1) -> Options:
    """200 underlyings: 80 to 9,000 and three index levels; strikes 0.7 to 1.3 forwards on 0.05;
    1 to 91 days; volatility 0.08 to 1.2, lognormal around 0.28; within 5 deviations; 80 % out
    of the money.
    """
    draw = np.random.default_rng(seed)
    levels = np.exp(draw.uniform(np.log(80), np.log(9000), 197))
    levels = np.concatenate([levels, [24000.0, 52000.0, 11000.0]])
    more = 2 * count
    forward = levels[draw.integers(0, 200, more)]
    strike = np.round(forward * draw.uniform(0.7, 1.3, more) / 0.05) * 0.05
    years = draw.integers(1, 92, more) / 365
    vol = np.clip(np.exp(draw.normal(np.log(0.28), 0.45, more)), 0.08, 1.2)
    inside = np.flatnonzero(np.abs(np.log(strike / forward)) <= 5 * vol * np.sqrt(years))[:count]
    is_call = (strike >= forward) == (draw.random(more) < 0.8)
    return Options(forward, strike, years, vol, is_call).part(inside)


def exact_prices(options: Options) -> np.ndarray:
    """Forty digits, rounded once."""
    rows = zip(*options, strict=True)
    return np.array([float(_price(*map(float, row[:4]), bool(row[4]))) for row in rows])


def _price(f: float, k: float, t: float, v: float, call: bool) -> mp.mpf:
    f, k, t, v = (mp.mpf(x) for x in (f, k, t, v))
    s = v * mp.sqrt(t)
    d1 = mp.log(f / k) / s + s / 2

    def below(z: mp.mpf) -> mp.mpf:
        return mp.erfc(-z / mp.sqrt(2)) / 2

    return f * below(d1) - k * below(d1 - s) if call else k * below(s - d1) - f * below(-d1)


def conditioning(options: Options, price: np.ndarray) -> np.ndarray:
    """Relative change of the volatility for one of the price."""
    f, k, t, v, _ = options
    s = v * np.sqrt(t)
    d1 = np.log(f / k) / s + s / 2
    return price / (f * s * np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi))
