"""Volatility at a constant number of days ahead, from the expiries of many underlyings."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class TenorPlace(IntEnum):
    """Where a tenor lies among an underlying's known expiries."""

    NONE = 0
    """No expiry near enough."""
    BETWEEN = 1
    """Between two, or on one."""
    BEFORE = 2
    """Before the first: its volatility is held flat."""
    AFTER = 3
    """After the last, within ``reach`` of it: its volatility is held flat."""


class Tenor(NamedTuple):
    """One row an underlying, shape (underlyings,).

    Attributes
    ----------
    vol : ndarray
        Per year; NaN where ``place`` is ``NONE``.
    place : ndarray of int8
        ``TenorPlace``.
    early, late : ndarray of int64
        Rows of the expiries used, the same row twice where only one was; -1 for none.
    """

    vol: Floats
    place: NDArray[np.int8]
    early: Ints
    late: Ints


def at_tenor(
    vol: Floats, years: Floats, chain: Ints, chains: int, tenor: float, *, reach: float = 1.5
) -> Tenor:
    """Interpolate total variance linearly in time.

    Parameters
    ----------
    vol : ndarray, shape (groups,)
        Volatility a year of each expiry; NaN rows are unknown.
    years : ndarray, shape (groups,)
        Positive. Groups are sorted by ``chain`` and years.
    chain : ndarray of int64, shape (groups,)
        Underlying of each group, 0 to ``chains`` - 1.
    tenor : float
        Years ahead.
    reach : float, default 1.5
        How far beyond the last expiry, as a multiple of its years.

    Returns
    -------
    Tenor
        Total variance that falls between two expiries is interpolated like any other: the
        line is between two known values.
    """
    known = np.flatnonzero(np.isfinite(vol) & (years > 0))
    early, late = np.full(chains, -1, dtype=np.int64), np.full(chains, -1, dtype=np.int64)
    before, after = known[years[known] <= tenor], known[years[known] >= tenor][::-1]
    early[chain[before]] = before  # the last write wins: the latest before the tenor
    late[chain[after]] = after  # and, backwards, the first after it
    has_early, has_late = early >= 0, late >= 0
    a, b = np.where(has_early, early, late), np.where(has_late, late, early)
    none = ~has_early & ~has_late
    if none.all():
        nowhere = np.full(chains, -1, dtype=np.int64)
        return Tenor(
            np.full(chains, np.nan),
            np.full(chains, TenorPlace.NONE, dtype=np.int8),
            nowhere,
            nowhere,
        )
    none |= has_early & ~has_late & (tenor > reach * years[a])
    place = np.select(
        [none, has_early & has_late, has_late],
        [TenorPlace.NONE, TenorPlace.BETWEEN, TenorPlace.BEFORE],
        TenorPlace.AFTER,
    )
    total = vol * vol * years
    span = years[b] - years[a]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(span > 0, (tenor - years[a]) / span, 0.0)
        between = (1 - share) * total[a] + share * total[b]
        found = np.where(place == TenorPlace.BETWEEN, np.sqrt(between / tenor), vol[a])
    nothing = place == TenorPlace.NONE
    return Tenor(
        np.where(nothing, np.nan, found),
        place.astype(np.int8),
        np.where(nothing, -1, a),
        np.where(nothing, -1, b),
    )


def on_line(vol: tuple[Floats, Floats], years: tuple[Floats, Floats], tenor: float) -> Floats:
    """Volatility on the straight line of total variance through two expiries, also beyond them.

    Parameters
    ----------
    vol, years : tuple of ndarray
        Of the earlier and the later expiry; where both are the same its volatility is held flat.
    tenor : float
        Years ahead.

    Returns
    -------
    ndarray
        NaN where one is unknown, or the line ends below zero.
    """
    (near, far), (first, second) = vol, years
    span = second - first
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (tenor - first) / span
        total = (1 - share) * near * near * first + share * far * far * second
        return np.asarray(np.where(span > 0, np.sqrt(total / tenor), near))
