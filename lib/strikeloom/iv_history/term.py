"""At-the-money volatility of every expiry; of one that did not trade, estimated from its peers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import Quality
from strikeloom.iv_history.chains import DayChains
from strikeloom.iv_history.expiries import Expiries
from strikeloom.quant.peers import carry, carry_like_few

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

_COMMON = 0.2  # share of underlyings that list an expiry of the common ladder
_INDICES = 3  # that list an expiry along which indices are carried: no weekly of one of them
_DAY = 1.0 / 365.0
_WILD = 3.0  # combined standard errors beyond which an own volatility is replaced
_KNOWN = 0.15  # relative standard error up to which an index has a level of its own


class Term(NamedTuple):
    """One row an expiry of ``DayChains``: annual volatility and its ``Quality`` (empty: none)."""

    vol: Floats
    grade: NDArray[np.str_]


class _Ladder(NamedTuple):
    """Expiries that many underlyings list, shape (expiries, underlyings).

    ``place`` is the row in ``DayChains``, -1 where an underlying does not list the expiry;
    ``own`` a volatility with a shape of its own and a grade; ``level`` any, by its ``error``.
    """

    place: Ints
    own: Floats
    level: Floats
    error: Floats
    trusted: Flags


def term_structure(chains: DayChains, expiries: Expiries, least_days: float) -> Term:
    """Volatility of each expiry: its own, or carried from the next expiry along the day's peers.

    Parameters
    ----------
    least_days : float
        Calendar days to expiry below which a volatility does not inform one a month ahead.

    Returns
    -------
    Term
        Carried (``C``, by ``quant.peers.carry``) where an expiry that many underlyings list has no
        smile of its own and the neighbouring expiry has one; never over two expiries. Stocks are
        carried along stocks, also where the own smile is thin (``B``), the neighbour is well
        traded (``A``), and the carried volatility either has the smaller standard error (of the
        peers and the neighbour) or differs by more than three combined errors, so that the own
        trades are not credible. Indices are carried along indices: in the last four days of an
        expiry (2026) the next one lay 12 % above it for them and 37 % for stocks. Where an index
        has quotes of its own, they and what is carried are weighed by their errors, and the
        expiry is carried (``C``) only if its own level is not known to 15 %. A level with a
        borrowed shape (``B``) counts only where nothing can be carried.
    """
    near = chains.calendar_years < (least_days - 0.01) * _DAY
    usable = (expiries.grade != "") & ~near
    vol = np.where(usable & expiries.shaped, expiries.wings.at_money, np.nan)
    grade = np.where(np.isfinite(vol), expiries.grade, "")
    whole = chains.expiry == chains.last_day  # peers do not inform a series that ends early
    ladder = _ladder(chains, expiries, ~near & whole, vol, grade)
    _carry_stocks(ladder, ~chains.is_index, vol, grade)
    _carry_indices(ladder, chains.is_index, vol, grade)
    alone = usable & np.isnan(vol)
    return Term(
        np.where(alone, expiries.wings.at_money, vol), np.where(alone, expiries.grade, grade)
    )


def _ladder(
    chains: DayChains, expiries: Expiries, rows: Flags, vol: Floats, grade: NDArray[np.str_]
) -> _Ladder:
    dates, listed = np.unique(chains.expiry[rows], return_counts=True)
    common = dates[listed >= _COMMON * len(chains.symbols)]
    shape = (len(common), len(chains.symbols))
    own, level, error = np.full((3, *shape), np.nan)
    trusted, place = np.zeros(shape, dtype=bool), np.full(shape, -1)
    for step, expiry in enumerate(common):
        here = np.flatnonzero((chains.expiry == expiry) & rows)
        at = chains.underlying[here]
        own[step, at], error[step, at], place[step, at] = vol[here], expiries.error[here], here
        level[step, at] = expiries.wings.at_money[here]
        trusted[step, at] = grade[here] == Quality.A
    return _Ladder(place, own, level, error, trusted)


def _carry_stocks(ladder: _Ladder, stocks: Flags, vol: Floats, grade: NDArray[np.str_]) -> None:
    """Fill, and replace what is not credible; in place."""
    place, own, own_error = ladder.place, ladder.own, ladder.error
    trusted = ladder.trusted & stocks
    for source, target in _steps(range(len(place))):
        carried, error, _ = carry(own[source], own[target], trusted[source] & trusted[target])
        gap = np.isnan(own[target])
        carried_error = np.hypot(error, own_error[source])
        with np.errstate(invalid="ignore"):
            combined_error = np.hypot(carried_error, own_error[target])
            worse = np.abs(np.log(own[target] / carried)) > _WILD * combined_error
            worse |= own_error[target] > carried_error
        worse &= trusted[source] & ~trusted[target]
        vol[place[target][worse]] = np.nan
        gap |= worse
        gap &= np.isfinite(carried) & (place[target] >= 0) & stocks
        rows = place[target][gap]
        unset = np.isnan(vol[rows])  # the earlier neighbour takes precedence over the later one
        vol[rows[unset]] = carried[gap][unset]
        grade[rows[unset]] = Quality.C


def _carry_indices(ladder: _Ladder, indices: Flags, vol: Floats, grade: NDArray[np.str_]) -> None:
    """Weigh an index's own quotes and the other indices by their errors; in place."""
    done = np.zeros(len(vol), dtype=bool)
    listed = np.count_nonzero((ladder.place >= 0) & indices, axis=1)
    for source, target in _steps(np.flatnonzero(listed >= _INDICES).tolist()):
        at = np.flatnonzero(indices & (ladder.place[target] >= 0) & ~ladder.trusted[target])
        peers = ladder.trusted[source] & ladder.trusted[target] & indices
        carried, error, _ = carry_like_few(ladder.own[source], ladder.own[target], peers)
        at = at[np.isfinite(carried[at]) & ~done[ladder.place[target][at]]]
        own, own_error = ladder.level[target][at], ladder.error[target][at]
        level = np.isfinite(own) & np.isfinite(own_error) & (own_error > 0)
        own, own_error = np.where(level, own, 1.0), np.where(level, own_error, np.inf)
        weight = np.hypot(error, ladder.error[source][at]) ** -2.0
        share = own_error**-2.0 / (own_error**-2.0 + weight)
        rows = ladder.place[target][at]
        vol[rows] = np.exp(share * np.log(own) + (1 - share) * np.log(carried[at]))
        grade[rows] = np.where(own_error <= _KNOWN, Quality.B.value, Quality.C.value)
        done[rows] = True


def _steps(places: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs (source, target): from each expiry to the next, then from each to the previous one."""
    forward = list(pairwise(places))
    return forward + [(later, earlier) for earlier, later in forward]
