"""Forward and discount factor of many expiries in one pass.

Put-call parity is C - P = D (F - K): over the strikes of an expiry a straight line whose root
is the forward and whose slope is the discount factor. Prices of a call and a put that did not
trade at the same moment break it, so each strike counts by the age and size of its trades, the
influence of a bad quote is bounded (P. Huber, "Robust Estimation of a Location Parameter",
1964), and the result has a standard error. Dividends are in the prices. Where parity is too
imprecise the listed future is used, then coarse parity or a known forward of the same underlying
carried to the expiry, whichever has the smaller error, and only then the spot.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Squared error, in (basis points of the forward)^2, measured on the exchange's files of 2026:
#: parity at one strike against the listed future, by age and lots of the two trades.
_PAIR, _FRESH, _STALE, _STALE_FLOOR = 5.0**2, 14.0**2, 28.0**2, 25.0**2
_REACH = 0.1  # log-moneyness at which the variance of a pair has doubled
_BP = 1e-4
_BEND = 1.5  # standard deviations beyond which the influence of a quote is constant
_STEPS = 5
#: Relative error of the close of a traded future, and of a spot taken at the close.
FUTURE_ERROR, SPOT_ERROR = 3 * _BP, 5 * _BP
#: Relative error of a forward carried to another expiry: fixed, and for a year of carry of an
#: index and of a stock (interest rate, unknown dividends). Measured on 59 days, known forwards
#: left out and carried from the expiry before: an index 12 basis points over half a year and 55,
#: most to one side, over ten months, a stock 25 over one month (deviations by medians).
CARRIED_ERROR, INDEX_CARRY, STOCK_CARRY = 10 * _BP, 0.008, 0.03


class Source(IntEnum):
    """How a forward was obtained."""

    NONE = 0
    PARITY = 1
    FUTURE = 2
    CARRIED = 3
    SPOT = 4


class ParityForwards(NamedTuple):
    """One row a group, shape (groups,). NaN and 0 used where a group has no pair.

    Attributes
    ----------
    forward : ndarray
        In the unit of the strikes.
    std_error : ndarray
        Relative error of the forward; widened where the pairs scatter more than expected from
        their trades.
    discount, discount_error : ndarray
        Factor to expiry and its standard error, between the prior and the pairs' slope.
    used : ndarray of int64
        Pairs.
    """

    forward: Floats
    std_error: Floats
    discount: Floats
    discount_error: Floats
    used: Ints


class Forwards(NamedTuple):
    """Best forward of each group, its relative standard error and its ``Source``."""

    forward: Floats
    std_error: Floats
    source: NDArray[np.int8]


def close_variance(lots: Floats, fresh: Flags) -> Floats:
    """Squared error of an option's close seen as a forward, in (basis points)^2.

    Parameters
    ----------
    lots : ndarray, shape (n,)
        Lots traded that day, 1 or more.
    fresh : ndarray of bool, shape (n,)
        The close was made in the closing half hour. The exchange settles such a contract at its
        close; one with an older last trade it settles at a model price.
    """
    size = np.maximum(lots, 1.0)
    return np.asarray(np.where(fresh, _FRESH / size, _STALE_FLOOR + _STALE / size))


def call_put_pairs(strike: Floats, is_call: Flags, group: Ints) -> tuple[Ints, Ints]:
    """Rows of the calls and of the puts that share group and strike, in that order.

    Parameters
    ----------
    strike, is_call, group : ndarray, shape (n,)
        One row a contract, no contract twice.

    Returns
    -------
    calls, puts : ndarray of int64, shape (pairs,)
    """
    order = np.lexsort((is_call, strike, group))
    first, second = order[:-1], order[1:]
    both = (group[first] == group[second]) & (strike[first] == strike[second])
    both &= ~is_call[first] & is_call[second]
    return second[both], first[both]


def weighted_median(values: Floats, weights: Floats, group: Ints, groups: int) -> Floats:
    """Weighted lower median of each group, NaN for an empty one.

    Parameters
    ----------
    values, weights : ndarray, shape (n,)
        Weights positive.
    group : ndarray of int64, shape (n,)
        Group of each row, 0 to ``groups`` - 1.
    """
    order = np.lexsort((values, group))
    v, w, g = values[order], weights[order], group[order]
    running = np.cumsum(w)
    totals = np.bincount(g, weights=w, minlength=groups)
    before = np.concatenate(([0.0], np.cumsum(totals)))[:-1]
    inside = running - before[g]
    reached = inside >= 0.5 * totals[g] * (1 - 1e-12)
    first = np.full(groups, -1, dtype=np.int64)
    place = np.flatnonzero(reached)
    # the last write wins, so go backwards to keep the first row that reaches half the weight
    first[g[place[::-1]]] = place[::-1]
    return np.where(first >= 0, v[first] if len(v) else np.nan, np.nan)


def parity_forwards(
    strike: Floats,
    spread: Floats,
    variance: Floats,
    group: Ints,
    discount: Floats,
    discount_error: Floats,
) -> ParityForwards:
    """Forward and discount factor of each group (an underlying's expiry) from its strikes.

    Parameters
    ----------
    strike, spread : ndarray, shape (n,)
        One row a strike with both sides traded; ``spread`` is the call's price less the put's.
    variance : ndarray, shape (n,)
        ``close_variance`` of the call plus that of the put. Rows that are not finite, or with
        a variance that is not positive, are left out.
    group : ndarray of int64, shape (n,)
    discount, discount_error : ndarray, shape (groups,)
        Prior of the discount factor: value and standard error. Few strikes near the money leave
        it unchanged; many strikes far apart move it.

    Returns
    -------
    ParityForwards
    """
    groups = len(discount)
    implied = strike + spread / discount[group]
    usable = np.isfinite(implied) & np.isfinite(variance) & (variance > 0) & (strike > 0)
    strike, spread, implied = strike[usable], spread[usable], implied[usable]
    variance, g = variance[usable], group[usable]
    used = np.bincount(g, minlength=groups).astype(np.int64)
    deviation = np.sqrt(_PAIR + variance)
    anchor = weighted_median(implied, 1.0 / deviation, g, groups)
    anchor = np.where(anchor > 0, anchor, np.nan)
    x = strike / anchor[g] - 1.0
    y = spread / anchor[g]
    deviation = _BP * deviation * np.sqrt(1.0 + (x / _REACH) ** 2)
    weight = 1.0 / deviation**2
    prior = 1.0 / np.maximum(discount_error, 1e-12) ** 2

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(g, weights=values, minlength=groups))

    level, slope = np.zeros(groups), discount.copy()  # y = level - slope x
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_STEPS):
            off = np.abs(y - level[g] + slope[g] * x) / deviation
            w = weight * np.minimum(1.0, _BEND / np.maximum(off, 1e-9))
            s0, s1, s2 = total(w), total(w * x), total(w * x * x) + prior
            t0, t1 = total(w * y), prior * discount - total(w * x * y)
            spread_of = s0 * s2 - s1 * s1
            level = (s2 * t0 + s1 * t1) / spread_of
            slope = (s1 * t0 + s0 * t1) / spread_of
        off = (y - level[g] + slope[g] * x) / deviation
        scatter = total(np.minimum(off**2, _BEND * np.abs(off))) / np.maximum(used - 1, 1)
        widened = np.sqrt(np.maximum(scatter, 1.0))
        forward = anchor * (1.0 + level / slope)
        error = widened * np.sqrt(s2 / spread_of) / slope
        slope_error = np.sqrt(s0 / spread_of)
    none = (used == 0) | ~(forward > 0)
    return ParityForwards(
        np.where(none, np.nan, forward),
        np.where(none, np.nan, error),
        np.where(none, discount, slope),
        np.where(none, discount_error, slope_error),
        np.where(none, 0, used),
    )


def best_forwards(
    parity: ParityForwards,
    future: Floats,
    spot: Floats,
    years: Floats,
    chain: Ints,
    rate: float,
    *,
    carry_error: Floats,
    most_error: float,
) -> Forwards:
    """Parity where it is precise enough, else the listed future, else the best other source.

    Parameters
    ----------
    parity : ParityForwards
    future, spot : ndarray, shape (groups,)
        Close of the listed future where it traded, and the underlying; NaN without.
    years : ndarray, shape (groups,)
    chain : ndarray of int64, shape (groups,)
        Underlying of each group. Groups are sorted by underlying and years.
    rate : float
        Continuously compounded, per year.
    carry_error : ndarray, shape (groups,)
        Error of a year of carry: ``INDEX_CARRY`` or ``STOCK_CARRY``.
    most_error : float
        Relative standard error up to which parity is preferred to the future.

    Returns
    -------
    Forwards
        Precise parity and futures are used as they are. Elsewhere the source of smallest error:
        coarse parity, or such a forward of another expiry of the underlying carried forward or
        back (it contains dividends until then); without either, the spot carried forward,
        without dividends. NaN and ``Source.NONE`` where there is no source.
    """
    sharp = parity.std_error <= most_error
    listed = np.isfinite(future) & (future > 0)
    known = sharp | listed
    forward = np.where(sharp, parity.forward, np.where(listed, future, np.nan))
    error = np.where(sharp, parity.std_error, np.where(listed, FUTURE_ERROR, np.nan))
    own = Forwards(
        np.where(known, forward, parity.forward),
        np.where(known, error, parity.std_error),
        np.where(sharp | ~listed, Source.PARITY, Source.FUTURE),
    )
    found = own
    for other in _others(chain):
        span = np.abs(years - years[other])
        off = np.sqrt(own.std_error[other] ** 2 + CARRIED_ERROR**2 + (carry_error * span) ** 2)
        carried = Forwards(
            own.forward[other] * np.exp(rate * (years - years[other])),
            np.where((other < 0) | known, np.nan, off),
            np.full(len(known), Source.CARRIED),
        )
        found = _better(found, carried)
    from_spot = np.isfinite(spot) & (spot > 0) & np.isnan(found.std_error)
    off = np.hypot(SPOT_ERROR, carry_error * years)
    return _better(
        found,
        Forwards(
            spot * np.exp(rate * years),
            np.where(from_spot, off, np.nan),
            np.full(len(known), Source.SPOT),
        ),
    )


def _better(first: Forwards, second: Forwards) -> Forwards:
    """Forward of smaller error in each row, the first of equals; none where neither has one."""
    with np.errstate(invalid="ignore"):
        other = np.isnan(first.std_error) | (second.std_error < first.std_error)
    other &= np.isfinite(second.std_error)
    error = np.where(other, second.std_error, first.std_error)
    source = np.where(other, second.source, first.source)
    return Forwards(
        np.where(np.isnan(error), np.nan, np.where(other, second.forward, first.forward)),
        error,
        np.where(np.isnan(error), Source.NONE, source).astype(np.int8),
    )


def _others(chain: Ints) -> Iterator[Ints]:
    """Rows of the same chain one expiry earlier, one later, two earlier ...; -1 for none."""
    rows = np.arange(len(chain))
    longest = int(np.bincount(chain).max()) if len(chain) else 0
    for step in range(1, longest):
        for place in (rows - step, rows + step):
            inside = (place >= 0) & (place < len(rows))
            there = np.where(inside, place, 0)
            yield np.where(inside & (chain[there] == chain), place, -1)
