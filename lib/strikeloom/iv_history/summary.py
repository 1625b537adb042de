"""Summary row of each underlying: maturities, wings, realised, flows, quality, flags, reason."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import Flag, ForwardSource, Quality, Unsolved
from strikeloom.iv_history.chains import DayChains
from strikeloom.iv_history.expiries import Expiries
from strikeloom.iv_history.maturity import constant_maturity
from strikeloom.iv_history.price_columns import flag_texts, price_flags, realised_columns, spots
from strikeloom.iv_history.realised import Realised
from strikeloom.iv_history.term import Term
from strikeloom.nse.cash_hours import spot_is_old
from strikeloom.quant.forwards import Source
from strikeloom.quant.tenors import Tenor, TenorPlace, at_tenor
from strikeloom.settings.iv import IvSettings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Values = dict[str, NDArray[np.generic]]

_TENORS = (7, 30, 60, 90)
_YEAR = 365.0
#: Allowed distance of a parity forward from the listed future: relative, and in standard errors.
_OFF, _SIGMAS = 0.0015, 3.0
_SOURCES = np.array(["", *(source.value for source in ForwardSource)], dtype=object)
_FLAT = {7: Flag.FLAT_7, 60: Flag.FLAT_60, 90: Flag.FLAT_90}
_CARRIED = {7: Flag.CARRIED_7, 60: Flag.CARRIED_60, 90: Flag.CARRIED_90}


class Wings30(NamedTuple):
    """25-delta measures and model-free volatility 30 days ahead.

    ``held``: read from one expiry and held flat, not interpolated between two.
    """

    risk_reversal: Floats
    butterfly: Floats
    model_free: Floats
    held: Flags


def summary_columns(
    chains: DayChains,
    expiries: Expiries,
    term: Term,
    past: Realised,
    index: Floats,
    day: date,
    settings: IvSettings,
) -> Values:
    """Columns of ``IV_SUMMARY`` in order, one row an underlying."""
    underlyings = len(chains.symbols)
    tenors = {
        days: constant_maturity(*term, chains.years, chains.underlying, underlyings, days / _YEAR)
        for days in _TENORS
    }
    month = tenors[30]
    wings = _wings(chains, expiries, term)
    front = _front(chains, expiries, settings)
    values: Values = {
        "symbol": chains.symbols.astype(object),
        "day": np.full(underlyings, np.datetime64(day, "s")),
        "spot": spots(chains.spot, past),
        "atm_iv": _at(front, expiries.wings.at_money),
        "expiry": _dates(front, chains.expiry),
        "years": _at(front, chains.years),
        "forward": _at(front, expiries.best.forward),
        "forward_source": _SOURCES[_codes(front, expiries.best.source)],
        "forward_error": _at(front, expiries.best.std_error),
        "strikes_used": _codes(front, expiries.fit.used),
    }
    values |= {f"atm_iv_{days}d": tenor.vol for days, tenor in tenors.items()}
    values |= {
        "model_free_30d": wings.model_free,
        "vix_method": index,
        "rr25_30d": wings.risk_reversal,
        "bf25_30d": wings.butterfly,
        "term_slope": tenors[60].vol - month.vol,
        **realised_columns(past, month.vol),
        **_flows(chains),
        **_coverage(chains),
    }
    reason = _reasons(chains, expiries, month, front)
    values["quality"] = _quality(month, term)
    values["flags"] = _flags(chains, expiries, term, past, tenors, wings.held, front, day)
    values["reason"] = reason
    return values


def _at(rows: NDArray[np.int64], values: Floats) -> Floats:
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.asarray(np.where(rows >= 0, values[rows], np.nan))


def _codes(rows: NDArray[np.int64], values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Whole numbers at the rows, 0 where there is no row."""
    if not len(values):
        return np.zeros(len(rows), dtype=np.int64)
    return np.where(rows >= 0, values[rows], 0).astype(np.int64)


def _dates(rows: NDArray[np.int64], values: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    if not len(values):
        return np.full(len(rows), np.datetime64("NaT", "s"))
    return np.where(rows >= 0, values[rows].astype("datetime64[s]"), np.datetime64("NaT", "s"))


def _front(chains: DayChains, expiries: Expiries, settings: IvSettings) -> NDArray[np.int64]:
    """Row of the first solved expiry of each underlying that is far enough ahead; -1 for none."""
    usable = (expiries.grade != "") & (expiries.fit.used >= settings.min_strikes)
    usable &= chains.calendar_years >= (settings.min_days_to_expiry - 0.01) / _YEAR
    rows = np.flatnonzero(usable)[::-1]
    front = np.full(len(chains.symbols), -1, dtype=np.int64)
    front[chains.underlying[rows]] = rows  # backwards: the first one stays
    return front


def _wings(chains: DayChains, expiries: Expiries, term: Term) -> Wings30:
    """Each wing interpolated in total variance, from smiles whose quotes reach both wings."""
    underlyings, tenor = len(chains.symbols), 30 / _YEAR
    own = (term.grade == Quality.A) | (term.grade == Quality.B)
    winged = np.isfinite(expiries.wings.risk_reversal) & own

    def read(vol: Floats) -> Tenor:
        return at_tenor(
            np.where(winged, vol, np.nan), chains.years, chains.underlying, underlyings, tenor
        )

    put, call = read(expiries.wings.put), read(expiries.wings.call)
    middle, free = read(expiries.wings.at_money), read(expiries.model_free)
    held = (put.place == TenorPlace.BEFORE) | (put.place == TenorPlace.AFTER)
    return Wings30(call.vol - put.vol, 0.5 * (call.vol + put.vol) - middle.vol, free.vol, held)


def _sum(chains: DayChains, values: Floats, rows: Flags) -> Floats:
    chain = chains.underlying[chains.group[rows]]
    return np.asarray(
        np.bincount(chain, weights=values[rows], minlength=len(chains.symbols)), float
    )


def _flows(chains: DayChains) -> Values:
    """Put-call ratios; NaN without a call."""
    ratios: Values = {}
    for name, values in (("pcr_volume", chains.units), ("pcr_oi", chains.open_interest)):
        puts, calls = _sum(chains, values, ~chains.is_call), _sum(chains, values, chains.is_call)
        ratios[name] = np.divide(puts, calls, out=np.full(len(puts), np.nan), where=calls > 0)
    return ratios


def _coverage(chains: DayChains) -> Values:
    groups, underlyings = len(chains.underlying), len(chains.symbols)
    lots = np.bincount(chains.group, weights=chains.traded, minlength=groups)
    chain = chains.underlying[chains.group]

    def count(rows: Flags) -> NDArray[np.int64]:
        return np.bincount(chain[rows], minlength=underlyings).astype(np.int64)

    return {
        "expiries_listed": np.bincount(chains.underlying, minlength=underlyings).astype(np.int64),
        "expiries_traded": np.bincount(chains.underlying[lots > 0], minlength=underlyings).astype(
            np.int64
        ),
        "options_listed": count(np.ones(len(chain), dtype=bool)),
        "options_traded": count(chains.traded),
        "options_fresh": count(chains.fresh),
    }


def _quality(month: Tenor, term: Term) -> NDArray[np.object_]:
    """Worse grade of the two expiries; at best B beyond the last expiry."""
    if not len(term.grade):
        return np.full(len(month.vol), "", dtype=object)
    early, late = term.grade[month.early], term.grade[month.late]
    worse = np.where(early > late, early, late)
    worse = np.where(
        (month.place == TenorPlace.AFTER) & (worse == Quality.A), Quality.B.value, worse
    )
    return np.where(month.place == TenorPlace.NONE, "", worse).astype(object)


def _reasons(
    chains: DayChains, expiries: Expiries, month: Tenor, front: NDArray[np.int64]
) -> NDArray[np.object_]:
    underlyings = len(chains.symbols)

    def any_of(groups: Flags) -> Flags:
        return np.bincount(chains.underlying[groups], minlength=underlyings) > 0

    traded = _sum(chains, chains.lots, chains.traded) > 0
    forward = any_of(np.isfinite(expiries.best.forward))
    quoted = any_of(expiries.grade != "")
    missing = month.place == TenorPlace.NONE
    return np.select(
        [
            (missing | (front < 0)) & (np.bincount(chains.underlying, minlength=underlyings) == 0),
            (missing | (front < 0)) & ~traded,
            (missing | (front < 0)) & ~forward,
            (missing | (front < 0)) & ~quoted & any_of(expiries.below + expiries.above > 0),
            (missing | (front < 0)) & ~quoted,
            missing & ~any_of(chains.expiry == chains.last_day),
            missing,
            front < 0,
        ],
        [
            Unsolved.NOT_LISTED.value,
            Unsolved.NOT_TRADED.value,
            Unsolved.NO_FORWARD.value,
            Unsolved.THIN.value,
            Unsolved.NO_QUOTE.value,
            Unsolved.ENDS_EARLY.value,
            Unsolved.NO_TENOR.value,
            Unsolved.NO_EXPIRY.value,
        ],
        "",
    ).astype(object)


def _flags(
    chains: DayChains,
    expiries: Expiries,
    term: Term,
    past: Realised,
    tenors: dict[int, Tenor],
    held: Flags,
    front: NDArray[np.int64],
    day: date,
) -> NDArray[np.object_]:
    if not len(chains.underlying):
        return np.full(len(chains.symbols), Flag.NO_PRICE.value, dtype=object)
    month = tenors[30]
    gap = np.abs(expiries.parity.forward / chains.future - 1)
    with np.errstate(invalid="ignore"):
        off = gap > np.maximum(_OFF, _SIGMAS * expiries.parity.std_error)
    used = front >= 0
    not_parity = (expiries.best.source[front] != Source.PARITY) & used
    from_spot = (expiries.best.source[front] == Source.SPOT) & used
    rows = {
        Flag.CARRIED: _carried(month, term),
        Flag.BEFORE_FIRST: month.place == TenorPlace.BEFORE,
        Flag.AFTER_LAST: month.place == TenorPlace.AFTER,
        **{flag: _flat(tenors[days]) for days, flag in _FLAT.items()},
        **{flag: _carried(tenors[days], term) for days, flag in _CARRIED.items()},
        Flag.SKEW_HELD: held,
        Flag.FORWARD: not_parity,
        Flag.FORWARD_OFF: off[front] & used,
        Flag.STALE_SPOT: from_spot & spot_is_old(day) & ~chains.is_index,
        **price_flags(past),
    }
    return flag_texts(rows, [[] for _ in chains.symbols])


def _flat(tenor: Tenor) -> Flags:
    return np.asarray((tenor.place == TenorPlace.BEFORE) | (tenor.place == TenorPlace.AFTER))


def _carried(tenor: Tenor, term: Term) -> Flags:
    either = (term.grade[tenor.early] == Quality.C) | (term.grade[tenor.late] == Quality.C)
    return np.asarray(either & (tenor.place != TenorPlace.NONE))
