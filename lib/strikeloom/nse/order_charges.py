"""Charges of many executed orders at once: ``trade_charges`` in columns, to the paisa."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from strikeloom.nse.charges import Segment, listed_brokerage, rates

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def order_charges(
    values: Ints, buys: Flags, segment: Segment, day: date, broker: str = "dhan"
) -> Ints:
    """Total charges of each whole order, paise.

    Parameters
    ----------
    values : ndarray of int64
        Units times price, paise; below 2**53.
    buys : ndarray of bool
        Orders to buy; the others sell.

    Raises
    ------
    DataError
        When a charge is not on record for the day.
    """
    found = rates(segment, day)
    worth = values.astype(np.float64)
    most, share = listed_brokerage(day, broker, segment)
    flat = np.full(values.shape, float(most))
    if share is not None:
        flat = np.minimum(flat, _part(worth, share))
    exchange = _part(worth, found.exchange) + _part(worth, found.ipft)
    sebi = _part(worth, found.sebi)
    stt = np.where(buys, _part(worth, found.stt_buy), _part(worth, found.stt_sale))
    stamp = np.where(buys, _part(worth, found.stamp), 0.0)
    gst = _part(flat + exchange + sebi, found.gst)
    return (flat + stt + exchange + sebi + stamp + gst).astype(np.int64)


def _part(amount: Floats, rate: float) -> Floats:
    # operations and rounding (half to even) as of a single order
    return np.asarray(np.rint(amount * rate / 100))
