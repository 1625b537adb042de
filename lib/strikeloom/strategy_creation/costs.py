"""What opening and closing a contract costs, and how sure its price is; columns of contracts.

Known before any structure is built, so that candidates are ranked after their costs: a structure's
are sums over its legs. Half of the quoted width is paid on each side.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.legs import Side
from strikeloom.nse.charges import Segment, brokerage, depository_charge, rates
from strikeloom.quant.quoted_width import delta_one_width, quoted_width

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Standard error of a close as a volatility, by lots traded in the day: a close is the mean of the
#: last half hour, or a single trade of it. From the difference between the volatilities of close
#: and settlement price on NIFTY and BANKNIFTY, 2024-04 to 2025-12 (nine tenths within 6.1 points
#: at up to 10 lots and 3.0 at up to 100, over 1.645; none above, where the usual error of a smile
#: counts instead).
_LOTS = np.array([10, 100])
_VOL_ERROR = np.array([0.037, 0.018, 0.003])


class ContractCosts(NamedTuple):
    """Costs of a round trip, one unit or one order of each contract; rupees, shape (n,).

    Attributes
    ----------
    width : ndarray
        Of a unit: the quoted width, half on each side.
    charges : ndarray
        Of a unit: what is charged by value, bought and sold at the present price.
    order : ndarray
        Of a leg, whatever its units: brokerage of two orders with its tax, and of a share the
        depository's fee.
    """

    width: Floats
    charges: Floats
    order: Floats


def contract_costs(
    price: Floats, lots: Ints, segment: Segment, is_index: Flags, day: date
) -> ContractCosts:
    """Costs of opening and closing each contract of one segment.

    Parameters
    ----------
    price : ndarray, shape (n,)
        Rupees.
    lots : ndarray of int64, shape (n,)
        Traded in the day.
    is_index : ndarray of bool, shape (n,)

    Raises
    ------
    DataError
        When a charge is not on record for the day.
    """
    width = quoted_width if segment is Segment.OPTION else delta_one_width
    share = sum(_by_value(side, segment, day) for side in Side)
    return ContractCosts(
        width(price, lots, is_index),
        price * share,
        np.full(price.shape, _by_order(segment, day)),
    )


def price_error(vega: Floats, lots: Ints, tick: Floats) -> Floats:
    """Standard error of each option's close in rupees, by how much traded.

    Parameters
    ----------
    vega : ndarray, shape (n,)
        Rupees for 1.00 of volatility.
    tick : ndarray, shape (n,)
        Rupees; a close is rounded to it.
    """
    error = vega * _VOL_ERROR[np.searchsorted(_LOTS, lots)]
    found: Floats = np.hypot(error, tick / np.sqrt(12))
    return found


def _by_value(side: Side, segment: Segment, day: date) -> float:
    """Charges of one trade as a share of its value."""
    found = rates(segment, day)
    taxed = found.exchange + found.ipft + found.sebi
    stt = found.stt_buy if side is Side.BUY else found.stt_sale
    stamp = found.stamp if side is Side.BUY else 0.0
    return (stt + stamp + taxed * (1 + found.gst / 100)) / 100


def _by_order(segment: Segment, day: date) -> float:
    flat = 2 * brokerage(day, segment=segment) * (1 + rates(segment, day).gst / 100)
    leaves = depository_charge(day) if segment is Segment.DELIVERY else 0
    return (flat + leaves) / 100
