"""Implied volatility smiles in closed form: seven numbers a slice, evaluated in arrays.

``k`` is ln(strike / forward) with the slice's own forward, ``w`` total variance, volatility
squared times years. A slice is a level and two wings, each a hyperbola of its own:

    w(k) = level + left / 2 (sqrt(x^2 + left_width^2) - x)      x = k - left_centre
                 + right / 2 (sqrt(y^2 + right_width^2) + y)    y = k - right_centre

With one centre and one width for both it is raw SVI (J. Gatheral and A. Jacquier,
"Arbitrage-free SVI volatility surfaces", 2014): a = level, b = (right + left) / 2, rho =
(right - left) / (right + left), m = centre, sigma = width. Two of each let a smile be flat
around the forward and steep on both sides, as those of stocks before an event are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Curves(NamedTuple):
    """Smiles of many slices, float64 arrays of one shape; NaN in all fields where refused.

    Attributes
    ----------
    level : ndarray
        Total variance without the wings; may be negative, w itself never is.
    left, right : ndarray
        Slopes of w far below and far above the forward, as positive numbers below 2: with a
        slope of 2 or more prices would grow without bound (R. Lee, "The moment formula", 2004).
    left_centre, left_width, right_centre, right_width : ndarray
        Moneyness at which each wing bends, and how widely; widths positive.
    """

    level: Floats
    left: Floats
    right: Floats
    left_centre: Floats
    left_width: Floats
    right_centre: Floats
    right_width: Floats

    @classmethod
    def flat(cls, variance: ArrayLike) -> Curves:
        """Lognormal slices of the given total variances; not positive is refused."""
        w = np.asarray(variance, dtype=np.float64)
        w = np.where(w > 0, w, np.nan)
        zero = 0.0 * w
        return cls(w, zero, zero, zero, 1.0 + zero, zero, 1.0 + zero)

    @classmethod
    def refused(cls, count: int) -> Curves:
        """As many slices without a smile."""
        return cls(*np.full((7, count), np.nan))

    def pick(self, index: ArrayLike) -> Curves:
        """Slices at an index of the first axis; any integer shape, such as a slice a leg."""
        return Curves(*(np.asarray(field)[np.asarray(index)] for field in self))


class Variance(NamedTuple):
    """Total variance and its first two derivatives by moneyness, broadcast shape."""

    w: Floats
    dw: Floats
    d2w: Floats


def total_variance(curves: Curves, k: ArrayLike) -> Variance:
    """Total variance at moneyness ``k``, broadcast with the slices.

    A refused slice or a missing ``k`` is NaN. At infinite ``k`` the variance is infinite (or
    the level of a flat side) and the derivatives are those of the wing.
    """
    at = np.asarray(k, dtype=np.float64)
    x, y = at - curves.left_centre, at - curves.right_centre
    down, down_slope, down_bend = _wing(-x, curves.left_width)
    up, up_slope, up_bend = _wing(y, curves.right_width)
    left, right = 0.5 * curves.left, 0.5 * curves.right
    with np.errstate(invalid="ignore"):
        # a flat side stays flat at infinity
        w = curves.level + np.where(left > 0, left * down, 0.0)
        w = w + np.where(right > 0, right * up, 0.0)
        dw = right * up_slope - left * down_slope
        d2w = left * down_bend + right * up_bend
    missing = np.isnan(at) | np.isnan(curves.level)
    return Variance(*(np.where(missing, np.nan, value) for value in (w, dw, d2w)))


def _wing(x: Floats, width: Floats) -> tuple[Floats, Floats, Floats]:
    """sqrt(x^2 + width^2) + x and its derivatives, without cancellation on the flat side."""
    root = np.hypot(x, width)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(x > 0, root + x, width * width / (root - x))
        slope = np.where(np.isinf(x), np.where(x > 0, 2.0, 0.0), value / root)
        return value, slope, (width / root) ** 2 / root


def volatility(curves: Curves, k: ArrayLike, years: ArrayLike) -> Floats:
    """Volatility a year at moneyness ``k``, NaN where ``years`` is not positive."""
    t = np.asarray(years, dtype=np.float64)
    w = total_variance(curves, k).w
    return np.asarray(np.sqrt(w / np.where(t > 0, t, np.nan)))


def durrleman(curves: Curves, k: ArrayLike) -> Floats:
    """Durrleman's function g; the slice has no butterfly arbitrage where g is positive.

    g = (1 - k w' / 2w)^2 - w'^2 / 4 (1 / w + 1 / 4) + w'' / 2.
    """
    w, dw, d2w = total_variance(curves, k)
    with np.errstate(invalid="ignore", divide="ignore"):
        lead = 1.0 - 0.5 * np.asarray(k, dtype=np.float64) * dw / w
        return np.asarray(lead * lead - 0.25 * dw * dw * (1.0 / w + 0.25) + 0.5 * d2w)


def shrink(curves: Curves, share: ArrayLike) -> Curves:
    """Smiles of the same expiries with a share of their time left.

    w becomes share x w(k / sqrt(share)): the shape in standard deviations stays. For a share
    of 1 or less a slice without butterfly arbitrage stays without (g only gains (1 - share)
    w'^2 / 16), and w falls with the share, because 1 - k w' / 2w is positive in such a slice
    (M. Fukasawa, "The normalizing transformation of the implied volatility smile", 2012).

    Parameters
    ----------
    share : array_like
        Time left over time at the fit, in (0, 1]; outside is refused (NaN).
    """
    s = np.asarray(share, dtype=np.float64)
    s = np.where((s > 0) & (s <= 1), s, np.nan)
    root = np.sqrt(s)
    level, *others = curves
    return Curves(level * s, *(field * root for field in others))
