"""What a position can earn and lose, also where its legs end on different days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import Instrument, OptionContract, Right, Share
from strikeloom.domain.money import PAISE_PER_RUPEE, rupees
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position
from strikeloom.domain.quotes import Mark
from strikeloom.nse.edges import ending
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.quant.black76 import price
from strikeloom.quant.implied.solver import Reason, implied_vol
from strikeloom.quant.payoff import Legs, payoffs

#: Volatilities are rounded to this (a tenth of a point): a figure for people, kept between ticks.
_VOL_STEP = 0.001
#: Levels of the first look, its reach beyond the strikes in standard deviations of the later
#: legs, levels of each closer look, and how many there are.
_LEVELS, _REACH, _CLOSER, _LOOKS = 240, 6.0, 24, 2
_LEAST = 1e-9  # rupees: a level of 0 for formulas of a positive one


@dataclass(frozen=True, slots=True)
class Extremes:
    """Most that the quantity first filled can earn and lose; ``None`` is unlimited or unknown.

    Attributes
    ----------
    max_profit, max_loss : int or None
        Paise, before charges.
    on : datetime.date or None
        Day that they are estimated for; ``None`` where all legs end together.
    missing : str
        Why they are unknown; empty when they are known.
    """

    max_profit: int | None = None
    max_loss: int | None = None
    on: date | None = None
    missing: str = ""


class _Term(NamedTuple):
    """One leg at the nearest expiry, in rupees; the underlying itself is a call struck at 0.

    ``years`` and ``vol`` are those left then; ``growth`` is its forward over the level then.
    """

    strike: float
    is_call: bool
    units: int
    years: float = 0.0
    vol: float = 0.0
    growth: float = 1.0


class _UnknownExtremes(Exception):
    """Its text is why the extremes are unknown."""


def extremes(
    position: Position,
    marks: Mapping[str, Mark],
    level: int | None,
    at: datetime,
    last_days: Mapping[int, date],
) -> Extremes:
    """Extremes from what was really filled and paid, not from what was proposed.

    Where all contracts end together: exact, at their expiry, for the quantity first filled,
    whatever was closed since. What a delivery brought was not entered: it is part of how the
    contracts ended.

    Where they end on different days: at the nearest expiry of a leg that is held. A leg that
    ends later is worth its Black-76 value then, with the volatility that its own mark implies
    now (none, where its mark is no more than its intrinsic value), a later future the level and
    its present basis. The forward grows by the position's carry, at which later values are
    discounted too. Legs that are closed count by what they brought, shares that a delivery
    brought by what they are worth.

    Parameters
    ----------
    marks : mapping of str to Mark
        By contract key.
    level : int or None
        Fresh level of the underlying in paise.
    last_days : mapping of int to date
        Last day of each open contract, by leg.
    """
    legs = [leg for leg in position.legs if leg.first_units]
    entered = [leg for leg in legs if not leg.delivered]
    expiries = {it.expiry for leg in entered if not isinstance(it := leg.instrument, Share)}
    if len(expiries) <= 1:
        rows = ((*_strike_and_right(leg.instrument), leg.first_units) for leg in entered)
        return Extremes(*_together(tuple(rows), -sum(leg.entry_value for leg in entered)))
    held = {leg: day for leg, day in last_days.items() if at < ending(day)}
    on = min(held.values(), default=None)
    later = _Later(position, marks, level, at, on)
    cash, terms = 0, []
    try:
        for leg in legs:
            if leg.delivered:
                cash += leg.realised - leg.open_value
                terms.append(_Term(0.0, True, leg.net_units))
            elif not leg.net_units:
                cash += leg.realised
            else:
                moved, term = later.term(leg, last_days.get(leg.leg))
                cash += moved - leg.entry_value
                terms.append(term)
    except _UnknownExtremes as why:
        return Extremes(on=on, missing=str(why))
    terms = [term for term in terms if term.units]
    return Extremes(*_apart(tuple(terms), cash), on=on)


@dataclass(frozen=True, slots=True)
class _Later:
    """What the legs of a position are at the nearest expiry ``on``."""

    position: Position
    marks: Mapping[str, Mark]
    level: int | None
    at: datetime
    on: date | None

    def term(self, leg: PositionLeg, last: date | None) -> tuple[int, _Term]:
        """Paise that are certain by then, and the leg as a term for the quantity first filled."""
        instrument, units = leg.instrument, leg.first_units
        strike, right = _strike_and_right(instrument)
        is_call = right is Right.CALL
        if last is None or last == self.on:
            return 0, _Term(rupees(strike), is_call, units)
        if self.on is None or last < self.on:
            raise _UnknownExtremes(f"{instrument.label} ended and waits for its settlement")
        after = float(years_to_expiry(ending(self.on), last))
        carry, level = self._known()
        if not isinstance(instrument, OptionContract):
            basis = round(rupees(level) * math.expm1(carry * after)) * PAISE_PER_RUPEE
            return units * basis, _Term(0.0, True, units)
        vol = self._vol(instrument, last, carry, level)
        return 0, _Term(rupees(strike), is_call, units, after, vol, math.exp(carry * after))

    def _known(self) -> tuple[float, int]:
        if self.level is None:
            raise _UnknownExtremes(f"the level of {self.position.symbol} is not known now")
        if self.position.carry is None:
            raise _UnknownExtremes("the carry of the day that proposed it is unknown")
        return self.position.carry, self.level

    def _vol(self, option: OptionContract, last: date, carry: float, level: int) -> float:
        mark = self.marks.get(option.key)
        if mark is None:
            raise _UnknownExtremes(f"{option.label} has no price")
        years = float(years_to_expiry(self.at, last))
        growth = math.exp(carry * years)
        found, reason = implied_vol(
            rupees(mark.price), rupees(level) * growth, rupees(option.strike), years,
            option.right is Right.CALL, 1 / growth,
        )  # fmt: skip
        if reason in (Reason.BELOW_INTRINSIC, Reason.AT_INTRINSIC):
            return 0.0
        if reason != Reason.OK:
            raise _UnknownExtremes(f"{option.label} has no volatility: {Reason(int(reason)).text}")
        return round(float(found) / _VOL_STEP) * _VOL_STEP


def _strike_and_right(instrument: Instrument) -> tuple[int, Right]:
    """Strike and right with the same payoff: a share and a future are calls with strike 0."""
    if isinstance(instrument, OptionContract):
        return instrument.strike, instrument.right
    return 0, Right.CALL


@lru_cache(maxsize=1024)
def _together(
    legs: tuple[tuple[int, Right, int], ...], premium: int
) -> tuple[int | None, int | None]:
    """Extremes in paise of legs of one expiry; kept, because entries do not change."""
    strikes, rights, units = zip(*legs, strict=True)
    payoff = payoffs(
        Legs(
            np.array([[rupees(strike) for strike in strikes]]),
            np.array([[right is Right.CALL for right in rights]]),
            np.array([units], dtype=np.float64),
            np.array([rupees(premium)]),
        )
    )
    return _paise(payoff.max_profit[0]), _paise(payoff.max_loss[0])


@lru_cache(maxsize=1024)
def _apart(terms: tuple[_Term, ...], cash: int) -> tuple[int | None, int | None]:
    """Extremes in paise at the nearest expiry, looked for ever closer around the best level."""
    if not terms:
        return max(0, cash), max(0, -cash)
    columns = [np.array(column)[:, None] for column in zip(*terms, strict=True)]
    tail = sum(term.units for term in terms if term.is_call)
    levels = _levels(terms)
    values = _value(levels, columns)
    best = math.inf if tail > 0 else _highest(levels, values, columns, 1.0)
    worst = -math.inf if tail < 0 else -_highest(levels, -values, columns, -1.0)
    return _paise(best + rupees(cash)), _paise(max(0.0, -worst - rupees(cash)))


def _levels(terms: tuple[_Term, ...]) -> NDArray[np.float64]:
    """Levels of the first look, ascending: zero, every strike, and between and around them."""
    strikes = [term.strike for term in terms if term.strike] or [1.0]
    spread = max(term.vol * math.sqrt(term.years) for term in terms)
    reach = math.exp(_REACH * spread + 0.05)
    grid = np.geomspace(min(strikes) / reach, max(strikes) * reach, _LEVELS)
    return np.unique(np.concatenate((np.array([_LEAST]), np.array(strikes), grid)))


def _highest(
    levels: NDArray[np.float64],
    values: NDArray[np.float64],
    columns: list[NDArray[np.float64]],
    sign: float,
) -> float:
    """Highest value times ``sign`` between the first level and the last.

    ``values`` are those at ``levels``, times ``sign``.
    """
    best = float(values.max())
    for _ in range(_LOOKS):
        place = int(values.argmax())
        left, right = max(0, place - 1), min(len(levels) - 1, place + 1)
        levels = np.linspace(levels[left], levels[right], _CLOSER)
        values = sign * _value(levels, columns)
        best = max(best, float(values.max()))
    return best


def _value(levels: NDArray[np.float64], columns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Rupees that all legs are worth at each level, entries left out."""
    strike, is_call, units, years, vol, growth = columns
    itself = strike == 0
    option = price(
        levels * growth, np.where(itself, 1.0, strike), years, vol, is_call.astype(bool), 1 / growth
    )
    worth: NDArray[np.float64] = (units * np.where(itself, levels, option)).sum(axis=0)
    return worth


def _paise(amount: float) -> int | None:
    return round(float(amount) * PAISE_PER_RUPEE) if np.isfinite(amount) else None
