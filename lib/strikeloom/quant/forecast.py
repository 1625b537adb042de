"""Forecast of realised variance: a heterogeneous autoregression pooled over many series.

F. Corsi, "A simple approximate long-memory model of realized volatility" (2009), on logarithms:
the mean variance of the next sessions from that of the last session, week and month. One set of
coefficients for all series, by least squares: a few months of two hundred stocks inform
persistence better than a year of one. ``benchmarks/forecasts.py`` measures it out of sample against
GARCH, exponential smoothing and the last month itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from strikeloom.errors import DataError

Floats = NDArray[np.float64]

WEEK, MONTH = 5, 22
_FEWEST = 200  # rows behind five numbers


class Har(NamedTuple):
    """Coefficients of ln(mean variance of the next ``horizon`` sessions).

    ``weights`` are of the logarithms of the last session, week and month; ``noise`` is the
    variance of the errors, ``rows`` how many of them there were.
    """

    constant: float
    weights: tuple[float, float, float]
    noise: float
    horizon: int
    rows: int


def fit_har(variance: Floats, horizon: int) -> Har:
    """Least squares over every session whose month before and horizon after are known.

    Parameters
    ----------
    variance : ndarray, shape (series, n)
        Variance of each session (``realised.daily_variance``), oldest first; NaN where missing.
        A session of exactly no variance has no logarithm and counts as missing.
    horizon : int
        Sessions ahead, 1 or more.

    Raises
    ------
    DataError
        When fewer than 200 such sessions are known in all.
    """
    if horizon < 1:
        raise DataError(f"a forecast over {horizon} sessions: 1 or more is meant")
    inputs = _inputs(variance)
    ahead = np.full(variance.shape, np.nan)
    if variance.shape[1] > horizon:
        means = sliding_window_view(_known(variance)[:, 1:], horizon, axis=1).mean(axis=2)
        ahead[:, : means.shape[1]] = means
    target = np.log(ahead)
    use = np.isfinite(target) & np.isfinite(inputs).all(axis=0)
    count = int(use.sum())
    if count < _FEWEST:
        raise DataError(
            f"a forecast {horizon} sessions ahead needs {_FEWEST} sessions with a month before "
            f"and {horizon} after, found {count}",
            found=count,
        )
    x = np.column_stack((np.ones(count), *(column[use] for column in inputs)))
    y = target[use]
    found, *_ = np.linalg.lstsq(x, y, rcond=None)
    noise = float(np.mean((y - x @ found) ** 2))
    constant, *weights = (float(value) for value in found)
    return Har(constant, (weights[0], weights[1], weights[2]), noise, horizon, count)


def har_forecast(har: Har, variance: Floats) -> Floats:
    """Mean variance a session of the next ``har.horizon`` sessions, for each series.

    Parameters
    ----------
    variance : ndarray, shape (series, n)
        As in ``fit_har``, up to the last session known.

    Returns
    -------
    ndarray of float64, shape (series,)
        The mean of a lognormal with the fit's noise; NaN where the last month is not whole.
    """
    if variance.shape[1] < MONTH:
        return np.full(len(variance), np.nan)
    last = _inputs(variance[:, -MONTH:])[:, :, -1]
    middle = har.constant + np.asarray(har.weights) @ last
    return np.asarray(np.exp(middle + 0.5 * har.noise))


def _known(variance: Floats) -> Floats:
    return np.where(variance > 0, variance, np.nan)


def _inputs(variance: Floats) -> Floats:
    """Logarithms of the means of session, week and month at each session, shape (3, m, n)."""
    known = _known(variance)
    found = np.full((3, *variance.shape), np.nan)
    found[0] = np.log(known)
    for place, days in ((1, WEEK), (2, MONTH)):
        if variance.shape[1] >= days:
            means = sliding_window_view(known, days, axis=1).mean(axis=2)
            found[place, :, days - 1 :] = np.log(means)
    return found
