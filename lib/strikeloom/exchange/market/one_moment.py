"""Prices that the options of one day had together, at four moments, from an end-of-day file.

The file's open, low, high and close of a contract are of whenever it traded. Here each moment has
one forward an expiry and one volatility a strike, and every option is priced from these two, so
that calls, puts and the underlying belong together (put-call parity holds exactly).

* Forwards: at the close from the settlement prices (parity where it is precise, else the future);
  before, moved as the underlying moved. Its level at the open is the one that the options' first
  trades agree on by parity, inside the day's range; only without enough of them the published
  open, which is of the auction before and may be half a percent from where options then trade.
* Volatilities: at the open a curve through the first trades of options out of the money, each
  weighted by its lots, since none is sure to be of that moment; at the close each strike's own,
  of the settlement price, which the exchange makes of the last half hour or, without trades in
  it, of a model; between the two in a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.nse.sessions import years_array
from strikeloom.quant.black76 import price as black76
from strikeloom.quant.chain import solve_chain
from strikeloom.quant.forwards import (
    INDEX_CARRY,
    STOCK_CARRY,
    ParityForwards,
    best_forwards,
    call_put_pairs,
    close_variance,
    parity_forwards,
    weighted_median,
)
from strikeloom.quant.implied.solver import implied_vol
from strikeloom.quant.smile.quotes import out_of_the_money, precision

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Prior of the yearly rate and its error, and the error up to which parity beats the future.
_RATE, _RATE_ERROR, _PARITY_ERROR = 0.065, 0.01, 0.0015
#: Standard errors of the curve's level, slope and bend before any price is seen, as shares of
#: the volatility, one standard deviation from the forward.
_PRIOR = np.array([10.0, 0.15, 0.05])
#: Error up to which the forward of an expiry's first trades counts.
_OPENING_ERROR = 0.005
#: How far the moments between go from the straight line to the day's extremes. Contracts trade at
#: their own extremes at other times: at the underlying's very extremes two thirds of the liquid
#: ones would have no room for both sides in their own range, half way a fifth.
_OUTWARD = 0.5
_MOST_LOTS = 1_000.0  # more lots are no better evidence of the moment
_BEND, _ROUNDS = 1.5, 4  # standard deviations beyond which a price's influence is constant


class Options(NamedTuple):
    """Options of a day, one row each; rupees, NaN where the file has none.

    Attributes
    ----------
    group : ndarray of int64
        Row of its expiry in ``Series``.
    settle : ndarray
        Settlement price, else the close.
    fresh : ndarray of bool
        The settlement price is the contract's own close.
    tick : ndarray
    """

    group: Ints
    strike: Floats
    is_call: Flags
    open: Floats
    settle: Floats
    lots: Floats
    fresh: Flags
    tick: Floats


class Series(NamedTuple):
    """Expiries of a day, ordered by underlying and last day; rupees.

    Attributes
    ----------
    symbol : ndarray of int64
        Row of its underlying.
    is_index : ndarray of bool
    future : ndarray
        Settlement price of the future where it traded.
    spot : ndarray
        Close of the underlying.
    final : ndarray
        Final settlement value where it is the last day, else NaN.
    bar : ndarray, shape (expiries, 4)
        Open, low, high and close of the underlying as shares of its close; NaN where unknown.
    """

    symbol: Ints
    is_index: Flags
    last_day: NDArray[np.datetime64]
    future: Floats
    spot: Floats
    final: Floats
    bar: Floats


class Moment(NamedTuple):
    """Spot, forward and discount by expiry, volatility and price by option, at one moment."""

    spot: Floats
    forward: Floats
    discount: Floats
    vol: Floats
    price: Floats


def one_moment(options: Options, series: Series, moments: Sequence[datetime]) -> list[Moment]:
    """Prices of every option at each of the moments open, two between, and close.

    NaN where the expiry has no forward or no volatility at that moment.
    """
    at_close = years_array(moments[-1], series.last_day)
    forward, discount = _closing_forwards(options, series, at_close)
    ends = np.isfinite(series.final)
    before = np.where(ends, series.spot, forward)
    years = [years_array(at, series.last_day) for at in moments[:-1]]
    years.append(np.where(ends, 0.0, at_close))
    rate = np.where(ends, 0.0, -np.log(discount) / np.where(ends, 1.0, at_close))
    path = _path(options, series, before, years[0])
    forwards = [*(before * path[:-1]), np.where(ends, series.final, forward)]
    first = _curve(options, options.open, forwards[0], years[0])
    own = _strikes_own(options, forwards[-1], years[-1], discount)
    g = options.group
    found: list[Moment] = []
    for n, (time, level) in enumerate(zip(years, forwards, strict=True)):
        share = n / (len(years) - 1)
        vol = np.where(np.isnan(own), first, first + share * (own - first))
        vol = np.where(time[g] > 0, np.where(np.isnan(vol), own, vol), 0.0)
        factor = np.exp(-rate * time)
        value = black76(level[g], options.strike, time[g], vol, options.is_call, factor[g])
        found.append(Moment(series.spot * path[n], level, factor, vol, value))
    return found


def _closing_forwards(options: Options, series: Series, years: Floats) -> tuple[Floats, Floats]:
    """Forward and discount factor of each expiry from the settlement prices of the day."""
    parity = _parity(options, options.settle, options.fresh, years)
    best = best_forwards(
        parity,
        series.future,
        series.spot,
        years,
        series.symbol,
        _RATE,
        carry_error=np.where(series.is_index, INDEX_CARRY, STOCK_CARRY),
        most_error=_PARITY_ERROR,
    )
    return best.forward, parity.discount


def _path(options: Options, series: Series, base: Floats, years: Floats) -> Floats:
    """Level of each expiry's underlying at the four moments as a share of its close, (4, n).

    Between open and close it goes half way from the straight line to the day's low and high, the
    low first on a day that rose.
    """
    parity = _parity(options, options.open, np.zeros_like(options.fresh), years)
    known = (parity.std_error <= _OPENING_ERROR) & np.isfinite(base)
    symbols = int(series.symbol.max(initial=-1)) + 1
    agreed = weighted_median(
        (parity.forward / base)[known], parity.std_error[known] ** -2.0,
        series.symbol[known], symbols,
    )[series.symbol]  # fmt: skip
    opened, low, high, close = series.bar.T
    first = np.where(np.isnan(agreed), opened, np.clip(agreed, low, high))
    line = first + np.arange(4)[:, None] / 3 * (close - first)
    rose = close >= first
    far = np.stack([first, np.where(rose, low, high), np.where(rose, high, low), close])
    path = line + _OUTWARD * (far - line)
    path[-1] = 1.0  # also where nothing else is known
    return np.asarray(path)


def _parity(options: Options, price: Floats, fresh: Flags, years: Floats) -> ParityForwards:
    """Forwards by put-call parity of one kind of price; those of the day's trades where fresh."""
    prior = np.exp(-_RATE * years)
    calls, puts = call_put_pairs(options.strike, options.is_call, options.group)
    variance = close_variance(options.lots, fresh)
    variance = np.where(options.lots > 0, variance, np.nan)
    return parity_forwards(
        options.strike[calls],
        price[calls] - price[puts],
        variance[calls] + variance[puts],
        options.group[calls],
        prior,
        prior * np.maximum(years, 0.0) * _RATE_ERROR,
    )


def _strikes_own(options: Options, forward: Floats, years: Floats, discount: Floats) -> Floats:
    """Volatility of each strike at the close: of its option out of the money, else of the other.

    A strike without either has that of the day's closing curve.
    """
    g = options.group
    vol, _ = implied_vol(
        options.settle, forward[g], options.strike, years[g], options.is_call, discount[g]
    )
    outside = options.is_call == (options.strike >= forward[g])
    curve = _curve(options, options.settle, forward, years)
    order = np.lexsort((outside, np.isfinite(vol), options.strike, g))
    last = np.ones(len(order), dtype=bool)  # of its strike: the best one sorts last
    last[:-1] = (np.diff(g[order]) != 0) | (np.diff(options.strike[order]) != 0)
    place = np.cumsum(last) - last
    of_strike = vol[order][last]
    own = np.empty_like(vol)
    own[order] = of_strike[place]
    return np.where(np.isnan(own), curve, own)


def _curve(options: Options, price: Floats, forward: Floats, years: Floats) -> Floats:
    """Volatility of each option from one curve an expiry; NaN where an expiry has no price.

    A parabola in standard deviations from the forward, fitted with bounded influence (P. Huber,
    1964) and level outside the prices that it rests on.
    """
    g = options.group
    there = (options.lots > 0) & (years[g] > 0)
    there &= out_of_the_money(price, forward[g], options.strike, options.is_call, options.tick)
    rows = np.flatnonzero(there)
    group, groups = g[rows], len(forward)
    solved = solve_chain(
        price[rows], forward[group], options.strike[rows], years[group], options.is_call[rows]
    )
    good = np.isfinite(solved.vol)
    rows, group, vol = rows[good], group[good], solved.vol[good]
    lots = np.minimum(options.lots[rows], _MOST_LOTS)
    stale = np.zeros(len(rows), dtype=bool)
    weight = precision(solved.greeks.vega[good], lots, stale, options.tick[rows])
    with np.errstate(invalid="ignore"):  # no price, no level
        level = _total(weight * vol, group, groups) / _total(weight, group, groups)
    root = np.sqrt(np.maximum(years, 1e-6))
    away = np.log(options.strike / forward[g]) / (level * root)[g]
    x, y, w = away[rows], vol / level[group] - 1.0, weight * level[group] ** 2
    terms = np.stack([np.ones_like(x), x, x * x], axis=1)
    shape: Floats = np.zeros((groups, 3))
    spread: Floats = np.ones(groups)
    prior = np.diag(1.0 / _PRIOR**2)
    for _ in range(_ROUNDS):
        left = np.abs(y - (terms * shape[group]).sum(axis=1)) * np.sqrt(w)
        bounded = w * np.minimum(1.0, _BEND * spread[group] / np.maximum(left, 1e-9))
        matrix = np.empty((groups, 3, 3))
        right = np.empty((groups, 3))
        for i in range(3):
            right[:, i] = _total(bounded * terms[:, i] * y, group, groups)
            for j in range(3):
                matrix[:, i, j] = _total(bounded * terms[:, i] * terms[:, j], group, groups)
        shape = np.asarray(np.linalg.solve(matrix + prior, right[:, :, None])[:, :, 0])
        left = np.abs(y - (terms * shape[group]).sum(axis=1)) * np.sqrt(w)
        count = np.maximum(np.bincount(group, minlength=groups), 1)
        spread = np.maximum(1.0, _total(np.minimum(left, 10.0), group, groups) / count)
    least, most = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(least, group, x)
    np.maximum.at(most, group, x)
    at = np.clip(away, least[g], np.maximum(most, least)[g])
    relative = 1.0 + shape[g, 0] + shape[g, 1] * at + shape[g, 2] * at**2
    return np.asarray(level[g] * np.maximum(relative, 0.1))


def _total(values: Floats, group: Ints, groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=groups), dtype=np.float64)
