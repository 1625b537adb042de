"""Activity of a contract: lots traded and open interest, carried from day to day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.exchange.market.synthetic.option_ladders import Floats, Ints, Ladder
from strikeloom.exchange.market.synthetic.underlyings import LISTINGS

_IS_INDEX = np.array([row.kind is InstrumentKind.INDEX for row in LISTINGS])


def expected_lots(ladder: Ladder, spot: Floats, vol: Floats, years: Floats) -> Floats:
    """Lots that a contract trades on an ordinary day: most at the money and near its expiry.

    Strikes in the money and beyond a few standard deviations hardly trade, so that a third of
    the listed contracts has no price of the day, as on the exchange.
    """
    deviation = vol[ladder.place] * np.sqrt(np.maximum(years, 1 / 365))
    away = np.log(ladder.strike / spot[ladder.place]) / deviation
    out_of_money = np.where(ladder.is_call, away, -away)
    distance = np.where(out_of_money >= 0, out_of_money, -1.5 * out_of_money)
    size = 8.4 + 1.3 * _IS_INDEX[ladder.place] - 22 * years
    return np.asarray(np.exp(size - 0.5 * distance - 0.35 * distance**2))


@dataclass(frozen=True)
class CarriedActivity:
    """What a day leaves to the next: last price and open interest by contract number.

    ``number`` ascends; ``last`` is NaN before the first trade; ``interest`` counts lots.
    """

    number: Ints
    last: Floats
    interest: Ints

    def of(self, number: Ints) -> tuple[Floats, Ints, NDArray[np.bool_]]:
        """Last price, open interest and whether the contract was listed before."""
        at = np.minimum(np.searchsorted(self.number, number), max(len(self.number) - 1, 0))
        if not len(self.number):
            count = len(number)
            return np.full(count, np.nan), np.zeros(count, np.int64), np.zeros(count, bool)
        known = self.number[at] == number
        last = np.where(known, self.last[at], np.nan)
        return last, np.where(known, self.interest[at], 0), known


#: Before the first day.
NOTHING = CarriedActivity(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))


@dataclass(frozen=True)
class Activity:
    """Lots traded, open interest and its change in lots, and the last price of before."""

    lots: Ints
    interest: Ints
    change: Ints
    previous: Floats

    def carry(self, number: Ints, price: Floats) -> CarriedActivity:
        """What the day leaves to the next; ``price`` is the close of each row that traded."""
        order = np.argsort(number)
        last = np.where(self.lots > 0, price, self.previous)
        return CarriedActivity(number[order], last[order], self.interest[order])


def active(
    number: Ints, expected: Floats, before: CarriedActivity, rng: np.random.Generator
) -> Activity:
    """Draw a day. Open interest drifts towards three days' trade; a new contract has none."""
    count = len(number)
    lots = np.floor(expected * rng.lognormal(-0.3, 0.9, count)).astype(np.int64)
    previous, held, known = before.of(number)
    goal = 3.0 * expected
    if not len(before.number):
        held = np.floor(goal * rng.lognormal(0.0, 0.4, count)).astype(np.int64)
        known = np.ones(count, dtype=bool)
    pull = np.where(known, 0.08, 0.3)
    drift = pull * (goal - held) + 0.15 * lots * rng.standard_normal(count)
    # no more is opened or closed than was traded
    change = np.clip(np.rint(drift), -np.minimum(lots, held), lots).astype(np.int64)
    return Activity(lots, held + change, change, previous)
