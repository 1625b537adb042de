"""A chain with two expiries on fitted smiles, for the tests of candidates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from strikeloom.quant.candidates.contracts import Contracts, Horizons, ValueTables, value_tables
from strikeloom.quant.candidates.densities import Densities, price_nodes
from strikeloom.quant.smile.curves import Curves, total_variance
from strikeloom.quant.smile.density import call, cdf, put
from strikeloom.quant.smile.fit import fit_smiles

SPOT = 100.0
FORWARD, LATER_FORWARD = 100.6, 101.3
YEARS, LATER_YEARS = 0.1, 0.2
DISCOUNT, LATER_DISCOUNT = 0.994, 0.987
HOLDING = 5 / 365
STRIKES = np.arange(80.0, 122.5, 2.5)
REAL_MEAN, REAL_DEVIATION = 100.3, 0.055
WIDTH_ERROR = 0.2  # of the logarithm of that deviation


def smile(years: float, level: float) -> Curves:
    """A steep equity smile, fitted as any other."""
    k = np.linspace(-0.3, 0.25, 23)
    vol = level - 0.35 * k + 0.9 * k * k
    one = np.zeros(len(k), dtype=np.int64)
    fit = fit_smiles(
        k, vol * vol * years, np.ones(len(k)), one, np.array([years]), np.zeros(1, dtype=np.int64)
    )
    return fit.curves


NEAR, LATER = smile(YEARS, 0.22), smile(LATER_YEARS, 0.20)


def flat(vol: float, years: float) -> Curves:
    return Curves.flat(np.array([vol * vol * years]))


def lognormal_cdf(price: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """From scipy, not from the smile's formulas."""
    return norm.cdf(np.log(price / mean) / deviation + 0.5 * deviation)


class Market(NamedTuple):
    contracts: Contracts
    horizons: Horizons
    tables: ValueTables
    near: Curves

    def row(self, strike: float, right: str, *, later: bool = False) -> int:
        """Number of a contract; right ``U`` is the underlying."""
        if right == "U":
            return len(self.contracts.strike) - 1
        kind = 2 * later + (right == "P")
        return int(np.searchsorted(STRIKES, strike)) + kind * len(STRIKES)


def _moved(nodes: np.ndarray, deviation: float) -> Densities:
    """The real world an error narrower, and wider."""
    cdfs = [
        lognormal_cdf(nodes, REAL_MEAN, deviation * np.exp(sign * WIDTH_ERROR)) for sign in (-1, 1)
    ]
    return Densities(nodes, np.stack(cdfs), np.full((2, 1), REAL_MEAN))


def market(
    near: Curves = NEAR,
    later: Curves = LATER,
    *,
    real: bool = True,
    deviation: float = REAL_DEVIATION,
    moved: bool = True,
) -> Market:
    """Rows: calls, puts, later calls, later puts, the underlying; all at the model's prices."""
    count = len(STRIKES)
    strike = np.append(np.tile(STRIKES, 4), 0.0)
    is_call = np.append(np.repeat([True, False, True, False], count), True)
    is_later = np.append(np.repeat([False, False, True, True], count), False)
    both = [np.concatenate(pair) for pair in zip(near, later, strict=True)]
    curves = Curves(*both).pick(is_later.astype(int))
    forward = np.where(is_later, LATER_FORWARD, FORWARD)
    discount = np.where(is_later, LATER_DISCOUNT, DISCOUNT)
    with np.errstate(divide="ignore"):
        k = np.log(strike / forward)
    price = discount * forward * np.where(is_call, call(curves, k), put(curves, k))
    price[-1] = FORWARD * DISCOUNT
    one = np.ones(len(strike))
    contracts = Contracts(
        strike, is_call, np.where(is_later, LATER_YEARS, YEARS), forward, discount, curves,
        np.zeros(len(strike), dtype=np.int64), price, 0.05 * one, 0.02 * one, 0.03 * one,
        1.5 * one,
    )  # fmt: skip
    at_money = np.sqrt(total_variance(near, 0.0).w)
    nodes = price_nodes(np.array([FORWARD]), at_money)
    implied = cdf(near.pick(np.zeros((1, 1), dtype=int)), np.log(nodes / FORWARD))
    actual = lognormal_cdf(nodes, REAL_MEAN, deviation)
    actual = actual if real else np.full_like(actual, np.nan)
    means = np.array([[FORWARD], [REAL_MEAN]])
    horizons = Horizons(
        *(np.array([x]) for x in (SPOT, FORWARD, YEARS, DISCOUNT, HOLDING)),
        Densities(nodes, np.stack((implied, actual)), means),
        _moved(nodes, deviation) if moved else None,
    )
    return Market(contracts, horizons, value_tables(contracts, horizons), near)
