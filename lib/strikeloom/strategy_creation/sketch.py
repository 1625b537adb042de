"""A payoff as a few lines of text, and what of a structure is limited."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.templates import StrategyTemplate
from strikeloom.quant.payoff import payoffs, profit_at
from strikeloom.strategy_creation.horizon import horizon_legs, structure_columns
from strikeloom.strategy_creation.model_chain import LEVEL, LOT, model_structure

Floats = NDArray[np.float64]

_REACH = 2.5  # expected moves of the horizon to each side
_WIDTH, _HEIGHT = 30, 4  # characters, each of 2 x 4 dots
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BLANK = 0x2800  # the first character of the Braille block
_NOTHING = 0.005  # percent of the level: less is a rounding of prices to paise


class Shape(NamedTuple):
    """Payoff of a structure on the model chain at its horizon, percent of the level.

    Attributes
    ----------
    premium : float
        Received (+) or paid (-) for its options, without the underlying.
    profit_is_limited, loss_is_limited : bool
    breakevens : int
    spots, profit : ndarray, shape (dots,)
    """

    premium: float
    profit_is_limited: bool
    loss_is_limited: bool
    breakevens: int
    spots: Floats
    profit: Floats

    @property
    def lines(self) -> tuple[str, ...]:
        """The payoff in Braille dots; the line of no profit is dotted."""
        top, bottom = max(self.profit.max(), 0.0), min(self.profit.min(), 0.0)
        span = (top - bottom) or 1.0
        dots = _HEIGHT * len(_DOTS)
        row = np.round((top - self.profit) / span * (dots - 1)).astype(int)
        shown = np.zeros((dots, 2 * _WIDTH), dtype=bool)
        for at in range(2 * _WIDTH):  # a steep line fills its column
            before = row[max(at - 1, 0)]
            low, high = sorted((row[at], before + np.sign(row[at] - before)))
            shown[low : high + 1, at] = True
        shown[round(top / span * (dots - 1)), ::4] = True
        cells = shown.reshape(_HEIGHT, len(_DOTS), _WIDTH, 2)
        codes = (cells * _DOTS[None, :, None, :]).sum(axis=(1, 3))
        return tuple("".join(chr(_BLANK + int(code)) for code in line) for line in codes)


@cache
def shape_of(template: StrategyTemplate) -> Shape:
    """Shape of a template on the model chain."""
    structure = model_structure(template)
    columns = structure_columns([structure])
    legs = horizon_legs(columns, 0.0)
    found = payoffs(legs)
    reach = _REACH * structure.horizon.deviation
    spots = LEVEL * np.exp(np.linspace(-reach, reach, 2 * _WIDTH))
    scale = LOT * LEVEL / 100
    profit = profit_at(spots[None, :], legs)[0] / scale
    options = np.where(columns.strikes > 0, columns.units * columns.price, 0.0)
    premium = -float(options.sum()) / scale
    return Shape(
        premium if abs(premium) > _NOTHING else 0.0,
        bool(np.isfinite(found.max_profit[0])),
        bool(np.isfinite(found.max_loss[0])),
        int(np.isfinite(found.breakevens[0]).sum()),
        spots,
        np.where(np.abs(profit) < _NOTHING, 0.0, profit),
    )
