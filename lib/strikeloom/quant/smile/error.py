"""Standard error of the at-the-money volatility of an expiry, from its quotes.

The fit of a smile does not show its error: three old trades of one lot each may lie on one line
and be wrong by a third. Their error is the move of the underlying since they traded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Share of a day's variance by which the underlying has moved since an option's last trade,
#: by lots traded and whether that was in the closing half hour. Measured on the exchange's 59
#: days, 330,000 quotes of smiles with 12 or more: root mean square of the distance from the
#: smile over the volatility, 0.10 for an old trade of one lot, 0.06 for one of 16, 0.08 for a
#: fresh one of one lot, 0.01 for a fresh one of 64.
_OLD, _OLD_LEAST, _FRESH = 0.6, 0.05, 0.08
_SESSIONS = 250.0  # a year
_NEAR = 0.5  # a quote one deviation from the forward counts exp(-0.5)
_SKEW = 0.1  # relative uncertainty of volatility for a deviation of moneyness
_PRIOR = 2.0  # quotes for which the scatter is taken to be as expected


class QuoteEvidence(NamedTuple):
    """Quotes behind the smiles, one row each; shape (n,).

    ``moneyness`` is ln(strike / forward), ``weight`` that of ``quotes.precision``,
    ``trust`` and ``residual`` those of ``fit.Fit`` (NaN: not used).
    """

    group: Ints
    moneyness: Floats
    is_call: Flags
    lots: Floats
    fresh: Flags
    weight: Floats
    trust: Floats
    residual: Floats


def at_money_error(
    evidence: QuoteEvidence, vol: Floats, years: Floats, forward_error: Floats
) -> Floats:
    """Relative standard error of each expiry's volatility at the money.

    Parameters
    ----------
    evidence : QuoteEvidence
    vol, years, forward_error : ndarray, shape (groups,)
        Volatility a year at the money, time, relative standard error of the forward.

    Returns
    -------
    ndarray, shape (groups,)
        Infinite without a quote used, NaN without a volatility. Three parts, squared and
        added: quotes near the forward, each with the move since it was made, widened where
        they scatter more than that; the skew between them and the forward where they lie on
        one side; the forward's own error as far as puts and calls do not cancel it.
    """
    at, groups = evidence.group, len(vol)
    spread = (vol * np.sqrt(years))[at]
    used = np.isfinite(evidence.residual) & np.isfinite(spread) & (spread > 0)
    at, spread = at[used], spread[used]
    z = evidence.moneyness[used] / spread
    near = np.exp(-_NEAR * z * z) * evidence.trust[used]
    moved = _moved(evidence, used, z, spread) / years[at]
    variance = 1.0 / evidence.weight[used] + moved * vol[at] ** 2

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(at, weights=values, minlength=groups))

    count, know = total(near), total(near / variance)
    scatter = total(near * evidence.residual[used] ** 2 / variance)
    widened = np.maximum((scatter + _PRIOR) / (count + _PRIOR), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        lean = np.abs(total(near / variance * z) / know)
        quotes = widened / (know * vol * vol)
        # at the money a volatility moves by delta / vega of the forward's move
        forward = np.minimum(1.25 * lean, 1.0) * 1.25 * forward_error / (vol * np.sqrt(years))
        error = np.sqrt(quotes + (_SKEW * lean) ** 2 + forward**2)
    return np.where(np.isnan(vol), np.nan, np.where(know > 0, error, np.inf))


def _moved(evidence: QuoteEvidence, used: Flags, z: Floats, spread: Floats) -> Floats:
    """Relative variance of each volatility, by the move since its trade, for a year to expiry.

    A volatility s read from an old price is off by delta / vega times the forward's move, which
    is s times the root of the time since, whatever s is.
    """
    d1 = 0.5 * spread - z
    # N(x) / n(x) by the scaled function: far out both are 0, their ratio is near -1 / x
    side = np.where(evidence.is_call[used], d1, -d1)
    with np.errstate(over="ignore"):
        share = np.sqrt(0.5 * np.pi) * erfcx(-side / np.sqrt(2.0))
    lots = 1.0 + np.maximum(evidence.lots[used], 0.0)
    age = np.where(evidence.fresh[used], _FRESH / lots, _OLD / lots + _OLD_LEAST)
    with np.errstate(over="ignore"):
        return np.asarray(share**2 * age / _SESSIONS)
