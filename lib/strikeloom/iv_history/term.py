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
_WILD = 4.0  # standard deviations of the peers


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
        Carried (``C``) where an expiry common to many underlyings has no quote of its own and
        the neighbouring one has, by ``quant.peers.carry``; never over two expiries. Also where
        it has a few quotes (``B``) that are further off the peers' line than four of their
        standard deviations, while the sooner expiry traded well (``A``): one odd trade is no
        volatility.
    """
    near = c.calendar < (least_days - 0.01) * _DAY
    vol = np.where((found.grade != "") & ~near, found.wings.at_money, np.nan)
    grade = np.where(np.isfinite(vol), found.grade, "")
    whole = c.expiry == c.ends  # peers say nothing of a series that ends early
    dates, listed = np.unique(c.expiry[~near & whole], return_counts=True)
    ladder = dates[listed >= _COMMON * len(c.symbols)]
    shape = (len(ladder), len(c.symbols))
    own, trusted, place = np.full(shape, np.nan), np.zeros(shape, dtype=bool), np.full(shape, -1)
    for step, expiry in enumerate(ladder):
        rows = np.flatnonzero((c.expiry == expiry) & whole)
        at = c.chain[rows]
        own[step, at], place[step, at] = vol[rows], rows
        trusted[step, at] = grade[rows] == Quality.A
    for source, target in _steps(len(ladder)):
        carried, error, _ = carry(own[source], own[target], trusted[source] & trusted[target])
        gap = np.isnan(own[target])
        if source < target:
            with np.errstate(invalid="ignore"):
                off = np.abs(np.log(own[target] / carried)) > _WILD * error
            odd = off & trusted[source] & ~trusted[target]
            vol[place[target][odd]] = np.nan
            gap |= odd
        gap &= np.isfinite(carried) & (place[target] >= 0)
        rows = place[target][gap]
        unset = np.isnan(vol[rows])  # the sooner neighbour goes before the later one
        vol[rows[unset]] = carried[gap][unset]
        grade[rows[unset]] = Quality.C
    return Term(vol, grade)


def _steps(length: int) -> list[tuple[int, int]]:
    """From each expiry to the next, then from each to the one before."""
    forward = [(i, i + 1) for i in range(length - 1)]
    return forward + [(i + 1, i) for i in range(length - 1)]
