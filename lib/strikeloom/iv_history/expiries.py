"""Forward, smile and measures of every expiry of the exchange on a day."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.iv_history.columns import Columns
from strikeloom.nse.ticks import option_tick
from strikeloom.quant.chain import solve_chain
from strikeloom.quant.forwards import (
    INDEX_CARRY,
    STOCK_CARRY,
    Forwards,
    ParityForwards,
    best_forwards,
    call_put_pairs,
    close_variance,
    parity_forwards,
)
from strikeloom.quant.implied.solver import Reason
from strikeloom.quant.smile.delta import Wings, wings
from strikeloom.quant.smile.error import Evidence, at_money_error
from strikeloom.quant.smile.fit import Fit, fit_smiles
from strikeloom.quant.smile.fit import Kind as Smile
from strikeloom.quant.smile.model_free import model_free_variance
from strikeloom.quant.smile.quotes import out_of_the_money, precision
from strikeloom.settings.iv import IvSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Relative standard errors of a volatility: up to which it is well observed, and known at all.
_FIRM, _KNOWN = 0.075, 0.15
_NEAR = 1.0  # standard deviations around the forward within which a quote brackets it
_THREADS = 2
_QUARTER = float(-ndtri(0.25))  # standard deviations to 25 delta
_SLACK = 0.1  # standard deviations that quotes may end before 25 delta


class Quotes(NamedTuple):
    """Out-of-the-money options whose price gives a volatility, one row each.

    ``row`` is the option's row in ``Columns``; ``vol`` a fraction a year; ``moneyness``
    ln(strike / forward).
    """

    row: Ints
    group: Ints
    moneyness: Floats
    vol: Floats
    lots: Floats


class Expiries(NamedTuple):
    """One row a group of ``Columns``.

    Attributes
    ----------
    parity, best : ParityForwards, Forwards
    quotes, fit : Quotes, Fit
        ``fit.residual`` and ``fit.reason`` belong to ``quotes``.
    wings : Wings
        Volatilities at the money and at 25 delta; NaN where the smile is refused, at 25 delta
        also where it has no shape of its own or its quotes do not reach so far on both sides.
    model_free : ndarray
        Volatility a year of the variance swap on the smile; NaN where there are no wings.
    error : ndarray
        Relative standard error of ``wings.at_money`` (``quant.smile.error``).
    below, above : ndarray of int64
        Quotes used within a standard deviation on each side of the forward.
    shaped : ndarray of bool
        The smile's shape is its own: three quotes or more, on both sides of the forward.
    grade : ndarray of str
        ``A`` two quotes or more on both sides and an error of 7.5 % or less, ``B`` one side has a
        single one or none but the smile has a level of its own, empty when it has none: no
        quote near the forward, only some without a shape that were all made before the closing
        half hour, or an error of more than 15 %.
    """

    parity: ParityForwards
    best: Forwards
    quotes: Quotes
    fit: Fit
    wings: Wings
    model_free: Floats
    error: Floats
    below: Ints
    above: Ints
    shaped: Flags
    grade: NDArray[np.str_]


def solve_expiries(
    day_columns: Columns, day: date, settings: IvSettings, *, threads: int = _THREADS
) -> Expiries:
    """Forwards by the best source, smiles of what traded out of the money, their measures."""
    c = day_columns
    discount = np.exp(-settings.rate * c.calendar)
    parity = _parity(c, discount, settings)
    best = best_forwards(
        parity,
        c.future,
        c.spot[c.chain],
        c.calendar,
        c.chain,
        settings.rate,
        carry_error=np.where(c.is_index, INDEX_CARRY, STOCK_CARRY)[c.chain],
        most_error=settings.parity_error,
    )
    quotes, weight = _quotes(c, best.forward, parity.discount, day)
    years = c.years[quotes.group]
    fit = fit_smiles(
        quotes.moneyness,
        quotes.vol**2 * years,
        weight,
        quotes.group,
        c.years,
        c.chain,
        threads=threads,
    )
    measured = wings(fit.curves, c.years)
    below, above = _bracket(quotes, fit, measured.at_money * np.sqrt(c.years))
    shaped = fit.kind >= Smile.REDUCED
    winged = shaped & _reached(fit, measured, c.years)
    with np.errstate(invalid="ignore"):
        model_free = np.sqrt(model_free_variance(fit.curves) / c.years)
    error = _error(c, quotes, weight, fit, measured.at_money, best.std_error)
    fresh = np.bincount(quotes.group, weights=c.fresh[quotes.row], minlength=len(c.years))
    with np.errstate(invalid="ignore"):
        firm = (below >= 2) & (above >= 2) & (error <= _FIRM)
        told = (below + above > 0) & (shaped | ((fit.used > 0) & (fresh > 0)))
        told &= np.isfinite(best.forward) & (error <= _KNOWN)
    return Expiries(
        parity,
        best,
        quotes,
        fit,
        Wings(*(np.where(winged, each, np.nan) for each in measured))._replace(
            at_money=measured.at_money
        ),
        np.where(winged, model_free, np.nan),
        error,
        below,
        above,
        shaped,
        np.where(told, np.where(firm, "A", "B"), ""),
    )


def _reached(fit: Fit, measured: Wings, years: Floats) -> Flags:
    """Smiles whose quotes go out to 25 delta on both sides: beyond them a wing is a guess.

    On the real days of 2026 the 25-delta measures scatter as elsewhere where the quotes end up to
    a tenth of a standard deviation before it, twice as much from three tenths on.
    """
    root = np.sqrt(years)
    put, call = measured.put * root, measured.call * root
    lowest, highest = -_QUARTER * put + 0.5 * put**2, _QUARTER * call + 0.5 * call**2
    slack = _SLACK * measured.at_money * root
    with np.errstate(invalid="ignore"):
        return np.asarray((fit.lowest <= lowest + slack) & (fit.highest >= highest - slack))


def _error(
    c: Columns, quotes: Quotes, weight: Floats, fit: Fit, vol: Floats, forward_error: Floats
) -> Floats:
    evidence = Evidence(
        quotes.group,
        quotes.moneyness,
        c.is_call[quotes.row],
        quotes.lots,
        c.fresh[quotes.row],
        weight,
        fit.trust,
        fit.residual,
    )
    return at_money_error(evidence, vol, c.years, forward_error)


def _parity(c: Columns, discount: Floats, settings: IvSettings) -> ParityForwards:
    rows = np.flatnonzero(c.traded)
    strike, close, group = c.strike[rows], c.close[rows], c.group[rows]
    variance = close_variance(c.lots[rows], c.fresh[rows])
    calls, puts = call_put_pairs(strike, c.is_call[rows], group)
    return parity_forwards(
        strike[calls],
        close[calls] - close[puts],
        variance[calls] + variance[puts],
        group[calls],
        discount,
        discount * c.calendar * settings.rate_error,
    )


def _quotes(c: Columns, forward: Floats, discount: Floats, day: date) -> tuple[Quotes, Floats]:
    """Usable rows and the weight of each in its smile."""
    tick = option_tick(InstrumentKind.STOCK, None, day) / PAISE_PER_RUPEE
    price = np.where(c.traded, c.close, np.nan)
    rows = np.flatnonzero(
        out_of_the_money(price, forward[c.group], c.strike, c.is_call, tick) & c.traded
    )
    group, strike, call = c.group[rows], c.strike[rows], c.is_call[rows]
    solved = solve_chain(
        c.close[rows], forward[group], strike, c.years[group], call, discount[group]
    )
    weight = precision(solved.greeks.vega, c.lots[rows], c.fresh[rows], tick)
    moneyness = np.log(strike / forward[group])
    found = Quotes(rows, group, moneyness, solved.vol, c.lots[rows])
    known = solved.reason == Reason.OK
    return Quotes(*(part[known] for part in found)), weight[known]


def _bracket(quotes: Quotes, fit: Fit, deviation: Floats) -> tuple[Ints, Ints]:
    """Quotes used below and above the forward, near it; one at the forward is on both sides."""
    groups, at = len(deviation), quotes.group
    with np.errstate(invalid="ignore"):
        near = np.isfinite(fit.residual) & (np.abs(quotes.moneyness) <= _NEAR * deviation[at])
        middle = np.abs(quotes.moneyness) <= 0.05 * deviation[at]

    def count(side: Flags) -> Ints:
        return np.bincount(at[near & (side | middle)], minlength=groups).astype(np.int64)

    return count(quotes.moneyness < 0), count(quotes.moneyness > 0)
