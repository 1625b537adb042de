"""Conviction: how sure it is that a structure earns at all, from 0 to 100.

100 times the chance, beyond a coin's, that its value after costs is above zero given its error,
times 0.6 + 0.25 times the agreement of the evidence + 0.15 times the share of its
liquidity's grade. The error is of
its quotes and of the width of the real-world density; that the density may have another shape, or
a direction, is not in it.
"""

from __future__ import annotations

from scipy.special import ndtr

from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.liquidity import Grade

_BASE, _AGREEMENT, _LIQUIDITY = 0.6, 0.25, 0.15


def conviction(figures: CandidateFigures, agreement: float, liquidity: Grade) -> float:
    """Points from 0 to 100.

    Parameters
    ----------
    figures : CandidateFigures
        Of one structure.
    agreement : float
        0 to 1, of the evidence with it.
    """
    edge, error = float(figures.edge), float(figures.error)
    if error > 0:
        sure = max(0.0, 2.0 * float(ndtr(edge / error)) - 1.0)
    else:
        sure = 1.0 if edge > 0 else 0.0
    return 100 * sure * (_BASE + _AGREEMENT * agreement + _LIQUIDITY * liquidity.share)
