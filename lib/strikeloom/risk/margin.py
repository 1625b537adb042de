"""Margin estimate of option structures: 16 price and volatility scenarios plus exposure.

Shaped as SPAN: the worst loss over the scenarios, less the net value of the options held, plus
a share of the notional sold. The parameters are a conservative reading of public rules
(``risk/data/span.csv``); the broker's own calculator is the truth, and every figure from here
is labelled an estimate.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import Kind
from strikeloom.errors import DataError
from strikeloom.quant.black76 import price

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Structures worked out at once, so that memory stays below about 100 MB.
_ROWS = 20_000

HOW = "estimate: worst of 16 scenarios plus exposure"

#: Price move as a share of the scan range, volatility move, share of the loss that counts
#: (CME SPAN methodology: the two extreme moves count 35 %).
_SCENARIOS = np.array(
    [(m / 3, v, 1.0) for m in (0, 1, -1, 2, -2, 3, -3) for v in (1, -1)]
    + [(2.0, 0, 0.35), (-2.0, 0, 0.35)]
)


@dataclass(frozen=True, slots=True)
class SpanParameters:
    """Shares of the underlying's price, volatility points as fractions."""

    price_scan: float
    vol_scan: float
    exposure: float
    expiry_extra: float
    base_vol: float


@cache
def span_parameters(kind: Kind, day: date) -> SpanParameters:
    """Parameters in force.

    Raises
    ------
    DataError
        When no row is in force that day.
    """
    text = files("strikeloom.risk.data").joinpath("span.csv").read_text(encoding="utf-8")
    rows = [
        row
        for row in csv.DictReader(text.splitlines())
        if row["kind"] == kind.value and date.fromisoformat(row["effective_from"]) <= day
    ]
    if not rows:
        raise DataError(f"no margin parameters for {kind} on {day}; add a row to span.csv")
    row = max(rows, key=lambda r: r["effective_from"])
    names = ("price_scan", "vol_scan", "exposure", "expiry_extra", "base_vol")
    return SpanParameters(*(float(row[name]) for name in names))


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
        Units positive bought, negative sold; 0 pads, whatever its strike.
    forward, vol, years : ndarray, shape (n,)
        ``years`` 0 means the legs expire today and carry the extra margin on shorts.

    Returns
    -------
    ndarray, shape (n,)
        Zero for structures without a sold leg: the premium paid is all they can lose.

    Raises
    ------
    DataError
        When a figure is not finite or a level not positive; names the first such row.
    """
    strikes = np.where(units == 0, forward[:, None], strikes)
    usable = np.isfinite(strikes * units).all(axis=1) & (strikes > 0).all(axis=1)
    usable &= np.isfinite(forward + vol + years) & (forward > 0)
    if not usable.all():
        row = int(np.argmin(usable))
        raise DataError(
            f"structure {row} has strikes {strikes[row].tolist()}, units {units[row].tolist()}, "
            f"forward {forward[row]}, volatility {vol[row]}, years {years[row]}: a margin needs "
            "finite figures and positive levels",
            row=row,
        )
    parts = [
        _batch(strikes[at], is_call[at], units[at], forward[at], vol[at], years[at], parameters)
        for start in range(0, len(forward), _ROWS)
        for at in (slice(start, start + _ROWS),)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _batch(
    strikes: Floats,
    is_call: Bools,
    units: Floats,
    forward: Floats,
    vol: Floats,
    years: Floats,
    parameters: SpanParameters,
) -> Floats:
    """``margins`` of checked rows; holds 16 scenarios of each at once."""
    moved = 1 + _SCENARIOS[:, 0] * parameters.price_scan
    shocked = np.maximum(0.01, vol[:, None] + _SCENARIOS[:, 1] * parameters.vol_scan)
    spots = forward[:, None] * np.maximum(moved, 0.01)
    time = np.maximum(years, 1 / 365)[:, None, None]
    worth = price(
        spots[:, :, None], strikes[:, None, :], time, shocked[:, :, None], is_call[:, None, :]
    )
    now = price(forward[:, None], strikes, time[:, :, 0], vol[:, None], is_call)
    value = (units * now).sum(axis=1)
    change = (units[:, None, :] * worth).sum(axis=2) - value[:, None]
    loss = np.maximum(0.0, -(change * _SCENARIOS[:, 2]).min(axis=1))
    sold = np.where(units < 0, -units, 0.0).sum(axis=1) * forward
    extra = np.where(years <= 0, parameters.expiry_extra, 0.0)
    required = np.maximum(0.0, loss - value) + (parameters.exposure + extra) * sold
    return np.asarray(np.where(sold > 0, required, 0.0))
