"""Distribution of past standardised moves: what came, in units of what was expected.

A move over a horizon of some sessions is z = ln(S_T / S_0) / (sigma sqrt(T)), with the volatility
sigma that was known at its start. Moves of overlapping windows are all used, and counted as what
they are: the sample is as large as the number of *separate* windows. Their mean is left out, so
only the shape and the width remain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from strikeloom.errors import DataError

Floats = NDArray[np.float64]

#: Separate windows at which past moves and the model count the same; with fewer the model counts
#: alone.
FEWEST_WINDOWS = 24
#: Probabilities at which a distribution is kept: 513, evenly spaced in the normal quantile between
#: 0.01 % and 99.99 %, and both ends. Linear between them, it misses the count of all moves (2,800
#: of the exchange's index) by 0.2 points at most, their width and the mean of their worst 5 % by
#: 0.03 %.
LEVELS: Floats = np.concatenate(([0.0], ndtr(np.linspace(-3.7, 3.7, 511)), [1.0]))


class PastMoves(NamedTuple):
    """Past moves over one horizon.

    Attributes
    ----------
    knots : ndarray, shape (513,)
        Moves in standard deviations, less their mean, at ``LEVELS``.
    windows : int
        Separate windows behind them.
    horizon : int
        Sessions.
    """

    knots: Floats
    windows: int
    horizon: int

    @property
    def weight(self) -> float:
        """Share of past moves against the model, 0 to 1."""
        if self.windows < FEWEST_WINDOWS:
            return 0.0
        return self.windows / (self.windows + FEWEST_WINDOWS)

    @property
    def width(self) -> float:
        """Standard deviation of the moves: 1 where the volatility was right."""
        low, high = self.knots[:-1], self.knots[1:]
        mass = np.diff(LEVELS)
        mean = float(np.sum(mass * 0.5 * (low + high)))
        square = float(np.sum(mass * (low * low + low * high + high * high) / 3))
        return float(np.sqrt(square - mean * mean))

    @property
    def even(self) -> PastMoves:
        """The same without skew: as far up as down at each probability."""
        return self._replace(knots=0.5 * (self.knots - self.knots[::-1]))


def no_moves(horizon: int) -> PastMoves:
    """Nothing is known of the past: the knots are the normal distribution's and have no weight."""
    ends = ndtri(np.clip(LEVELS, LEVELS[1], LEVELS[-2]))
    return PastMoves(ends, 0, horizon)


def past_moves(level: Floats, vol: Floats, horizon: int, sessions_per_year: float) -> PastMoves:
    """Moves of every window that ended by the last session given.

    Parameters
    ----------
    level, vol : ndarray, shape (n,)
        Close of an index and the volatility a year expected at it, as a fraction, one a session
        of the exchange, oldest first; NaN where missing. Nothing later than the day of the
        decision may be among them.
    horizon : int
        Sessions, 1 or more.
    sessions_per_year : float
        Of the year that ``vol`` is stated for.

    Raises
    ------
    DataError
        When the horizon is not 1 or more.
    """
    if horizon < 1:
        raise DataError(f"moves over {horizon} sessions: 1 or more is meant")
    moves = standardised(level, vol, horizon, sessions_per_year)
    known = moves[np.isfinite(moves)]
    if len(known) < horizon:
        return no_moves(horizon)
    # each move has its whole mass, the outermost too (J. Hazen's plotting positions, 1914)
    knots = np.quantile(known - known.mean(), LEVELS, method="hazen")
    return PastMoves(knots, len(known) // horizon, horizon)


def standardised(level: Floats, vol: Floats, horizon: int, sessions_per_year: float) -> Floats:
    """Move from each session over the horizon, shape (max(n - horizon, 0),); NaN where missing."""
    start, end = level[: max(len(level) - horizon, 0)], level[horizon:]
    expected = vol[: len(start)] * np.sqrt(horizon / sessions_per_year)
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.log(end / start) / expected
    return np.asarray(np.where((start > 0) & (end > 0) & (expected > 0), moves, np.nan))
