"""Implied volatility of Black-76 prices, with a reason for every row that has none.

Parity takes a price to the out-of-the-money side. ``near_vol`` solves ordinary rows in one
straight line, ``deep_vol`` the rest: wings to 36 standard deviations, volatilities of any
size. Accuracy and speed are shown in ``benchmarks/implied_vol.py``.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.quant.implied.engine import columns, rows

Floats = NDArray[np.float64]


class Reason(IntEnum):
    """Why a row has no volatility; ``OK`` when it has.

    Attributes
    ----------
    OK
    BELOW_INTRINSIC
        The price, undiscounted, is below max(+-(F - K), 0); a negative price is.
    AT_INTRINSIC
        It equals intrinsic value to the rounding of a division and a subtraction (4 units of
        relative precision); a price of 0 out of the money does.
    ABOVE_BOUND
        It is at or above the forward (calls) or the strike (puts).
    EXPIRED
        ``years`` is 0 or less.
    MISSING
        An argument is NaN or infinite, or forward, strike or discount is not positive.
    NO_VEGA
        It is so near the upper bound (4 units of relative precision) that volatility no
        longer moves it.
    """

    OK = 0
    BELOW_INTRINSIC = 1
    AT_INTRINSIC = 2
    ABOVE_BOUND = 3
    EXPIRED = 4
    MISSING = 5
    NO_VEGA = 6

    @property
    def text(self) -> str:
        """Description for display."""
        return self.name.lower().replace("_", " ")


def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike = 1.0,
) -> tuple[Floats, NDArray[np.int8]]:
    """Volatility at which Black-76 gives the price.

    Parameters
    ----------
    price, forward, strike, years, discount : array_like
        Broadcast together; price, forward and strike in the same unit.
    is_call : array_like of bool

    Returns
    -------
    vol : ndarray of float64, the broadcast shape
        Per square root of a year, NaN where there is none.
    reason : ndarray of int8, the broadcast shape
        ``Reason`` of each row. Where several apply: MISSING, EXPIRED, ABOVE_BOUND, then the
        others. Bad rows never raise and never affect other rows.

    Raises
    ------
    DataError
        When ``is_call`` does not hold truth values.
    """
    shape, size, inputs = columns(price, forward, strike, years, is_call, discount)
    vol, reason = np.empty(size), np.empty(size, dtype=np.int8)
    rows(size).vol_rows(inputs, vol, reason)
    return vol.reshape(shape), reason.reshape(shape)
