"""Legs of structures on one underlying each, as a margin estimate reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Years that a leg has at least where it is priced: one that ends today still moves.
SHORTEST = 1 / 365
_CERTAIN = 1e-9  # strike over level of a call that has the price moves of a future


@dataclass(frozen=True)
class MarginLegs:
    """Legs of n structures, each on one underlying; arrays of shape (n, L).

    Attributes
    ----------
    strikes, is_call, units : ndarray
        Units, positive bought, negative sold; 0 is padding, whose other fields are ignored.
    forward, vol, years : ndarray
        Of the leg's expiry. ``years`` 0 means that it expires today.
    value : ndarray
        Current value of a unit; NaN uses the model value at ``vol``.
    is_future : ndarray
        Futures; their strike and right are ignored, and they have no value of their own.
    delivery : ndarray
        Share of strike x units required when the leg is bought and in the money, after what
        nets off before delivery.
    """

    strikes: Floats
    is_call: Bools
    units: Floats
    forward: Floats
    vol: Floats
    years: Floats
    value: Floats
    delivery: Floats
    is_future: Bools


def checked(legs: MarginLegs, scan_vol: Floats) -> MarginLegs:
    """Legs whose every figure is valid: futures as options, padding as used legs.

    Parameters
    ----------
    scan_vol : ndarray, shape (n,)
        Volatility of each underlying.

    Raises
    ------
    DataError
        When a figure is not finite or a level not positive; names the first such row.
    """
    legs = _padded(_with_futures(legs))
    _check(legs, scan_vol)
    return legs


def _with_futures(legs: MarginLegs) -> MarginLegs:
    """Each future as a call that is certain to be exercised, of no value: nothing was paid."""
    future = legs.is_future
    if not future.any():
        return legs
    return replace(
        legs,
        strikes=np.where(future, legs.forward * _CERTAIN, legs.strikes),
        is_call=legs.is_call | future,
        value=np.where(future, 0.0, legs.value),
        delivery=np.where(future, 0.0, legs.delivery),
    )


def _padded(legs: MarginLegs) -> MarginLegs:
    """Fill padding legs with the figures of a used leg: valid, and of no effect."""
    used = legs.units != 0
    if used.all():
        return legs
    at = np.argmax(used, axis=1)[:, None] if legs.units.shape[1] else np.zeros((0, 1), dtype=int)
    filled = {
        name: np.where(used, table, np.take_along_axis(np.asarray(table), at, axis=1))
        for name, table in (
            ("strikes", legs.strikes), ("forward", legs.forward), ("vol", legs.vol),
            ("years", legs.years),
        )
    } if legs.units.shape[1] else {}  # fmt: skip
    return replace(legs, **filled, value=np.where(used, legs.value, np.nan))


def _check(legs: MarginLegs, scan_vol: Floats) -> None:
    used = legs.units != 0
    finite = np.isfinite(legs.strikes * legs.units * legs.forward + legs.vol + legs.years)
    sound = finite & (legs.strikes > 0) & (legs.forward > 0) & ~np.isinf(legs.value)
    usable = (sound | ~used).all(axis=1) & np.isfinite(scan_vol)
    if usable.all():
        return
    row = int(np.argmin(usable))
    raise DataError(
        f"structure {row} has strikes {legs.strikes[row].tolist()}, units "
        f"{legs.units[row].tolist()}, forwards {legs.forward[row].tolist()}, volatilities "
        f"{legs.vol[row].tolist()}, years {legs.years[row].tolist()}, volatility of the underlying "
        f"{scan_vol[row]}: a margin needs finite figures and positive levels",
        row=row,
    )
