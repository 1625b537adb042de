"""Volatility of a strip of options by the exchange's VIX method.

Source: NSE, "White Paper on India VIX": the Cboe method (out-of-the-money options of the near
and the next month, weights dK / K^2, correction for the strike below the forward) with the
future as forward, gaps between quotes filled by a natural cubic spline, and 30 days between the
two months in minutes. The exchange reads best bid and ask; from end-of-day files the prices are
closes of contracts that traded in the closing half hour, so the caller chooses the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_FEWEST = 3  # prices on each side of the forward
#: An end of the strip counts unless it lies more grid steps beyond the next price than this, with
#: less than this part of its lots.
_FAR, _FAINT = 5.0, 0.2


def strip_variance(
    strike: Floats,
    price: Floats,
    is_call: Flags,
    lots: Floats,
    listed: Floats,
    forward: float,
    years: float,
    rate: float,
) -> float:
    """Variance a year of one expiry.

    Parameters
    ----------
    strike, price, is_call, lots : ndarray, shape (n,)
        Options with a reliable price; ``lots`` decides between two that contradict
        each other (an option further out of the money that costs more).
    listed : ndarray, shape (m,)
        All strikes listed, ascending. The strike at or below the forward is the centre, the
        least step between neighbours the grid on which the spline fills gaps.
    forward : float
        Price of the future of that expiry.
    years : float
        Calendar minutes to expiry over those of 365 days.
    rate : float
        Continuously compounded, per year.

    Returns
    -------
    float
        NaN with fewer than three prices on a side, without a centre or without time.
    """
    if not (years > 0 and forward > 0) or len(listed) < 2 or listed[0] > forward:
        return np.nan
    centre = listed[np.searchsorted(listed, forward, side="right") - 1]
    step = float(np.min(np.diff(listed)))
    calls = _outward(strike, price, lots, is_call & (strike >= centre), 1.0)
    puts = _outward(strike, price, lots, ~is_call & (strike <= centre), -1.0)
    calls, puts = (_without_stragglers(rows, strike, lots, step) for rows in (calls, puts))
    k, q = _joined(strike, price, calls, puts, float(centre))
    if min(np.count_nonzero(k < centre), np.count_nonzero(k > centre)) < _FEWEST:
        return np.nan
    grid = centre + step * np.arange(
        np.ceil((k[0] - centre) / step - 1e-9), np.floor((k[-1] - centre) / step + 1e-9) + 1
    )
    from scipy.interpolate import CubicSpline

    # in logarithms, so that a filled price is positive and its tail falls as prices do
    filled = np.exp(CubicSpline(k, np.log(q), bc_type="natural")(grid))
    strip = 2.0 / years * np.exp(rate * years) * np.sum(step / grid**2 * filled)
    return float(strip - (forward / centre - 1.0) ** 2 / years)


def between_months(near: float, following: float, times: tuple[float, float], days: float) -> float:
    """Volatility a year of ``days`` ahead between two expiries, or straight on beyond them.

    Parameters
    ----------
    near, following : float
        Variances a year of the two expiries.
    times : tuple of float
        Their years.
    days : float
        30 for the published index.

    Returns
    -------
    float
        As a fraction; NaN where a variance is, or the line ends below zero.
    """
    first, second = times
    wanted = days / 365.0
    share = (second - wanted) / (second - first)
    total = first * near * share + second * following * (1.0 - share)
    return float(np.sqrt(total / wanted)) if total > 0 else np.nan


def _outward(
    strike: Floats, price: Floats, lots: Floats, side: Flags, direction: float
) -> NDArray[np.int64]:
    """Rows of one side from the centre outward whose prices never rise.

    Of a pair that rises the one with fewer lots goes.
    """
    rows = np.flatnonzero(side & (price > 0))
    kept: list[int] = []
    for row in rows[np.argsort(direction * strike[rows])].tolist():
        while kept and price[row] > price[kept[-1]] and lots[row] > lots[kept[-1]]:
            kept.pop()
        if not kept or price[row] <= price[kept[-1]]:
            kept.append(row)
    return np.asarray(kept, dtype=np.int64)


def _without_stragglers(
    rows: NDArray[np.int64], strike: Floats, lots: Floats, step: float
) -> NDArray[np.int64]:
    """Rows outward without far ends that hardly traded.

    The exchange leaves out quotes whose spread is wide (30 % of their mid). End-of-day files have
    no spreads, but a strike far beyond the next one, with a fraction of its lots, had a wide one:
    a put 1,000 points below all others added a point to the index of 2026-03-18.
    """
    while len(rows) > 1:
        last, before = rows[-1], rows[-2]
        far = abs(strike[last] - strike[before]) > _FAR * step
        if not (far and lots[last] < _FAINT * lots[before]):
            break
        rows = rows[:-1]
    return rows


def _joined(
    strike: Floats,
    price: Floats,
    calls: NDArray[np.int64],
    puts: NDArray[np.int64],
    centre: float,
) -> tuple[Floats, Floats]:
    """Strikes ascending with one price each; at the centre the mean of call and put."""
    at = [rows[strike[rows] == centre] for rows in (calls, puts)]
    low, high = puts[strike[puts] < centre][::-1], calls[strike[calls] > centre]
    both = all(len(rows) for rows in at)
    middle = [float(np.mean([price[rows[0]] for rows in at]))] if both else []
    k = np.concatenate((strike[low], [centre] if both else [], strike[high]))
    return k, np.concatenate((price[low], middle, price[high]))
