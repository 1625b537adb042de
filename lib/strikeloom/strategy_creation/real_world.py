"""Real-world density of each expiry: past index moves, and the underlying's own forecast.

An index moves as the market's index did against its volatility index, in units of what its own
smile expects. A stock has only the shape of those moves without their skew, which is the index's
own: of 211 stocks, 2025-11 to 2026-03, five-session moves had a quantile skew (5, 50, 95 %) of
-0.04, beside the market 0.00, the index -0.16 over its past. A stock's width is its own forecast,
blended with its implied volatility as the model's is of an index
(``quant.probability.blended_width``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.quant.probability.at_expiry import lognormal
from strikeloom.quant.probability.blended_width import blended_variance, width_error
from strikeloom.quant.probability.real_world import RealWorld, real_world
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.model_free import model_free_variance
from strikeloom.strategy_creation.chain import ChainExpiry


def expiry_densities(
    expiries: Sequence[tuple[ChainExpiry, InstrumentKind]], errors: ArrayLike = 0.0
) -> RealWorld:
    """Real-world density of each underlying at an expiry; NaN where it has no forecast.

    The mean is the forward. With fewer than 24 separate windows it is lognormal with the
    blended variance.

    Parameters
    ----------
    expiries : sequence of tuple
        n of them.
    errors : array_like, shape (n,), default 0
        How many errors of its width each is made wider by; negative is narrower.
    """
    forward = np.array([expiry.forward for expiry, _ in expiries])
    is_index = np.array([kind is InstrumentKind.INDEX for _, kind in expiries])
    wider = np.exp(np.asarray(errors) * width_error(is_index))
    variance = blended([expiry for expiry, _ in expiries])
    moves = [
        expiry.past if kind is InstrumentKind.INDEX else expiry.past.even
        for expiry, kind in expiries
    ]
    curves = (expiry.smile.curves for expiry, _ in expiries)
    smiles = Curves(*(np.concatenate(part) for part in zip(*curves, strict=True)))
    # as the volatility index of the past is: the fair variance of the whole smile
    expected = np.sqrt(np.where(is_index, model_free_variance(smiles), variance))
    width = np.where(is_index, 1.0, [item.width for item in moves])
    model = lognormal(forward, variance * wider**2)
    return real_world(model, moves, expected * wider / width)


def blended(expiries: Sequence[ChainExpiry]) -> NDArray[np.float64]:
    """Variance until each expiry: its forecast with its volatility at the money."""
    forecast = np.array([expiry.forecast or np.nan for expiry in expiries])
    return blended_variance(forecast, np.array([expiry.deviation**2 for expiry in expiries]))
