"""At-the-money volatility of every expiry, also of one that did not trade: along its peers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import Quality
from strikeloom.iv_history.columns import Columns
from strikeloom.iv_history.expiries import Expiries
from strikeloom.quant.peers import carry

Floats = NDArray[np.float64]

_COMMON = 0.2  # share of underlyings that list an expiry of the common ladder
_DAY = 1.0 / 365.0
_WILD = 3.0  # standard errors, of all that enters


class Term(NamedTuple):
    """One row a group of ``Columns``: volatility a year and its ``Quality`` (empty: none)."""

    vol: Floats
    grade: NDArray[np.str_]


def term_structure(c: Columns, found: Expiries, least_days: float) -> Term:
    """Own volatilities, and those carried one expiry along the day's peers.

    Parameters
    ----------
    least_days : float
        Calendar days to expiry below which a volatility says nothing of a month ahead.

    Returns
    -------
    Term
        Carried (``C``) where an expiry common to many underlyings has no smile of its own and
        the neighbouring one has, by ``quant.peers.carry``; never over two expiries. Also where
        it is thin (``B``), the neighbour traded well (``A``), and what is carried has the
        smaller standard error (the peers' and the neighbour's), or lies more than three such
        errors away: odd trades are no volatility. A level without a shape of its own (``B``)
        counts only where nothing can be carried.
    """
    near = c.calendar < (least_days - 0.01) * _DAY
    usable = (found.grade != "") & ~near
    vol = np.where(usable & found.shaped, found.wings.at_money, np.nan)
    grade = np.where(np.isfinite(vol), found.grade, "")
    whole = c.expiry == c.ends  # peers say nothing of a series that ends early
    dates, listed = np.unique(c.expiry[~near & whole], return_counts=True)
    ladder = dates[listed >= _COMMON * len(c.symbols)]
    shape = (len(ladder), len(c.symbols))
    own, own_error = np.full((2, *shape), np.nan)
    trusted, place = np.zeros(shape, dtype=bool), np.full(shape, -1)
    for step, expiry in enumerate(ladder):
        rows = np.flatnonzero((c.expiry == expiry) & whole)
        at = c.chain[rows]
        own[step, at], own_error[step, at], place[step, at] = vol[rows], found.error[rows], rows
        trusted[step, at] = grade[rows] == Quality.A
    for source, target in _steps(len(ladder)):
        carried, error, _ = carry(own[source], own[target], trusted[source] & trusted[target])
        gap = np.isnan(own[target])
        told = np.hypot(error, own_error[source])
        with np.errstate(invalid="ignore"):
            doubt = np.hypot(told, own_error[target])
            worse = np.abs(np.log(own[target] / carried)) > _WILD * doubt
            worse |= own_error[target] > told
        worse &= trusted[source] & ~trusted[target]
        vol[place[target][worse]] = np.nan
        gap |= worse
        gap &= np.isfinite(carried) & (place[target] >= 0)
        rows = place[target][gap]
        unset = np.isnan(vol[rows])  # the sooner neighbour goes before the later one
        vol[rows[unset]] = carried[gap][unset]
        grade[rows[unset]] = Quality.C
    alone = usable & np.isnan(vol)
    return Term(np.where(alone, found.wings.at_money, vol), np.where(alone, found.grade, grade))


def _steps(length: int) -> list[tuple[int, int]]:
    """From each expiry to the next, then from each to the one before."""
    forward = [(i, i + 1) for i in range(length - 1)]
    return forward + [(i + 1, i) for i in range(length - 1)]
