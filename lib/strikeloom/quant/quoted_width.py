"""Bid and ask around a price, where only trades were recorded. Labelled by the user.

The width is that of real quotes: best bid and ask of NIFTY, BANKNIFTY and ten stocks, every
quarter of an hour on 2019-09-09 to 09-12 (9:30 to 15:30, 76,000 quotes out of the money that had
traded that day), median by price and by lots traded. It falls with both: a cheap option is never
narrower than a tick, and where few trade no one quotes closely.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Upper ends of the rows (rupees) and columns (lots traded in the day) of the tables.
_PRICES = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
_LOTS = np.array([10, 100, 1_000, 10_000])
#: Ask less bid in percent of their middle. Cells of fewer than 20 quotes are those beside them.
_INDEX = np.array(
    [
        [83.3, 58.8, 28.6, 22.2, 18.2],
        [53.1, 25.0, 10.0, 8.0, 4.3],
        [53.1, 22.2, 10.7, 4.2, 3.1],
        [44.6, 22.2, 5.2, 2.5, 1.8],
        [44.6, 22.2, 3.8, 2.1, 1.1],
        [44.6, 21.4, 3.8, 1.6, 0.73],
        [44.6, 20.7, 3.8, 1.0, 0.64],
        [7.7, 3.0, 2.0, 1.0, 0.5],
    ]
)
_STOCK = np.array(
    [
        [66.7, 28.6, 15.4, 7.4, 7.4],
        [49.1, 17.0, 5.1, 3.2, 3.2],
        [26.6, 10.5, 5.1, 2.2, 2.2],
        [26.6, 5.0, 3.0, 1.8, 1.8],
        [4.7, 2.9, 1.9, 1.5, 1.5],
        [4.7, 1.5, 1.2, 1.1, 1.1],
        [4.7, 1.5, 1.2, 1.1, 0.64],
        [4.7, 1.5, 1.2, 1.0, 0.5],
    ]
)

#: Lots of what is never thinly traded: a share with options.
BUSY_LOTS = 1_000_000
#: The same of a future or share. None was recorded; that of the synthetic future, a call less a put
#: of one strike, at the strike where it is narrowest bounds it: median of 100 chains each of NIFTY
#: and BANKNIFTY (0.008 and 0.017) and of ten stocks (0.029 to 0.24) on the same days.
_INDEX_UNIT, _STOCK_UNIT = 0.013, 0.062
#: How much wider where fewer lots trade: as of the dearest options, by the columns above; the
#: narrowest chains traded in the last one of an index, the last but one of a stock.
_INDEX_WIDER, _STOCK_WIDER = _INDEX[-1] / _INDEX[-1, 4], _STOCK[-1] / _STOCK[-1, 3]


def quoted_width(price: Floats, lots: Ints, is_index: Flags) -> Floats:
    """Ask less bid in rupees, as measured; NaN where the price is NaN.

    Parameters
    ----------
    price : ndarray, shape (n,)
        Rupees.
    lots : ndarray of int64, shape (n,)
        Traded in the day.
    is_index : ndarray of bool, shape (n,)
    """
    row = np.searchsorted(_PRICES, price)
    column = np.searchsorted(_LOTS, lots)
    row = np.minimum(row, len(_PRICES))  # NaN sorts last
    percent = np.where(is_index, _INDEX[row, column], _STOCK[row, column])
    return np.asarray(price * percent / 100)


def delta_one_width(price: Floats, lots: Ints, is_index: Flags) -> Floats:
    """Ask less bid of futures and shares in rupees; NaN where the price is NaN.

    Parameters
    ----------
    price : ndarray, shape (n,)
        Rupees.
    lots : ndarray of int64, shape (n,)
        Traded in the day; of a share ``BUSY_LOTS``.
    is_index : ndarray of bool, shape (n,)
    """
    column = np.searchsorted(_LOTS, lots)
    index, stock = _INDEX_UNIT * _INDEX_WIDER[column], _STOCK_UNIT * _STOCK_WIDER[column]
    return np.asarray(price * np.where(is_index, index, stock) / 100)


def sides(
    price: Floats, half: Floats, tick: Floats, low: Floats, high: Floats
) -> tuple[Floats, Floats]:
    """Bid and ask around a price, on the tick and inside the prices at which the day traded.

    A side beyond the day's range moves to its
    end: no one traded further out. Where even that end is on the wrong side of the price there is
    no such side, and no side at all where both would meet or no step of the tick is in the range.

    Parameters
    ----------
    price, half, tick, low, high : ndarray, shape (n,)
        Rupees; ``half`` is the distance of each side from the price. A NaN price gives neither
        side.

    Returns
    -------
    bid, ask : ndarray, shape (n,)
        NaN without.
    """
    floor, top = np.ceil(np.round(low / tick, 6)), np.floor(np.round(high / tick, 6))
    bid = np.floor(np.round((price - half) / tick, 6))
    bid = np.where(bid > 0, np.clip(bid, floor, top), np.nan)
    ask = np.clip(np.ceil(np.round((price + half) / tick, 6)), floor, top)
    with np.errstate(invalid="ignore"):
        middle = np.round(price / tick, 6)
        bid = np.where(bid <= middle, bid, np.nan)
        ask = np.where(ask >= middle, ask, np.nan)
        met = (bid >= ask) | (floor > top)  # no room for both, or no price of this tick at all
    return (
        np.where(met, np.nan, np.round(bid * tick, 2)),
        np.where(met, np.nan, np.round(ask * tick, 2)),
    )
