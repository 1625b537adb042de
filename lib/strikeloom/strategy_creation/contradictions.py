"""Closes of one right and expiry that cannot be of one time, and which to leave out.

Between two strikes a call is worth less at the higher one, by at most their distance; a put more,
likewise. Closes that break this show a profit that was never available, and a structure can hide
such a pair behind a small maximum loss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import Right

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class LeftOut(NamedTuple):
    """A contract whose close contradicts that of another, which stays; rupees."""

    right: Right
    strike: float
    close: float
    other: float
    other_close: float

    def __str__(self) -> str:
        apart = self.close - self.other_close
        return (
            f"{self.strike:g} {self.right} at {self.close:.2f} contradicts {self.other:g} "
            f"{self.right} at {self.other_close:.2f} ({apart:+.2f} for strikes "
            f"{abs(self.strike - self.other):g} apart)"
        )


def kept_closes(strike: Floats, close: Floats, lots: Ints, right: Right) -> Bools:
    """Contracts whose closes go together, of all such choices the one with most lots traded.

    Parameters
    ----------
    strike, close : ndarray, shape (n,)
        Rupees, of one right and expiry; strikes ascend.
    lots : ndarray of int64, shape (n,)
        Traded in the day.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    first, second = _rising(strike, close, right)
    if (np.diff(first) >= 0).all() and (np.diff(second) >= 0).all():
        return np.ones(len(strike), dtype=bool)
    # going together is transitive along the strikes: the longest such row of them, by its end
    worth = np.maximum(lots.astype(np.int64), 1)
    best, before = worth.copy(), np.full(len(strike), -1)
    for at in range(1, len(strike)):
        fits = np.flatnonzero((first[:at] <= first[at]) & (second[:at] <= second[at]))
        if len(fits):
            before[at] = fits[np.argmax(best[fits])]
            best[at] += best[before[at]]
    kept, at = np.zeros(len(strike), dtype=bool), int(np.argmax(best))
    while at >= 0:
        kept[at] = True
        at = int(before[at])
    return kept


def left_out(strike: Floats, close: Floats, kept: Bools, right: Right) -> tuple[LeftOut, ...]:
    """What is not kept, each with the nearest of those kept that it contradicts."""
    first, second = _rising(strike, close, right)
    found = []
    for at in np.flatnonzero(~kept).tolist():
        higher = np.sign(strike - strike[at])
        against = kept & ((higher * (first - first[at]) < 0) | (higher * (second - second[at]) < 0))
        others = np.flatnonzero(against)
        other = int(others[np.argmin(np.abs(strike[others] - strike[at]))])
        found.append(
            LeftOut(
                right,
                float(strike[at]),
                float(close[at]),
                float(strike[other]),
                float(close[other]),
            )
        )
    return tuple(found)


def _rising(strike: Floats, close: Floats, right: Right) -> tuple[Ints, Ints]:
    """Two figures in paise that both never fall along strikes whose closes go together."""
    at, paid = np.rint(strike * 100).astype(np.int64), np.rint(close * 100).astype(np.int64)
    return (-paid, at + paid) if right is Right.CALL else (paid, at - paid)
