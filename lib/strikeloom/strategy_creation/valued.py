"""Candidates of several templates with their figures, in columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.rules import Misses

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Valued(NamedTuple):
    """Candidates with their figures; arrays of shape (n, ...).

    Attributes
    ----------
    owner : ndarray of int64
        Number of the template.
    rows : ndarray of int64
        Contracts; of a template with fewer legs than others its first again.
    figures : CandidateFigures
    misses : Misses
        What each fails.
    rank : ndarray
        Per cent of the funds a month; -inf where unknown.
    """

    owner: Ints
    rows: Ints
    figures: CandidateFigures
    misses: Misses
    rank: Floats

    def joined(self, more: Valued) -> Valued:
        """These, then more."""
        return Valued(
            np.concatenate((self.owner, more.owner)),
            np.concatenate((self.rows, more.rows)),
            CandidateFigures(
                *(np.concatenate(pair) for pair in zip(self.figures, more.figures, strict=True))
            ),
            Misses(*(np.concatenate(pair) for pair in zip(self.misses, more.misses, strict=True))),
            np.concatenate((self.rank, more.rank)),
        )

    def ordered(self, rows: Ints) -> Ints:
        """Some rows, best first: by rules failed, how far the first is off, and rank."""
        failed, away = self.misses
        return rows[np.lexsort((-self.rank[rows], away[rows], failed[rows]))]
