"""One row an underlying: constant maturities, wings, realised, flows, quality, flags, reason."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import Flag, ForwardSource, Quality, Unsolved
from strikeloom.iv_history.columns import Columns
from strikeloom.iv_history.expiries import Expiries
from strikeloom.iv_history.realised import Realised
from strikeloom.iv_history.term import Term
from strikeloom.nse.cash_hours import spot_is_old
from strikeloom.quant.forwards import Source
from strikeloom.quant.tenors import Place, Tenor, at_tenor
from strikeloom.settings.iv import IvSettings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Values = dict[str, NDArray[np.generic]]

_TENORS = (7, 30, 60, 90)
_YEAR = 365.0
_MONTH = 36.0 / _YEAR  # two monthly expiries are five weeks apart at most
_OFF, _SIGMAS = 0.0015, 3.0  # of a parity forward from the listed future
_SOURCES = np.array(["", *(source.value for source in ForwardSource)], dtype=object)
_FLAT = {7: Flag.FLAT_7, 60: Flag.FLAT_60, 90: Flag.FLAT_90}
_CARRIED = {7: Flag.CARRIED_7, 60: Flag.CARRIED_60, 90: Flag.CARRIED_90}


class Wings30(NamedTuple):
    """25-delta measures and model-free volatility 30 days ahead, and whether one expiry's."""

    risk_reversal: Floats
    butterfly: Floats
    model_free: Floats
    held: Flags


def summary_columns(
    c: Columns,
    found: Expiries,
    term: Term,
    past: Realised,
    index: Floats,
    day: date,
    settings: IvSettings,
) -> Values:
    """Columns of ``IV_SUMMARY`` in its order, one row an underlying."""
    chains = len(c.symbols)
    tenors = {days: _tenor(c, term, days / _YEAR) for days in _TENORS}
    month = tenors[30]
    wings = _wings(c, found, term)
    front = _front(c, found, settings)
    values: Values = {
        "symbol": c.symbols.astype(object),
        "day": np.full(chains, np.datetime64(day, "s")),
        "spot": np.where(np.isfinite(c.spot), c.spot, past.spot),
        "atm_iv": _at(front, found.wings.at_money),
        "expiry": _dates(front, c.expiry),
        "years": _at(front, c.years),
        "forward": _at(front, found.best.forward),
        "forward_source": _SOURCES[_codes(front, found.best.source)],
        "forward_error": _at(front, found.best.std_error),
        "strikes_used": _codes(front, found.fit.used),
    }
    values |= {f"atm_iv_{days}d": tenor.vol for days, tenor in tenors.items()}
    values |= {
        "model_free_30d": wings.model_free,
        "vix_method": index,
        "rr25_30d": wings.risk_reversal,
        "bf25_30d": wings.butterfly,
        "term_slope": tenors[60].vol - month.vol,
        **past.vols,
        "iv_minus_rv": month.vol - past.vols["rv_cc_20"],
        **_flows(c),
        **_coverage(c),
    }
    reason = _reasons(c, found, month, front)
    values["quality"] = _quality(month, term)
    values["flags"] = _flags(c, found, term, past, tenors, wings.held, front, day)
    values["reason"] = reason
    return values


def _tenor(c: Columns, term: Term, tenor: float) -> Tenor:
    """Between two well traded expiries a month apart at most, else between whatever is known.

    A thin weekly between two liquid months says less than they do.
    """
    chains = len(c.symbols)
    known = at_tenor(term.vol, c.years, c.chain, chains, tenor)
    if not len(c.chain):
        return known
    vol = np.where(term.grade == Quality.A, term.vol, np.nan)
    firm = at_tenor(vol, c.years, c.chain, chains, tenor)
    near = c.years[firm.late] - c.years[firm.early] <= _MONTH
    use = (firm.place == Place.BETWEEN) & near
    return Tenor(
        np.where(use, firm.vol, known.vol),
        np.where(use, firm.place, known.place),
        np.where(use, firm.early, known.early),
        np.where(use, firm.late, known.late),
    )


def _at(rows: NDArray[np.int64], values: Floats) -> Floats:
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.asarray(np.where(rows >= 0, values[rows], np.nan))


def _codes(rows: NDArray[np.int64], values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Whole numbers of the rows, 0 without one."""
    if not len(values):
        return np.zeros(len(rows), dtype=np.int64)
    return np.where(rows >= 0, values[rows], 0).astype(np.int64)


def _dates(rows: NDArray[np.int64], values: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    if not len(values):
        return np.full(len(rows), np.datetime64("NaT", "s"))
    return np.where(rows >= 0, values[rows].astype("datetime64[s]"), np.datetime64("NaT", "s"))


def _front(c: Columns, found: Expiries, settings: IvSettings) -> NDArray[np.int64]:
    """First expiry of each underlying that is far enough and solved; -1 for none."""
    usable = (found.grade != "") & (found.fit.used >= settings.min_strikes)
    usable &= c.calendar >= (settings.min_days_to_expiry - 0.01) / _YEAR
    rows = np.flatnonzero(usable)[::-1]
    front = np.full(len(c.symbols), -1, dtype=np.int64)
    front[c.chain[rows]] = rows  # backwards: the first one stays
    return front


def _wings(c: Columns, found: Expiries, term: Term) -> Wings30:
    """Each wing interpolated in total variance, from smiles with quotes out to both."""
    chains, tenor = len(c.symbols), 30 / _YEAR
    own = (term.grade == Quality.A) | (term.grade == Quality.B)
    winged = np.isfinite(found.wings.risk_reversal) & own

    def read(vol: Floats) -> Tenor:
        return at_tenor(np.where(winged, vol, np.nan), c.years, c.chain, chains, tenor)

    put, call = read(found.wings.put), read(found.wings.call)
    middle, free = read(found.wings.at_money), read(found.model_free)
    held = (put.place == Place.BEFORE) | (put.place == Place.AFTER)
    return Wings30(call.vol - put.vol, 0.5 * (call.vol + put.vol) - middle.vol, free.vol, held)


def _sum(c: Columns, values: Floats, rows: Flags) -> Floats:
    chain = c.chain[c.group[rows]]
    return np.asarray(np.bincount(chain, weights=values[rows], minlength=len(c.symbols)), float)


def _flows(c: Columns) -> Values:
    """Put-call ratios; NaN without a call."""
    ratios: Values = {}
    for name, values in (("pcr_volume", c.units), ("pcr_oi", c.interest)):
        puts, calls = _sum(c, values, ~c.is_call), _sum(c, values, c.is_call)
        ratios[name] = np.divide(puts, calls, out=np.full(len(puts), np.nan), where=calls > 0)
    return ratios


def _coverage(c: Columns) -> Values:
    groups, chains = len(c.chain), len(c.symbols)
    lots = np.bincount(c.group, weights=c.traded, minlength=groups)
    chain = c.chain[c.group]

    def count(rows: Flags) -> NDArray[np.int64]:
        return np.bincount(chain[rows], minlength=chains).astype(np.int64)

    return {
        "expiries_listed": np.bincount(c.chain, minlength=chains).astype(np.int64),
        "expiries_traded": np.bincount(c.chain[lots > 0], minlength=chains).astype(np.int64),
        "options_listed": count(np.ones(len(chain), dtype=bool)),
        "options_traded": count(c.traded),
        "options_fresh": count(c.fresh),
    }


def _quality(month: Tenor, term: Term) -> NDArray[np.object_]:
    """Worse grade of the two expiries; beyond the last one B at best."""
    if not len(term.grade):
        return np.full(len(month.vol), "", dtype=object)
    early, late = term.grade[month.early], term.grade[month.late]
    worse = np.where(early > late, early, late)
    worse = np.where((month.place == Place.AFTER) & (worse == Quality.A), Quality.B.value, worse)
    return np.where(month.place == Place.NONE, "", worse).astype(object)


def _reasons(
    c: Columns, found: Expiries, month: Tenor, front: NDArray[np.int64]
) -> NDArray[np.object_]:
    chains = len(c.symbols)

    def any_of(groups: Flags) -> Flags:
        return np.bincount(c.chain[groups], minlength=chains) > 0

    traded = _sum(c, c.lots, c.traded) > 0
    forward = any_of(np.isfinite(found.best.forward))
    quoted = any_of(found.grade != "")
    missing = month.place == Place.NONE
    return np.select(
        [
            (missing | (front < 0)) & (np.bincount(c.chain, minlength=chains) == 0),
            (missing | (front < 0)) & ~traded,
            (missing | (front < 0)) & ~forward,
            (missing | (front < 0)) & ~quoted & any_of(found.below + found.above > 0),
            (missing | (front < 0)) & ~quoted,
            missing & ~any_of(c.expiry == c.ends),
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
    c: Columns,
    found: Expiries,
    term: Term,
    past: Realised,
    tenors: dict[int, Tenor],
    held: Flags,
    front: NDArray[np.int64],
    day: date,
) -> NDArray[np.object_]:
    if not len(c.chain):
        return np.full(len(c.symbols), Flag.NO_PRICE.value, dtype=object)
    month = tenors[30]
    gap = np.abs(found.parity.forward / c.future - 1)
    with np.errstate(invalid="ignore"):
        off = gap > np.maximum(_OFF, _SIGMAS * found.parity.std_error)
    used = front >= 0
    plain = (found.best.source[front] != Source.PARITY) & used
    from_spot = (found.best.source[front] == Source.SPOT) & used
    rows = {
        Flag.CARRIED: _carried(month, term),
        Flag.BEFORE_FIRST: month.place == Place.BEFORE,
        Flag.AFTER_LAST: month.place == Place.AFTER,
        **{flag: _flat(tenors[days]) for days, flag in _FLAT.items()},
        **{flag: _carried(tenors[days], term) for days, flag in _CARRIED.items()},
        Flag.SKEW_HELD: held,
        Flag.FORWARD: plain,
        Flag.FORWARD_OFF: off[front] & used,
        Flag.STALE_SPOT: from_spot & spot_is_old(day) & ~c.is_index,
        Flag.PRICE_GAP: past.gap,
        Flag.BROKEN: past.broken,
        Flag.NO_PRICE: np.isnan(past.spot),
    }
    texts = [[] for _ in c.symbols]  # type: list[list[str]]
    for flag, at in rows.items():
        for row in np.flatnonzero(at).tolist():
            texts[row].append(flag.value)
    return np.array([" ".join(text) for text in texts], dtype=object)


def _flat(tenor: Tenor) -> Flags:
    return np.asarray((tenor.place == Place.BEFORE) | (tenor.place == Place.AFTER))


def _carried(tenor: Tenor, term: Term) -> Flags:
    either = (term.grade[tenor.early] == Quality.C) | (term.grade[tenor.late] == Quality.C)
    return np.asarray(either & (tenor.place != Place.NONE))
