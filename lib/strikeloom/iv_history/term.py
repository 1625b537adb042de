"""At-the-money volatility of every expiry; of one that did not trade, estimated from its peers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import Quality
from strikeloom.iv_history.chains import DayChains
from strikeloom.iv_history.expiries import Expiries
from strikeloom.quant.peers import carry

Floats = NDArray[np.float64]

_COMMON = 0.2  # share of underlyings that list an expiry of the common ladder
_DAY = 1.0 / 365.0
_WILD = 3.0  # combined standard errors beyond which an own volatility is replaced


class Term(NamedTuple):
    """One row an expiry of ``DayChains``: annual volatility and its ``Quality`` (empty: none)."""

    vol: Floats
    grade: NDArray[np.str_]


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
        smile of its own and the neighbouring expiry has one; never over two expiries. Also where
        its own smile is thin (``B``), the neighbour is well traded (``A``), and the carried
        volatility either has the smaller standard error (of the peers and the neighbour) or
        differs by more than three combined errors, so that the own trades are not credible. A
        level with a borrowed shape (``B``) counts only where nothing can be carried.
    """
    near = chains.calendar_years < (least_days - 0.01) * _DAY
    usable = (expiries.grade != "") & ~near
    vol = np.where(usable & expiries.shaped, expiries.wings.at_money, np.nan)
    grade = np.where(np.isfinite(vol), expiries.grade, "")
    whole = chains.expiry == chains.last_day  # peers do not inform a series that ends early
    dates, listed = np.unique(chains.expiry[~near & whole], return_counts=True)
    ladder = dates[listed >= _COMMON * len(chains.symbols)]
    shape = (len(ladder), len(chains.symbols))
    own, own_error = np.full((2, *shape), np.nan)
    trusted, place = np.zeros(shape, dtype=bool), np.full(shape, -1)
    for step, expiry in enumerate(ladder):
        rows = np.flatnonzero((chains.expiry == expiry) & whole)
        at = chains.underlying[rows]
        own[step, at], own_error[step, at], place[step, at] = vol[rows], expiries.error[rows], rows
        trusted[step, at] = grade[rows] == Quality.A
    for source, target in _steps(len(ladder)):
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
        gap &= np.isfinite(carried) & (place[target] >= 0)
        rows = place[target][gap]
        unset = np.isnan(vol[rows])  # the earlier neighbour takes precedence over the later one
        vol[rows[unset]] = carried[gap][unset]
        grade[rows[unset]] = Quality.C
    alone = usable & np.isnan(vol)
    return Term(
        np.where(alone, expiries.wings.at_money, vol), np.where(alone, expiries.grade, grade)
    )


def _steps(length: int) -> list[tuple[int, int]]:
    """Pairs (source, target): from each expiry to the next, then from each to the previous one."""
    forward = [(i, i + 1) for i in range(length - 1)]
    return forward + [(i + 1, i) for i in range(length - 1)]
