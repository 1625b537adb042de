"""Forward, smile and measures of every expiry of the exchange on a day."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.iv_history.chains import DayChains
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
from strikeloom.quant.smile.error import QuoteEvidence, at_money_error
from strikeloom.quant.smile.fit import Fit, SmileKind, fit_smiles
from strikeloom.quant.smile.model_free import model_free_variance
from strikeloom.quant.smile.quotes import out_of_the_money, precision
from strikeloom.settings.iv import IvSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Largest relative standard error of a volatility of grade A, and of grade B.
_MOST_ERROR_A, _MOST_ERROR_B = 0.075, 0.15
_NEAR = 1.0  # standard deviations from the forward within which a quote is near it
_THREADS = 2
_QUARTER = float(-ndtri(0.25))  # standard deviations to 25 delta
_SLACK = 0.1  # standard deviations by which quotes may stop short of 25 delta


class Quotes(NamedTuple):
    """Out-of-the-money options whose price gives a volatility, one row each.

    ``row`` is the option's row in ``DayChains``; ``vol`` a fraction a year; ``moneyness``
    ln(strike / forward).
    """

    row: Ints
    group: Ints
    moneyness: Floats
    vol: Floats
    lots: Floats


class Expiries(NamedTuple):
    """One row an expiry of ``DayChains``.

    Attributes
    ----------
    parity, best : ParityForwards, Forwards
    quotes, fit : Quotes, Fit
        ``fit.residual`` and ``fit.reason`` belong to ``quotes``.
    wings : Wings
        Volatilities at the money and at 25 delta. NaN where there is no smile; at 25 delta also
        where its shape is borrowed or its quotes do not reach that far on both sides.
    model_free : ndarray
        Annual volatility of the variance swap on the smile; NaN where there are no wings.
    error : ndarray
        Relative standard error of ``wings.at_money`` (``quant.smile.error``).
    below, above : ndarray of int64
        Quotes used within a standard deviation on each side of the forward.
    shaped : ndarray of bool
        The shape of the smile comes from its own quotes: three or more, on both sides of the
        forward.
    grade : ndarray of str
        ``A``: two or more quotes on each side and an error of at most 7.5 %. ``B``: fewer quotes
        on a side or a larger error, but the smile has a level of its own. Empty: no level, that
        is no quote near the forward, or only quotes without a shape that all traded before the
        closing half hour, or an error above 15 %.
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
    chains: DayChains, day: date, settings: IvSettings, *, threads: int = _THREADS
) -> Expiries:
    """Forward of each expiry by the best source, smile of its traded out-of-the-money options."""
    discount = np.exp(-settings.rate * chains.calendar_years)
    parity = _parity(chains, discount, settings)
    best = best_forwards(
        parity,
        chains.future,
        chains.spot[chains.underlying],
        chains.calendar_years,
        chains.underlying,
        settings.rate,
        carry_error=np.where(chains.is_index, INDEX_CARRY, STOCK_CARRY)[chains.underlying],
        most_error=settings.parity_error,
    )
    quotes, weight = _quotes(chains, best.forward, parity.discount, day)
    years = chains.years[quotes.group]
    fit = fit_smiles(
        quotes.moneyness,
        quotes.vol**2 * years,
        weight,
        quotes.group,
        chains.years,
        chains.underlying,
        threads=threads,
    )
    measured = wings(fit.curves, chains.years)
    below, above = _bracket(quotes, fit, measured.at_money * np.sqrt(chains.years))
    shaped = fit.kind >= SmileKind.REDUCED
    winged = shaped & _reached(fit, measured, chains.years)
    with np.errstate(invalid="ignore"):
        model_free = np.sqrt(model_free_variance(fit.curves) / chains.years)
    error = _error(chains, quotes, weight, fit, measured.at_money, best.std_error)
    fresh = np.bincount(quotes.group, weights=chains.fresh[quotes.row], minlength=len(chains.years))
    with np.errstate(invalid="ignore"):
        is_a = (below >= 2) & (above >= 2) & (error <= _MOST_ERROR_A)
        graded = (below + above > 0) & (shaped | ((fit.used > 0) & (fresh > 0)))
        graded &= np.isfinite(best.forward) & (error <= _MOST_ERROR_B)
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
        np.where(graded, np.where(is_a, "A", "B"), ""),
    )


def _reached(fit: Fit, measured: Wings, years: Floats) -> Flags:
    """Smiles whose quotes reach 25 delta on both sides: beyond them a wing is extrapolated.

    On the real days of 2026 the 25-delta measures scatter no more than elsewhere where the quotes
    stop up to 0.1 standard deviations short of 25 delta, and twice as much from 0.3 on.
    """
    root = np.sqrt(years)
    put, call = measured.put * root, measured.call * root
    lowest, highest = -_QUARTER * put + 0.5 * put**2, _QUARTER * call + 0.5 * call**2
    slack = _SLACK * measured.at_money * root
    with np.errstate(invalid="ignore"):
        return np.asarray((fit.lowest <= lowest + slack) & (fit.highest >= highest - slack))


def _error(
    chains: DayChains, quotes: Quotes, weight: Floats, fit: Fit, vol: Floats, forward_error: Floats
) -> Floats:
    evidence = QuoteEvidence(
        quotes.group,
        quotes.moneyness,
        chains.is_call[quotes.row],
        quotes.lots,
        chains.fresh[quotes.row],
        weight,
        fit.trust,
        fit.residual,
    )
    return at_money_error(evidence, vol, chains.years, forward_error)


def _parity(chains: DayChains, discount: Floats, settings: IvSettings) -> ParityForwards:
    rows = np.flatnonzero(chains.traded)
    strike, close, group = chains.strike[rows], chains.close[rows], chains.group[rows]
    variance = close_variance(chains.lots[rows], chains.fresh[rows])
    calls, puts = call_put_pairs(strike, chains.is_call[rows], group)
    return parity_forwards(
        strike[calls],
        close[calls] - close[puts],
        variance[calls] + variance[puts],
        group[calls],
        discount,
        discount * chains.calendar_years * settings.rate_error,
    )


def _quotes(
    chains: DayChains, forward: Floats, discount: Floats, day: date
) -> tuple[Quotes, Floats]:
    """Usable quotes and the weight of each in its smile."""
    tick = option_tick(InstrumentKind.STOCK, None, day) / PAISE_PER_RUPEE
    price = np.where(chains.traded, chains.close, np.nan)
    rows = np.flatnonzero(
        out_of_the_money(price, forward[chains.group], chains.strike, chains.is_call, tick)
        & chains.traded
    )
    group, strike, call = chains.group[rows], chains.strike[rows], chains.is_call[rows]
    solved = solve_chain(
        chains.close[rows], forward[group], strike, chains.years[group], call, discount[group]
    )
    weight = precision(solved.greeks.vega, chains.lots[rows], chains.fresh[rows], tick)
    moneyness = np.log(strike / forward[group])
    quotes = Quotes(rows, group, moneyness, solved.vol, chains.lots[rows])
    known = solved.reason == Reason.OK
    return Quotes(*(part[known] for part in quotes)), weight[known]


def _bracket(quotes: Quotes, fit: Fit, deviation: Floats) -> tuple[Ints, Ints]:
    """Number of quotes used near the forward, below and above; one at it counts on both sides."""
    groups, at = len(deviation), quotes.group
    with np.errstate(invalid="ignore"):
        near = np.isfinite(fit.residual) & (np.abs(quotes.moneyness) <= _NEAR * deviation[at])
        middle = np.abs(quotes.moneyness) <= 0.05 * deviation[at]

    def count(side: Flags) -> Ints:
        return np.bincount(at[near & (side | middle)], minlength=groups).astype(np.int64)

    return count(quotes.moneyness < 0), count(quotes.moneyness > 0)
