"""Value of structures on a date before expiry, each leg with an expiry of its own.

The smile keeps its shape in standard deviations and shrinks with its time (``curves.shrink``);
it moves with the forward. So a calendar is valued on the day its near leg expires, and a spread
on any day of its life.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.payoff import Legs
from strikeloom.quant.smile.curves import Curves, shrink
from strikeloom.quant.smile.density import call, put

Floats = NDArray[np.float64]


class LegTerms(NamedTuple):
    """Smile, time left, carry and discount of each leg on a date; fields of shape (n, L).

    Attributes
    ----------
    curves : Curves
        Smile of the leg's expiry at its fit.
    share : ndarray
        Time left at the date over time at the fit: 1 is the day of the fit, 0 the expiry.
    carry : ndarray
        Forward of the expiry over the spot, at the date.
    discount : ndarray
        Discount factor from the date to the expiry.
    """

    curves: Curves
    share: Floats
    carry: Floats
    discount: Floats


def profit_before_expiry(spots: Floats, legs: Legs, terms: LegTerms) -> Floats:
    """Profit of each structure at each spot of the date, premium included.

    Parameters
    ----------
    spots : ndarray, shape (n, m)
        Positive.
    legs : Legs
        n structures of up to L legs; the underlying (strike 0) has the value of its spot.
    terms : LegTerms

    Returns
    -------
    ndarray of float64, shape (n, m)
        At expiry the value of a leg is its payoff. NaN where a leg expired before the date or its
        smile is refused, unless it has no units.
    """
    total = np.broadcast_to(legs.cash[:, None], spots.shape).astype(np.float64)
    live = Curves(*(field[..., None] for field in shrink(terms.curves, terms.share)))
    for leg in range(legs.strikes.shape[1]):
        strike, share = legs.strikes[:, leg, None], terms.share[:, leg, None]
        is_call, units = legs.is_call[:, leg, None], legs.units[:, leg, None]
        forward = spots * terms.carry[:, leg, None]
        smile = Curves(*(field[:, leg] for field in live))
        with np.errstate(divide="ignore", invalid="ignore"):
            k = np.log(strike / forward)
        value = forward * np.where(is_call, call(smile, k), put(smile, k))
        value *= terms.discount[:, leg, None]
        paid = np.maximum(np.where(is_call, spots - strike, strike - spots), 0.0)
        value = np.where(share == 0, paid, value)
        value = np.where((strike == 0) & is_call, spots, value)
        total += np.where(units == 0, 0.0, units * value)
    return total
