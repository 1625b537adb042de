"""Volatility of an expiry that did not trade, from the near expiry and its peers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_FEWEST = 8  # peers
_WILD = 3.0  # scaled median deviations from which a peer is left out
_SPREAD = 0.05  # of log volatilities below which the peers give no slope
_FEW = 2  # of a handful
#: Least standard deviation of ln(far / near) among a handful: of an index from the mean of the
#: others, a week or more before the near expiry, left out on the days of 2026.
_APART = 0.04


class PeerEstimate(NamedTuple):
    """Volatility a year carried to the far expiry, NaN where there are too few peers.

    ``error`` is the standard deviation of the peers around the line, relative; of a handful, that
    of one more like them.
    """

    vol: Floats
    error: float
    peers: int


def carry(near: Floats, far: Floats, trusted: Flags) -> PeerEstimate:
    """Far volatility of every underlying whose near one is known.

    ln(far / near) falls with the level: high volatilities are expected to come down. A straight
    line in ln(near) through the peers of the same day, without outliers, estimates by how much.

    Parameters
    ----------
    near, far : ndarray, shape (n,)
        Volatility a year of two expiries, the same dates for all; NaN where unknown.
    trusted : ndarray of bool, shape (n,)
        Peers whose both volatilities are well observed; the others do not shape the line.

    Returns
    -------
    PeerEstimate
        For each row with a near volatility, also those that have a far one of their own.
    """
    peer = trusted & np.isfinite(near) & np.isfinite(far) & (near > 0) & (far > 0)
    if np.count_nonzero(peer) < _FEWEST:
        return PeerEstimate(np.full(len(near), np.nan), np.nan, int(np.count_nonzero(peer)))
    level = np.log(near, where=near > 0, out=np.full(len(near), np.nan))
    x, y = level[peer], np.log(far[peer] / near[peer])
    keep = np.ones(len(x), dtype=bool)
    slope, start = _line(x, y, keep)
    for _ in range(3):
        off = y - start - slope * x
        scale = 1.4826 * np.median(np.abs(off[keep] - np.median(off[keep])))
        keep = np.abs(off) <= max(_WILD * scale, 1e-6)
        slope, start = _line(x, y, keep)
    off = (y - start - slope * x)[keep]
    with np.errstate(invalid="ignore"):
        vol = near * np.exp(start + slope * level)
    return PeerEstimate(vol, float(np.std(off, ddof=2)) if len(off) > 2 else np.nan, len(off))


def carry_like_few(near: Floats, far: Floats, trusted: Flags) -> PeerEstimate:
    """As ``carry`` for a handful, too few for a line: the mean of their ln(far / near).

    NaN with fewer than two trusted peers.
    """
    peer = trusted & np.isfinite(near) & np.isfinite(far) & (near > 0) & (far > 0)
    count = int(np.count_nonzero(peer))
    if count < _FEW:
        return PeerEstimate(np.full(len(near), np.nan), np.nan, count)
    steps = np.log(far[peer] / near[peer])
    error = max(_APART, float(np.std(steps, ddof=1))) * np.sqrt(1 + 1 / count)
    return PeerEstimate(near * np.exp(float(np.mean(steps))), float(error), count)


def _line(x: Floats, y: Floats, keep: Flags) -> tuple[float, float]:
    a, b = x[keep], y[keep]
    spread = float(np.std(a))
    slope = float(np.cov(a, b)[0, 1] / np.var(a, ddof=1)) if spread > _SPREAD else 0.0
    return slope, float(np.mean(b) - slope * np.mean(a))
