"""Nearness to passing: rules that fail, then how far the first of them is off."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.domain.outcomes import Ending, Outcome
from strikeloom.domain.templates import StructurePurpose
from strikeloom.strategy_creation.catalogue import TEMPLATES

Floats = NDArray[np.float64]

_FARTHEST = 2.0  # of opposite signs; what is unknown is as far


def shortfall(value: ArrayLike, threshold: ArrayLike) -> Floats:
    """How far values are from thresholds that they fail, as a share of the larger of the two.

    From 0 to 2, beyond 1 where the signs are opposite; 1 against a threshold of 0; 2 where one is
    not known. One value is 10 % off at 90 of 100 and at 110 of 99, whatever the unit.
    """
    found, asked = np.asarray(value, dtype=np.float64), np.asarray(threshold, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        off = np.abs(found - asked) / np.maximum(np.abs(found), np.abs(asked))
    off = np.where(np.isinf(found) | np.isinf(asked), 1.0, off)
    return np.asarray(np.where(np.isnan(off), _FARTHEST, np.minimum(off, _FARTHEST)))


def nearest_miss(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The refused earner that came nearest to passing the rules; the higher score of two alike.

    ``None`` where none was built, so that none has figures.
    """
    built = [
        row
        for row in outcomes
        if row.ending is Ending.REFUSED
        and row.failed is not None
        and row.score is not None
        and TEMPLATES[row.template].purpose is not StructurePurpose.PROTECT
    ]
    return min(built, key=_order, default=None)


def _order(row: Outcome) -> tuple[int, float, float, str, str]:
    unknown = np.nan
    off = shortfall(
        unknown if row.value is None else row.value,
        unknown if row.threshold is None else row.threshold,
    )
    return row.failed or 0, float(off), -(row.score or 0.0), row.symbol, row.template
