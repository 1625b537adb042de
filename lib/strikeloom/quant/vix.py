"""Volatility of a strip of options by the exchange's VIX method.

Source: NSE, "White Paper on India VIX": the Cboe method (out-of-the-money options of the near
and the next month, weights dK / K^2, correction for the strike below the forward) with the
future as forward, gaps between quotes filled by a natural cubic spline, and 30 days between the
two months in minutes. The exchange reads best bid and ask; end-of-day files have closes, of
contracts that traded at different moments, so the caller chooses the rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_FEWEST = 3  # prices on each side of the forward
#: An end of the strip counts unless more listed strikes than this lie between it and the next
#: price (the last one included), and all of it has less than this part of that price's lots.
_FAR, _FAINT = 5, 0.2


class _Side(NamedTuple):
    """Calls or puts out of the money, from the centre outward."""

    strike: Floats
    price: Floats
    lots: Floats


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
        Options with a reliable price. Where one further out of the money costs more than a
        nearer one, they contradict each other: both get their mean, weighed by ``lots``.
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
    sides = ((is_call & (strike >= centre), 1.0), (~is_call & (strike <= centre), -1.0))
    calls, puts = (_outward(strike, price, lots, rows, outward) for rows, outward in sides)
    calls, puts = (_without_stragglers(side, listed) for side in (calls, puts))
    k, q = _joined(calls, puts, float(centre))
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


def _outward(strike: Floats, price: Floats, lots: Floats, rows: Flags, direction: float) -> _Side:
    """Options of one side from the centre outward, with prices that never rise.

    The nearest such prices by least squares of their logarithms, weighed by lots. To leave out one
    of a pair that rises would open gaps where prices are flat: among puts of 5 rupees whose
    neighbours differ by a tick or two.
    """
    from scipy.optimize import isotonic_regression

    chosen = np.flatnonzero(rows & (price > 0))
    chosen = chosen[np.argsort(direction * strike[chosen])]
    if not len(chosen):
        return _Side(strike[chosen], price[chosen], lots[chosen])
    size = np.maximum(lots[chosen], 1.0)
    falling = isotonic_regression(np.log(price[chosen]), weights=size, increasing=False).x
    return _Side(strike[chosen], np.exp(falling), lots[chosen])


def _without_stragglers(side: _Side, listed: Floats) -> _Side:
    """Prices outward to the first gap beyond which hardly anything traded.

    The exchange leaves out quotes whose spread is wide (30 % of their mid). End-of-day files have
    no spreads, but the few trades far beyond a strike with many, over strikes that are listed and
    did not trade, had wide ones: two puts 500 and 1,000 points below all others added a point to
    the index of 2026-03-18. Strikes that are not listed make no gap.
    """
    passed = np.abs(np.diff(np.searchsorted(listed, side.strike)))
    beyond = np.cumsum(side.lots[::-1])[::-1][1:]
    ends = np.flatnonzero((passed > _FAR) & (beyond < _FAINT * side.lots[:-1]))
    return _Side(*(part[: ends[0] + 1] for part in side)) if len(ends) else side


def _joined(calls: _Side, puts: _Side, centre: float) -> tuple[Floats, Floats]:
    """Strikes ascending with one price each; at the centre the mean of call and put."""
    at = [side.price[side.strike == centre] for side in (calls, puts)]
    low, high = puts.strike < centre, calls.strike > centre
    both = all(len(prices) for prices in at)
    middle = [float(np.mean([prices[0] for prices in at]))] if both else []
    k = np.concatenate((puts.strike[low][::-1], [centre] if both else [], calls.strike[high]))
    return k, np.concatenate((puts.price[low][::-1], middle, calls.price[high]))
