"""Real-world density of each chain: past index moves, and the underlying's own forecast.

An index moves as the market's index did against its volatility index, in units of what its own
smile expects. A stock has only the shape of those moves; its width is its own forecast.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.quant.probability.at_expiry import lognormal
from strikeloom.quant.probability.real_world import RealWorld, real_world
from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.model_free import model_free_variance
from strikeloom.strategy_creation.load import Chain


def chain_densities(chains: Sequence[Chain]) -> RealWorld:
    """Real-world density of each chain at its expiry; NaN where it has no forecast.

    The mean is the forward. With fewer than 24 separate windows it is lognormal with the
    forecast variance.
    """
    forward = np.array([chain.forward for chain in chains])
    variance = np.array([chain.forecast or np.nan for chain in chains])
    moves = [chain.past for chain in chains]
    smiles = Curves(
        *(np.concatenate(part) for part in zip(*(c.smile.curves for c in chains), strict=True))
    )
    is_index = np.array([chain.underlying.kind is InstrumentKind.INDEX for chain in chains])
    # as the volatility index of the past is: the fair variance of the whole smile
    expected = np.sqrt(np.where(is_index, model_free_variance(smiles), variance))
    width = np.where(is_index, 1.0, [item.width for item in moves])
    return real_world(lognormal(forward, variance), moves, expected / width)
