"""European options on a forward (F. Black, "The pricing of commodity contracts", 1976).

All functions broadcast. Times are in years, volatilities per square root of a year, and a row
that has no value is NaN. Accuracy and speed are shown in ``benchmarks/greeks.py``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.quant.implied.engine import columns, rows
from strikeloom.quant.implied.spare_memory import empty_table

Floats = NDArray[np.float64]


class Greeks(NamedTuple):
    """Sensitivities of one unit, each of the broadcast shape.

    Attributes
    ----------
    delta, gamma : ndarray
        To the forward, once and twice; discounted.
    vega : ndarray
        To 1.00 of volatility; a hundredth of it is for one vol point.
    theta : ndarray
        Per calendar day (1/365 of a year) that passes at a constant forward, volatility and
        discount factor.
    vanna : ndarray
        Delta to 1.00 of volatility, which is vega to the forward.
    volga : ndarray
        Vega to 1.00 of volatility.
    """

    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    vanna: Floats
    volga: Floats

    def per_lot(self, lot_size: ArrayLike) -> Greeks:
        """Sensitivities of a lot, from those of a unit; ``lot_size`` broadcasts.

        For analysts; the desk itself counts in units.
        """
        return Greeks(*(np.asarray(greek * np.asarray(lot_size)) for greek in self))

    def per_unit(self, lot_size: ArrayLike) -> Greeks:
        """Sensitivities of a unit, from those of a lot; ``lot_size`` broadcasts.

        For analysts; the desk itself counts in units.
        """
        return Greeks(*(np.asarray(greek / np.asarray(lot_size)) for greek in self))


def price(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike = 1.0,
) -> Floats:
    """Value of an option, in the units of the forward.

    Parameters
    ----------
    forward, strike : array_like
        Positive.
    years : array_like
        Time to expiry; 0 or less is expiry.
    vol : array_like
        Per square root of a year, as a fraction; not negative.
    is_call : array_like of bool
    discount : array_like, default 1
        Discount factor to expiry, positive.

    Returns
    -------
    ndarray of float64, the broadcast shape
        At expiry, or with no volatility, discounted intrinsic value. NaN where an argument is
        missing, not finite or outside its range.

    Raises
    ------
    DataError
        When ``is_call`` does not hold truth values.
    """
    shape, size, inputs = columns(forward, strike, years, vol, is_call, discount)
    out = np.empty(size)
    rows(size).value_rows(inputs, out)
    return out.reshape(shape)


def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike = 1.0,
) -> Greeks:
    """Sensitivities of one unit; parameters, bad rows and errors as in ``price``.

    At expiry, or with no volatility, delta is the discount factor (negative for a put) in the
    money and 0 at and out of it; the others are 0.
    """
    shape, size, inputs = columns(forward, strike, years, vol, is_call, discount)
    out = empty_table(6, size)
    rows(size).greek_rows(inputs, out)
    return Greeks(*out.reshape(6, *shape))
