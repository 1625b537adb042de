"""Real-world distribution at expiry: past standardised moves mixed with a model's.

ln(S / F) = shift + deviation x z, with z by the table of past moves, and the shift such that the
mean of S is the forward: the past gives shape and width, never a direction. This is mixed with
a model by a weight that grows with the number of separate windows behind the table; with weight 0
every figure is the model's, to the last digit.

Between two knots of the table ln S is spread evenly. So probability, mean below a level and option
prices are closed form and agree with each other; only the quantile is halved down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.probability.past_moves import LEVELS, PastMoves

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALVINGS = 60
_MASS: Floats = np.diff(LEVELS)


class RealWorld(NamedTuple):
    """n distributions, used as a ``Law`` is; levels are moneyness ln(S / F).

    Attributes
    ----------
    model : Law
        Shape (n,). A refused one is NaN here too.
    weight : ndarray, shape (n,)
        Share of the past moves, 0 to below 1.
    row : ndarray of int64, shape (n,)
        Table of each distribution.
    knots, means : ndarray, shape (m, levels)
        Moneyness at ``past_moves.LEVELS``, and the mean of S / F counted only below it.
    """

    model: Law
    weight: Floats
    row: Ints
    knots: Floats
    means: Floats

    @property
    def forward(self) -> Floats:
        """Forwards, shape (n,): the mean of every distribution."""
        return self.model.forward

    def pick(self, index: ArrayLike) -> RealWorld:
        """Distributions at an index of the first axis; any integer shape."""
        at = np.asarray(index)
        return self._replace(model=self.model.pick(at), weight=self.weight[at], row=self.row[at])

    def cdf(self, k: ArrayLike) -> Floats:
        """Probability of ending at or below F e^k."""
        cell, share, *_ = self._place(k)
        return self._mixed(LEVELS[cell] + share * _MASS[cell], self.model.cdf(k))

    def mean_below(self, k: ArrayLike) -> Floats:
        """Mean of S / F counted only where S ends at or below F e^k: 0 to 1."""
        return self._mixed(self._past_mean_below(k), self.model.mean_below(k))

    def call(self, k: ArrayLike) -> Floats:
        """Mean of max(S / F - e^k, 0): an undiscounted call over the forward."""
        at = np.asarray(k, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            past = self._past_put(at) + 1.0 - np.exp(at)
        past = np.where(at == np.inf, 0.0, np.maximum(past, 0.0))
        return self._mixed(past, self.model.call(at))

    def put(self, k: ArrayLike) -> Floats:
        """Mean of max(e^k - S / F, 0): an undiscounted put over the forward."""
        at = np.asarray(k, dtype=np.float64)
        return self._mixed(self._past_put(at), self.model.put(at))

    def quantile(self, probability: ArrayLike) -> Floats:
        """Moneyness below which the price ends with a probability; inverse of ``cdf``."""
        p = np.asarray(probability, dtype=np.float64)
        of_model = self.model.quantile(p)
        p, row = np.broadcast_arrays(p, self.row)
        of_past = _interpolated(np.where((p > 0) & (p < 1), p, 0.5), self.knots[row])
        low, high = np.minimum(of_model, of_past), np.maximum(of_model, of_past)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            short = self.cdf(middle) < p
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        alone = (self.weight == 0) | ~np.isfinite(of_model)
        return np.asarray(np.where(alone, of_model, high))

    def _mixed(self, past: Floats, model: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            mixed = self.weight * past + (1 - self.weight) * model
        return np.asarray(np.where(self.weight > 0, mixed, model))

    def _past_put(self, k: Floats) -> Floats:
        """Without the cancellation of large numbers below the lowest past move."""
        cell, share, *_ = self._place(k)
        below = LEVELS[cell] + share * _MASS[cell]
        with np.errstate(over="ignore", invalid="ignore"):
            paid = np.exp(k) * below - self._past_mean_below(k)
        return np.asarray(np.where(below > 0, np.maximum(paid, 0.0), 0.0))

    def _past_mean_below(self, k: ArrayLike) -> Floats:
        cell, share, low, width = self._place(k)
        row = np.broadcast_to(self.row, cell.shape)
        part = _MASS[cell] * share * np.exp(low) * _growth(share * width)
        return np.asarray(self.means[row, cell] + part)

    def _place(self, k: ArrayLike) -> tuple[Ints, Floats, Floats, Floats]:
        """Cell of each level, the share of it that lies below, where it starts, its width."""
        at, row = np.broadcast_arrays(np.asarray(k, dtype=np.float64), self.row)
        cell = np.zeros(at.shape, dtype=np.int64)
        step = 1 << (len(LEVELS) - 2).bit_length() - 1
        while step:
            further = np.minimum(cell + step, len(LEVELS) - 2)
            cell = np.where(self.knots[row, further] <= at, further, cell)
            step >>= 1
        low, high = self.knots[row, cell], self.knots[row, cell + 1]
        width = high - low
        with np.errstate(invalid="ignore"):
            share = (at - low) / np.where(width > 0, width, 1.0)
        share = np.where(width > 0, np.clip(share, 0.0, 1.0), (at >= low).astype(np.float64))
        return cell, share, low, width


def real_world(model: Law, moves: Sequence[PastMoves], deviation: Floats) -> RealWorld:
    """Distributions of n underlyings.

    Parameters
    ----------
    model : Law
        Shape (n,): what counts where the past is short.
    moves : sequence of PastMoves
        Past moves over the horizon of each.
    deviation : ndarray, shape (n,)
        Standard deviation of ln S that a past move of 1 is. Where the past has no weight
        it may be missing.
    """
    weight = np.array([item.weight for item in moves])
    scale = np.where(weight > 0, deviation, 1.0)
    knots = np.array([item.knots for item in moves]).reshape(len(moves), len(LEVELS))
    knots = knots * scale[:, None]
    inside = _MASS * np.exp(knots[:, :-1]) * _growth(np.diff(knots, axis=1))
    whole = inside.sum(axis=1, keepdims=True)
    zero = np.zeros((len(moves), 1))
    means = np.concatenate((zero, np.cumsum(inside, axis=1) / whole), axis=1)
    rows = np.arange(len(moves))
    return RealWorld(model, weight, rows, knots - np.log(whole), means)


def _growth(width: Floats) -> Floats:
    """Mean of e^x for x spread evenly from 0 to the width."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(width > 0, np.expm1(width) / width, 1.0))


def _interpolated(p: Floats, knots: Floats) -> Floats:
    """Value at each probability of a table of its own; p is inside 0 to 1."""
    cell = np.searchsorted(LEVELS, p, side="right") - 1
    low = np.take_along_axis(knots, cell[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(knots, cell[..., None] + 1, axis=-1)[..., 0]
    return np.asarray(low + (p - LEVELS[cell]) / _MASS[cell] * (high - low))
