"""Margin estimate of options and futures: 16 price and volatility scenarios plus exposure.

Modelled on SPAN. The price of the underlying is moved by thirds of its scan range, volatility up
and down with each, and by two extreme moves of which a cover fraction counts. The worst
loss of a structure, less the net value of its options, is its scan margin; exposure margin, a
share of the notional sold, is added; of a future whether bought or sold, and on a third of what
other futures offset. Legs of one expiry offset each other. Legs of several
expiries share the price move, not the volatility move, and pay a calendar spread charge on what
they offset; where the dated rule requires it, legs on their last day offset nothing.

An index has the clearing corporation's own scan ranges, by day (``risk/data/index_scan.csv``).
Against its file of each day from 2024 to 2026-07 the price scan is off by 0.0 to 0.4 % in the
median, by index; at most 1 % too low and 1.6 % too high. Later days use the last known range, and
a stock follows public rules (``risk/data/span.csv``): both may be too low after a volatile period.
The broker's own calculator is authoritative; every figure from here is labelled an estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from strikeloom.quant.black76 import greeks, price
from strikeloom.risk.margin_legs import SHORTEST, Bools, Floats, MarginLegs, checked
from strikeloom.risk.parameters import SpanParameters

#: Legs calculated at once, so that memory stays below about 100 MB.
_LEGS = 80_000

HOW = "estimate: worst of 16 scenarios plus exposure"

#: Price move as a share of the scan range, volatility move, share of the loss that counts
#: (CME SPAN methodology: the two extreme moves count 35 %).
SCENARIOS = np.array(
    [(m / 3, v, 1.0) for m in (0, 1, -1, 2, -2, 3, -3) for v in (1, -1)]
    + [(2.0, 0, 0.35), (-2.0, 0, 0.35)]
)
_PAIRS = 7  # price moves combined with both volatility moves
_DAYS_PER_YEAR = 250
_NOTHING = 1e-6  # rupees: less is an error of floats, in which 27,500 is beyond 110 % of 25,000


@dataclass(frozen=True)
class MarginParts:
    """Estimate by component; rupees, shape (n,)."""

    scan: Floats
    exposure: Floats
    expiry_extra: Floats
    calendar: Floats
    delivery: Floats

    @property
    def total(self) -> Floats:
        """Sum of the components."""
        return self.scan + self.exposure + self.expiry_extra + self.calendar + self.delivery


def margins(
    strikes: Floats,
    is_call: Bools,
    units: Floats,
    forward: Floats,
    vol: Floats,
    years: Floats,
    parameters: SpanParameters,
) -> Floats:
    """Margin estimate of n structures on one expiry each, in rupees.

    Parameters
    ----------
    strikes, is_call, units : ndarray, shape (n, L)
        Units, positive bought, negative sold; 0 is padding, whatever its strike.
    forward, vol, years : ndarray, shape (n,)
        ``years`` 0 means the legs expire today and need the extra margin on shorts. The price
        scan uses ``vol``, but at least the parameters' volatility, where it depends on one.

    Returns
    -------
    ndarray, shape (n,)
        Zero for structures without a sold leg: they can lose only the premium paid.

    Raises
    ------
    DataError
        When a figure is not finite or a level not positive; names the first such row.
    """
    shape = units.shape
    legs = MarginLegs(
        strikes,
        is_call,
        units,
        forward=np.broadcast_to(forward[:, None], shape),
        vol=np.broadcast_to(vol[:, None], shape),
        years=np.broadcast_to(years[:, None], shape),
        value=np.full(shape, np.nan),
        delivery=np.zeros(shape),
        is_future=np.zeros(shape, dtype=bool),
    )
    return margin_parts(legs, np.fmax(vol, parameters.base_vol), parameters).total


def margin_parts(legs: MarginLegs, scan_vol: Floats, parameters: SpanParameters) -> MarginParts:
    """Margin estimate of n structures whose legs may have several expiries.

    Parameters
    ----------
    scan_vol : ndarray, shape (n,)
        Volatility of the underlying, from which the price scan range is measured.

    Raises
    ------
    DataError
        When a figure is not finite or a level not positive; names the first such row.
    """
    legs = checked(legs, scan_vol)
    rows = max(1, _LEGS // max(1, legs.units.shape[1]))
    parts = [
        _batch(
            MarginLegs(*(getattr(legs, n)[at] for n in MarginLegs.__dataclass_fields__)),
            vol,
            parameters,
        )
        for at, vol in (
            (slice(start, start + rows), scan_vol[start : start + rows])
            for start in range(0, len(scan_vol), rows)
        )
    ]
    names = MarginParts.__dataclass_fields__
    empty = [np.zeros(0)]
    return MarginParts(*(np.concatenate([getattr(p, n) for p in parts] or empty) for n in names))


class UnitFigures(NamedTuple):
    """Figures of one unit of each leg, in rupees; shape (n, L).

    Attributes
    ----------
    change : ndarray, shape (n, L, 16)
        Change of its value in each scenario, weighted by the scenario.
    value : ndarray
        Its current value; 0 of a future.
    exposure : ndarray
        Exposure margin of an option sold.
    """

    change: Floats
    value: Floats
    exposure: Floats


def unit_figures(legs: MarginLegs, scan_vol: Floats, parameters: SpanParameters) -> UnitFigures:
    """What each leg of ``checked`` rows adds to an estimate, whatever its units."""
    time = np.maximum(legs.years, SHORTEST)
    model = price(legs.forward, legs.strikes, time, legs.vol, legs.is_call)
    change = _shocked(legs, scan_vol, time, parameters) - model[:, :, None]
    far = (_beyond(legs, parameters) > _NOTHING) | (legs.years > parameters.far_years)
    rate = np.where(far, parameters.far_exposure, parameters.exposure)
    by_risk = parameters.exposure_sigmas * scan_vol[:, None] / np.sqrt(_DAYS_PER_YEAR)
    return UnitFigures(
        change * SCENARIOS[:, 2],
        np.where(np.isnan(legs.value), model, legs.value),
        np.where(legs.is_future, 0.0, legs.forward * np.maximum(rate, by_risk)),
    )


def _batch(legs: MarginLegs, scan_vol: Floats, parameters: SpanParameters) -> MarginParts:
    """``margin_parts`` of checked rows; keeps 16 scenarios of each leg in memory."""
    units = legs.units
    unit = unit_figures(legs, scan_vol, parameters)
    time = np.maximum(legs.years, SHORTEST)
    change = units[:, :, None] * unit.change
    scan, calendar = _scanned(legs, change, units * unit.value, time, parameters)
    sold = np.where((units < 0) & ~legs.is_future, -units, 0.0)
    futures = np.where(legs.is_future, units * legs.forward, 0.0)
    short = ((sold > 0) | (futures != 0)).any(axis=1)
    least = least_exposure(scan_vol, parameters)
    exposed = _exposed(futures, parameters.spread_exposure)
    exposure = (sold * unit.exposure).sum(axis=1) + least * exposed
    scan = np.where(short, scan, 0.0)
    last = np.where(legs.years <= 0, sold * legs.forward, 0.0).sum(axis=1)
    lacking = np.maximum(0.0, parameters.expiry_least * last - scan - exposure)
    bought = np.where((units > 0) & (_out(legs) < 0), units * legs.strikes, 0.0)
    return MarginParts(
        scan=scan,
        exposure=exposure,
        expiry_extra=np.maximum(parameters.expiry_extra * last, lacking),
        calendar=np.where(short, calendar, 0.0),
        delivery=(bought * legs.delivery).sum(axis=1),
    )


def least_exposure(scan_vol: Floats, parameters: SpanParameters) -> Floats:
    """Exposure margin of a future as a share of its notional, shape of ``scan_vol``."""
    daily = scan_vol / np.sqrt(_DAYS_PER_YEAR)
    found: Floats = np.maximum(parameters.exposure, parameters.exposure_sigmas * daily)
    return found


def _out(legs: MarginLegs) -> Floats:
    """How far out of the money each leg is, in rupees; negative in the money."""
    found: Floats = np.where(legs.is_call, 1.0, -1.0) * (legs.strikes - legs.forward)
    return found


def _beyond(legs: MarginLegs, parameters: SpanParameters) -> Floats:
    found: Floats = _out(legs) - parameters.far_moneyness * legs.forward
    return found


def _exposed(futures: Floats, spread_exposure: float) -> Floats:
    """Notional of futures that bears exposure margin; of a calendar spread a share of one side."""
    long, short = np.maximum(futures, 0.0).sum(axis=1), np.maximum(-futures, 0.0).sum(axis=1)
    found: Floats = np.abs(long - short) + np.minimum(long, short) * spread_exposure
    return found


def _shocked(
    legs: MarginLegs, scan_vol: Floats, time: Floats, parameters: SpanParameters
) -> Floats:
    """Value of a unit of each leg in each scenario, shape (n, L, 16)."""
    daily = scan_vol / np.sqrt(_DAYS_PER_YEAR)
    reach = np.maximum(parameters.price_scan, parameters.scan_sigmas * daily)
    moved = np.maximum(1 + SCENARIOS[:, 0] * reach[:, None], 0.01)
    turn = np.maximum(parameters.vol_scan, parameters.vol_share * legs.vol)
    vol = np.maximum(0.01, legs.vol[:, :, None] + SCENARIOS[:, 1] * turn[:, :, None])
    spots = legs.forward[:, :, None] * moved[:, None, :]
    return price(spots, legs.strikes[:, :, None], time[:, :, None], vol, legs.is_call[:, :, None])


def _scanned(
    legs: MarginLegs, change: Floats, value: Floats, time: Floats, parameters: SpanParameters
) -> tuple[Floats, Floats]:
    """Scan margin and calendar spread charge; with or without offsets, whichever is less.

    Parameters
    ----------
    change : ndarray, shape (n, L, 16)
        Profit of each leg in each scenario in rupees, weighted by the scenario.
    value : ndarray, shape (n, L)
        Current value of each leg in rupees.
    """
    if (legs.years == legs.years[:, :1]).all():
        worst = np.minimum(0.0, change.sum(axis=1).min(axis=1))
        return np.maximum(0.0, -worst - value.sum(axis=1)), np.zeros(len(value))
    first = (legs.years[:, :, None] == legs.years[:, None, :]).argmax(axis=2)
    delta = legs.units * greeks(legs.forward, legs.strikes, time, legs.vol, legs.is_call).delta
    separate = np.zeros(len(value))
    alone, joint = np.zeros(len(value)), np.zeros((len(value), _PAIRS + 2))
    joint_value, long, short = np.zeros((3, len(value)))
    for group in np.unique(first):
        mine = first == group
        moves = _by_move(np.where(mine[:, :, None], change, 0.0).sum(axis=1))
        group_value = np.where(mine, value, 0.0).sum(axis=1)
        need = np.maximum(0.0, -np.minimum(0.0, moves.min(axis=1)) - group_value)
        separate += need
        lone = (legs.years[:, group] <= 0) & (parameters.calendar_last_day == 0)
        alone += np.where(lone, need, 0.0)
        shared = ~lone
        joint += np.where(shared[:, None], moves, 0.0)
        joint_value += np.where(shared, group_value, 0.0)
        net = np.where(mine & shared[:, None], delta * legs.forward, 0.0).sum(axis=1)
        long, short = long + np.maximum(net, 0.0), short + np.maximum(-net, 0.0)
    combined = np.maximum(0.0, -np.minimum(0.0, joint.min(axis=1)) - joint_value)
    charge = parameters.calendar_charge * np.minimum(long, short)
    better = alone + combined + charge < separate
    return np.where(better, alone + combined, separate), np.where(better, charge, 0.0)


def _by_move(change: Floats) -> Floats:
    """Worse of the two volatility moves at each price move, then the extreme moves."""
    pairs = change[:, : 2 * _PAIRS].reshape(len(change), _PAIRS, 2).min(axis=2)
    return np.concatenate([pairs, change[:, 2 * _PAIRS :]], axis=1)
