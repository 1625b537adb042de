"""Realised volatility over rolling windows of sessions, from closes or from whole bars.

Every estimator takes float64 arrays of shape (..., n): the last axis is sessions, oldest first,
any leading axes are series (symbols). It returns the same shape: volatility per year as a
fraction, of the ``window`` sessions that end at each session. A session is NaN while its window
is not full, and where a session of the window has no usable bar (not finite, not positive,
high below low, open or close outside the range): a gap is never bridged or filled.

A night over which the price stepped without being traded (a demerger, an unconfirmed action) can
be left out by name: its step is then no part of the window, whose other steps are averaged.

Prices must be adjusted for splits beforehand: all four prices of a bar divided by the shares
that one of it has become since. Only steps from one session to the next are touched by a split,
so the estimators of the range alone (Parkinson, Garman-Klass, Rogers-Satchell) give the same on
raw bars.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from strikeloom.errors import DataError

Floats = NDArray[np.float64]

_FOUR_LOG_2 = 4 * np.log(2.0)


def close_to_close(
    close: ArrayLike,
    window: int,
    sessions: float,
    *,
    demean: bool = True,
    nights_out: ArrayLike | None = None,
) -> Floats:
    """Standard deviation of log returns (the textbook estimator, e.g. Hull, "Options").

    Parameters
    ----------
    close : array_like, shape (..., n)
    window : int
        Returns used, so ``window`` + 1 closes.
    sessions : float
        Sessions in a year.
    demean : bool, default True
        Subtract the window's mean and divide by ``window`` - 1; else the mean is taken as zero
        and the divisor is ``window``.

    Returns
    -------
    ndarray of float64, shape (..., n)

    Raises
    ------
    DataError
        When the window is below 2.
    """
    _check(window)
    steps = _steps(_positive(close))
    if demean:
        return np.sqrt(_sample_variance(steps, window, nights_out) * sessions)
    return np.sqrt(_mean(steps * steps, window, nights_out) * sessions)


def parkinson(high: ArrayLike, low: ArrayLike, window: int, sessions: float) -> Floats:
    """Range of each session (Parkinson, J. Business 53, 1980); parameters as in ``yang_zhang``.

    Assumes no drift and no jump between sessions.
    """
    _check(window)
    top, bottom = _bars(high, low)
    spread = np.log(top / bottom)
    return np.sqrt(_mean(spread * spread / _FOUR_LOG_2, window) * sessions)


def garman_klass(
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    window: int,
    sessions: float,
) -> Floats:
    """Range and body of each session (Garman and Klass, J. Business 53, 1980).

    The practical estimator, 0.5 ln(H/L)^2 - (2 ln 2 - 1) ln(C/O)^2; no drift, no overnight
    jump. Parameters as in ``yang_zhang``.
    """
    _check(window)
    return np.sqrt(_mean(_garman_klass(*_bars(high, low, open_, close)), window) * sessions)


def rogers_satchell(
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    window: int,
    sessions: float,
) -> Floats:
    """Free of drift (Rogers and Satchell, Ann. Appl. Prob. 1, 1991); no overnight jump.

    Parameters as in ``yang_zhang``. For analysts; the stages use the other estimators.
    """
    _check(window)
    return np.sqrt(_mean(_rogers_satchell(*_bars(high, low, open_, close)), window) * sessions)


def yang_zhang(
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    window: int,
    sessions: float,
    *,
    nights_out: ArrayLike | None = None,
) -> Floats:
    """Free of drift, with the overnight step (Yang and Zhang, J. Business 73, 2000).

    Variance of overnight steps, plus k times that of open-to-close steps, plus 1 - k times the
    Rogers-Satchell mean, with the paper's k = 0.34 / (1.34 + (n + 1) / (n - 1)).

    Parameters
    ----------
    open_, high, low, close : array_like, shape (..., n)
        Rupees; all the same shape.
    window : int
        Sessions used; the close before the first is needed as well.
    sessions : float
        Sessions in a year.
    nights_out : array_like of bool, shape (..., n), optional
        Sessions whose overnight step is left out. The session itself was traded and counts.

    Returns
    -------
    ndarray of float64, shape (..., n)

    Raises
    ------
    DataError
        When the window is below 2 or the shapes differ.
    """
    _check(window)
    top, bottom, first, last = _bars(high, low, open_, close)
    overnight = _shift(np.log(first), np.log(last))
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    inside = _mean(_rogers_satchell(top, bottom, first, last), window)
    body = _sample_variance(np.log(last / first), window)
    variance = _sample_variance(overnight, window, nights_out) + share * body + (1 - share) * inside
    return np.sqrt(variance * sessions)


def daily_variance(open_: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Floats:
    """Variance of each session with the night before it: overnight step squared + Garman-Klass.

    Not annualised; input and benchmark of forecasts. Shape (..., n); the first
    session is NaN, and one without a usable bar or a usable close before it.
    """
    top, bottom, first, last = _bars(high, low, open_, close)
    overnight = _shift(np.log(first), np.log(last))
    return np.asarray(overnight * overnight + _garman_klass(top, bottom, first, last))


def _check(window: int) -> None:
    if window < 2:
        raise DataError(
            f"realised volatility over {window} sessions: a window needs 2 or more", window=window
        )


def _positive(values: ArrayLike) -> Floats:
    prices = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(prices) & (prices > 0), prices, np.nan)


def _bars(high: ArrayLike, low: ArrayLike, *inside: ArrayLike) -> tuple[Floats, ...]:
    """High, low and the prices between them, all NaN where a bar is inconsistent."""
    prices = [_positive(values) for values in (high, low, *inside)]
    shapes = {values.shape for values in prices}
    if len(shapes) > 1:
        raise DataError(f"bars of different shapes: {sorted(shapes)}", shapes=shapes)
    top, bottom, *between = prices
    sound = top >= bottom
    for values in between:
        sound &= (values <= top) & (values >= bottom)
    return tuple(np.where(sound, values, np.nan) for values in prices)


def _shift(now: Floats, before: Floats) -> Floats:
    """``now`` less ``before`` of the session before; the first is NaN."""
    gap = np.full(now.shape, np.nan)
    gap[..., 1:] = now[..., 1:] - before[..., :-1]
    return gap


def _steps(close: Floats) -> Floats:
    logs = np.log(close)
    return _shift(logs, logs)


def _garman_klass(top: Floats, bottom: Floats, first: Floats, last: Floats) -> Floats:
    spread, body = np.log(top / bottom), np.log(last / first)
    return np.asarray(0.5 * spread * spread - (2 * np.log(2.0) - 1) * body * body)


def _rogers_satchell(top: Floats, bottom: Floats, first: Floats, last: Floats) -> Floats:
    up = np.log(top / last) * np.log(top / first)
    return np.asarray(up + np.log(bottom / last) * np.log(bottom / first))


def _mean(values: Floats, window: int, left_out: ArrayLike | None = None) -> Floats:
    """Mean of the last ``window`` values at each place; a NaN among them makes NaN."""
    found = np.full(values.shape, np.nan)
    if values.shape[-1] >= window and left_out is None:
        found[..., window - 1 :] = sliding_window_view(values, window, axis=-1).mean(axis=-1)
    elif values.shape[-1] >= window:
        views, count, _ = _kept(values, window, left_out)
        found[..., window - 1 :] = views.sum(axis=-1) / count
    return found


def _sample_variance(values: Floats, window: int, left_out: ArrayLike | None = None) -> Floats:
    found = np.full(values.shape, np.nan)
    if values.shape[-1] >= window and left_out is None:
        views = sliding_window_view(values, window, axis=-1)
        found[..., window - 1 :] = views.var(axis=-1, ddof=1)
    elif values.shape[-1] >= window:
        views, count, kept = _kept(values, window, left_out)
        mean = views.sum(axis=-1) / count
        apart = np.where(kept, views - mean[..., None], 0.0)
        found[..., window - 1 :] = (apart * apart).sum(axis=-1) / (count - 1)
    return found


def _kept(
    values: Floats, window: int, left_out: ArrayLike | None
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Windows with zeros for values left out, their other values' number, and which they are.

    The number is NaN where fewer than half of the window, or than two, are kept.
    """
    out = np.broadcast_to(np.asarray(left_out, dtype=np.bool_), values.shape)
    kept = sliding_window_view(~out, window, axis=-1)
    count = kept.sum(axis=-1).astype(np.float64)
    count[count < max(2.0, window / 2)] = np.nan
    views = sliding_window_view(np.where(out, 0.0, values), window, axis=-1)
    return views, count, kept
