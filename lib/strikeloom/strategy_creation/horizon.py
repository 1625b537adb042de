"""Structures in columns at their horizon, the nearest expiry of their options.

Legs that end later are worth Black's price there, on their own smile with the time that is left,
at the level that earns nothing by waiting (``quant.probability.left_variance``).
Such a structure is written as calls between which its worth is straight, so that every formula
for a payoff of straight lines is for it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import FutureContract, OptionContract, Right, Share
from strikeloom.quant.payoff import Legs
from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.probability.left_variance import left_scale
from strikeloom.quant.probability.value import LegTerms, profit_before_expiry
from strikeloom.quant.smile.curves import Curves, total_variance
from strikeloom.strategy_creation.basis import basis
from strikeloom.strategy_creation.chain import ChainExpiry
from strikeloom.strategy_creation.structure import Structure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_REACH = 6.0  # standard deviations of the price to each side of the forward
_NODES = 241  # straight lines over it: 0.05 deviations each
_NOTHING = 1e-9  # of the forward: a price of nearly 0


class ExpiryColumns(NamedTuple):
    """Expiries of all structures, shape (expiries,)."""

    forward: Floats
    years: Floats
    calendar: Floats
    atm_iv: Floats
    curves: Curves


class StructureColumns(NamedTuple):
    """Legs of n structures as they are, shape (n, L); padding has 0 units.

    Attributes
    ----------
    strikes, is_call, units : ndarray
        Of the underlying strike 0, a call. Units positive bought, negative sold.
    future, share : ndarray of bool
        What the underlying is.
    price : ndarray
        Rupees a unit.
    expiry : ndarray of int64
        Row in ``expiries`` of an option; of the underlying and padding that of the horizon.
    future_years : ndarray
        To the future's own expiry; 0 of other legs.
    horizon : ndarray of int64, shape (n,)
        Row in ``expiries``.
    expiries : ExpiryColumns
    """

    strikes: Floats
    is_call: NDArray[np.bool_]
    units: Floats
    future: NDArray[np.bool_]
    share: NDArray[np.bool_]
    price: Floats
    expiry: Ints
    future_years: Floats
    horizon: Ints
    expiries: ExpiryColumns

    @property
    def law(self) -> Law:
        """Distribution at each expiry; ``horizon`` has the row of each structure."""
        return Law(self.expiries.forward, self.expiries.curves)

    @property
    def paid(self) -> Floats:
        """Rupees received (+) or paid (-) today: of options and shares, shape (n,)."""
        return np.asarray(-np.where(self.future, 0.0, self.units * self.price).sum(axis=1))

    @property
    def owed(self) -> Floats:
        """Rupees that futures pay against their value at the horizon, shape (n,).

        One that ends later is counted at the forward of the horizon: its carry stays what it is.
        """
        return np.asarray(-np.where(self.future, self.units * self._agreed, 0.0).sum(axis=1))

    @property
    def _agreed(self) -> Floats:
        """Price of the underlying against which its value at the horizon counts, shape (n, L)."""
        at_horizon = self.expiries.years[self.horizon][:, None]
        forward = self.expiries.forward[self.horizon][:, None]
        return np.where(self.future_years > at_horizon + 1e-6, forward, self.price)

    def today(self, at_horizon: Floats, rate: float) -> Floats:
        """Profits at the horizon, premium included, in today's money; rupees, shape (n,).

        What was paid today was paid today, and the underlying is worth what it costs
        (``strategy_creation.basis``). ``rate`` is the interest a year, continuously compounded.
        """
        discount = np.exp(-rate * self.expiries.calendar[self.horizon])
        forward = self.expiries.forward[self.horizon][:, None]
        apart = basis(self._agreed, forward, discount[:, None], self.future)
        pays = np.where(self.future | self.share, self.units * apart, 0.0).sum(axis=1)
        return np.asarray(self.paid + discount * (at_horizon - self.paid) + pays)


def structure_columns(structures: Sequence[Structure]) -> StructureColumns:
    """Legs of structures in columns."""
    table: dict[int, tuple[int, ChainExpiry]] = {}
    width = max(len(s.legs) for s in structures)
    shape = (len(structures), width)
    strikes, units, price, future_years = np.zeros((4, *shape))
    is_call, future, share = np.zeros((3, *shape), dtype=bool)
    expiry = np.zeros(shape, dtype=np.int64)
    horizon = np.zeros(len(structures), dtype=np.int64)
    for row, structure in enumerate(structures):
        horizon[row] = _row_of(table, structure.horizon)
        expiry[row] = horizon[row]
        for at, leg in enumerate(structure.legs):
            it = leg.instrument
            units[row, at], price[row, at] = leg.signed_units, leg.price / 100
            if isinstance(it, OptionContract):
                strikes[row, at] = it.strike / 100
                is_call[row, at] = it.right is Right.CALL
                expiry[row, at] = _row_of(table, structure.chain.by_date[it.expiry])
                continue
            is_call[row, at] = True
            future[row, at], share[row, at] = isinstance(it, FutureContract), isinstance(it, Share)
            if isinstance(it, FutureContract):
                future_years[row, at] = _future_years(structure, it)
    return StructureColumns(
        strikes, is_call, units, future, share, price, expiry, future_years, horizon,
        _expiry_columns([entry for _, entry in table.values()]),
    )  # fmt: skip


def horizon_legs(columns: StructureColumns, rate: float) -> Legs:
    """Structures as payoffs of straight lines at their horizon, premium included, rupees.

    ``rate`` is the interest a year, continuously compounded.
    """
    cash = columns.paid + columns.owed
    own = Legs(columns.strikes, columns.is_call, columns.units, cash)
    later = ((columns.expiry != columns.horizon[:, None]) & (columns.units != 0)).any(axis=1)
    if not later.any():
        return own
    rows = np.flatnonzero(later)
    strikes, units, start = _as_calls(columns, rows, rate)
    count, width = len(later), max(strikes.shape[1], own.strikes.shape[1])
    found = Legs(np.zeros((count, width)), np.ones((count, width), bool), np.zeros((count, width)),
                 cash.copy())  # fmt: skip
    plain = np.flatnonzero(~later)
    few = own.strikes.shape[1]
    found.strikes[plain, :few] = own.strikes[plain]
    found.is_call[plain, :few] = own.is_call[plain]
    found.units[plain, :few] = own.units[plain]
    found.strikes[rows, : strikes.shape[1]] = strikes
    found.units[rows, : units.shape[1]] = units
    found.cash[rows] += start
    return found


def _as_calls(columns: StructureColumns, rows: Ints, rate: float) -> tuple[Floats, Floats, Floats]:
    """Strikes and units of calls that follow the worth at the horizon, and the worth at 0."""
    near, ends = columns.horizon[rows], columns.expiry[rows]
    table = columns.expiries
    forward = table.forward[near]
    deviation = np.sqrt(total_variance(table.curves.pick(near), 0.0).w)
    places = np.linspace(-_REACH, _REACH, _NODES)
    grid = forward[:, None] * np.exp(places * deviation[:, None])
    strikes = columns.strikes[rows]
    kinks = np.where((ends == near[:, None]) & (strikes > 0), strikes, forward[:, None])
    nodes = np.sort(np.concatenate((grid, kinks), axis=1), axis=1)
    left = table.years[ends] - table.years[near][:, None]
    calendar = table.calendar[ends] - table.calendar[near][:, None]
    terms = LegTerms(
        later_curves(columns, rows, grid),
        left / table.years[ends],
        table.forward[ends] / forward[:, None],
        np.exp(-rate * calendar),
    )
    legs = Legs(strikes, columns.is_call[rows], columns.units[rows], np.zeros(len(rows)))
    spots = np.concatenate((_NOTHING * forward[:, None], nodes), axis=1)
    worth = profit_before_expiry(spots, legs, terms)
    points = np.concatenate((np.zeros((len(rows), 1)), nodes), axis=1)
    width = np.diff(points, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(width > 0, np.diff(worth, axis=1) / width, 0.0)
    # a node that is there twice has no width: its slope is that of the next stretch
    for at in range(slope.shape[1] - 2, -1, -1):
        slope[:, at] = np.where(width[:, at] > 0, slope[:, at], slope[:, at + 1])
    tail = np.where(columns.is_call[rows], columns.units[rows], 0.0).sum(axis=1)
    whole = np.concatenate((slope, tail[:, None]), axis=1)
    bends = np.diff(whole, axis=1, prepend=0.0)
    return points, bends, worth[:, 0]


def later_curves(columns: StructureColumns, rows: Ints, grid: Floats) -> Curves:
    """Smiles of the legs, those of later options at the level that earns nothing by waiting.

    ``grid`` has prices at the horizon of each row.
    """
    near, ends, strikes = columns.horizon[rows], columns.expiry[rows], columns.strikes[rows]
    table, law = columns.expiries, columns.law
    later = (ends != near[:, None]) & (strikes > 0) & (columns.units[rows] != 0)
    row, leg = np.nonzero(later)
    # the structures of a chain share their options: each is solved once
    options = np.column_stack((near[row], ends[row, leg], strikes[row, leg]))
    _, first, each = np.unique(options, axis=0, return_index=True, return_inverse=True)
    at, own = row[first], ends[row[first], leg[first]]
    here = near[at]
    scale = np.ones(ends.shape)
    scale[row, leg] = left_scale(
        law.pick(here),
        grid[at],
        table.curves.pick(own),
        1 - table.years[here] / table.years[own],
        table.forward[own] / table.forward[here],
        strikes[at, leg[first]],
    )[each.ravel()]
    curves = table.curves.pick(ends)
    return curves._replace(
        level=curves.level * scale, left=curves.left * scale, right=curves.right * scale
    )


def _row_of(table: dict[int, tuple[int, ChainExpiry]], expiry: ChainExpiry) -> int:
    return table.setdefault(id(expiry), (len(table), expiry))[0]


def _future_years(structure: Structure, future: FutureContract) -> float:
    """As its options count them where they are in the chain, else by the calendar."""
    known = structure.chain.by_date.get(future.expiry)
    if known is not None:
        return known.years
    quote = structure.horizon.underlying
    return 0.0 if quote is None else quote.years


def _expiry_columns(expiries: Sequence[ChainExpiry]) -> ExpiryColumns:
    fields = zip(*(expiry.smile.curves for expiry in expiries), strict=True)
    forward, years, calendar, atm_iv = (
        np.array([getattr(expiry, name) for expiry in expiries], dtype=np.float64)
        for name in ("forward", "years", "calendar", "atm_iv")
    )
    curves = Curves(*(np.concatenate(field) for field in fields))
    return ExpiryColumns(forward, years, calendar, atm_iv, curves)
