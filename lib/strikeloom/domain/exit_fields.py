"""The named numbers that exit rules are computed from: of one position, or of many in columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import cast

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.positions import MarkedPosition

#: One number, or a column with one number a position.
Numbers = float | NDArray[np.float64]
#: Value of these fields where the position has ``None`` and no reason; others are NaN, unknown.
_UNLIMITED = {"max_profit": math.inf, "max_loss": math.inf}


@dataclass(frozen=True, kw_only=True)
class ExitFields:
    """Fields of ``MarkedPosition`` as numbers; NaN is unknown.

    Attributes
    ----------
    pnl, peak_pnl : float or ndarray, shape (n,)
        Paise after charges, now and at the best moment so far.
    entry_premium : float or ndarray, shape (n,)
        Paise received (+) or paid (-) for the quantity first filled.
    max_profit, max_loss : float or ndarray, shape (n,)
        Paise at expiry for the quantity first filled; ``inf`` is unlimited. Estimates, or
        unknown, where legs end on different days.
    days_left : float or ndarray, shape (n,)
        Calendar days to the last day.
    days_to_first_end : float or ndarray, shape (n,)
        Calendar days to the first expiry of the strategy, negative after it; unknown where
        nothing is held that goes on after it.
    sessions_held, sessions_left : float or ndarray, shape (n,)
        Exchange sessions since the opening day, and until the last day.
    level : float or ndarray, shape (n,)
        Underlying's level in paise.
    short_call_strike, short_put_strike : float or ndarray, shape (n,)
        Paise; lowest strike of the open short calls, highest of the open short puts.
    delta, gamma, vega, theta : float or ndarray, shape (n,)
        As in ``PositionGreeks``.
    """

    pnl: Numbers
    peak_pnl: Numbers
    entry_premium: Numbers
    max_profit: Numbers
    max_loss: Numbers
    days_left: Numbers
    days_to_first_end: Numbers
    sessions_held: Numbers
    sessions_left: Numbers
    level: Numbers
    short_call_strike: Numbers
    short_put_strike: Numbers
    delta: Numbers
    gamma: Numbers
    vega: Numbers
    theta: Numbers


_NAMES = frozenset(field.name for field in fields(ExitFields))


class _MarkedFields:
    """``ExitFields`` of one position; each is read when a rule asks for it.

    Greeks take longer than everything else together, so a plan that needs none computes none.
    """

    __slots__ = ("_marked",)

    def __init__(self, marked: MarkedPosition) -> None:
        self._marked = marked

    def __getattr__(self, name: str) -> float:
        if name not in _NAMES:
            raise AttributeError(name)
        value = getattr(self._marked, name)
        if value is not None:
            return float(value)
        unlimited = name in _UNLIMITED and name not in self._marked.unknown
        return _UNLIMITED[name] if unlimited else math.nan


def fields_of(marked: MarkedPosition) -> ExitFields:
    """Numbers of one position."""
    return cast("ExitFields", _MarkedFields(marked))


def columns_of(marked: Sequence[MarkedPosition]) -> ExitFields:
    """Columns of many positions, in their order."""
    rows = [fields_of(position) for position in marked]
    columns = {
        name: np.array([getattr(row, name) for row in rows], dtype=np.float64) for name in _NAMES
    }
    return ExitFields(**columns)
