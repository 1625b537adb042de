"""Dated margin parameters of shares and of futures alone; an estimate, as all of this room.

The clearing corporation publishes its own rate of each share and future every day; these are the
rules that it follows, by a daily deviation that the caller has. What surveillance adds is missing.
Source: ``risk/data/share.csv``, ``upfront.csv``, ``future.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache
from math import inf

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.nse.tables import in_force
from strikeloom.risk.parameters import index_scan, parameter_rows


@dataclass(frozen=True, slots=True)
class FutureParameters:
    """Shares of a future's notional; deviations are daily and of the underlying.

    Attributes
    ----------
    price_scan, scan_sigmas : float
        Price move: at least the first, or this many daily deviations.
    exposure, exposure_sigmas : float
        Exposure margin, long or short: at least the first, or this many daily deviations.
    """

    price_scan: float
    scan_sigmas: float
    exposure: float
    exposure_sigmas: float


@cache
def future_parameters(kind: InstrumentKind, symbol: str, day: date) -> FutureParameters:
    """Parameters in force for the futures of an underlying.

    These are the clearing corporation's own minimums: of a stock lower than ``span_parameters``,
    which are for structures of options. An index has the price scan of its file.

    Raises
    ------
    DataError
        When no row is in force that day.
    """
    known = [row for row in parameter_rows("future") if row["kind"] == kind.value]
    row = in_force(known, day, what=f"margin of {kind} futures")
    names = (field.name for field in fields(FutureParameters))
    found = FutureParameters(*(float(row[name]) for name in names))
    scan = index_scan(symbol, day) if kind is InstrumentKind.INDEX else None
    if scan is None:
        return found
    return replace(found, price_scan=float(scan["price_scan"]), scan_sigmas=0.0)


def future_margin_rate(
    kind: InstrumentKind, symbol: str, sigma: float, day: date
) -> tuple[float, float]:
    """Scan and exposure margin of one future alone, as shares of its notional.

    Parameters
    ----------
    sigma : float
        Daily deviation of the underlying's log returns, exponentially weighted.

    Raises
    ------
    DataError
        When the deviation is not a positive number, or no row is in force that day.
    """
    _check_sigma(sigma)
    found = future_parameters(kind, symbol, day)
    return (
        max(found.price_scan, found.scan_sigmas * sigma),
        max(found.exposure, found.exposure_sigmas * sigma),
    )


@dataclass(frozen=True, slots=True)
class ShareParameters:
    """Margin of shares in the cash market, as shares of their value.

    Attributes
    ----------
    var_sigmas, var_least : float
        Value-at-risk margin: this many daily deviations, at least the second.
    extreme_loss, extreme_loss_sigmas : float
        Extreme-loss margin: at least the first, or this many daily deviations.
    decay : float
        Weight of yesterday's variance in today's, of the deviation that the rates are measured by.
    """

    var_sigmas: float
    var_least: float
    extreme_loss: float
    extreme_loss_sigmas: float
    decay: float


@cache
def share_parameters(day: date, group: int = 1) -> ShareParameters:
    """Parameters in force for shares of a liquidity group; those with derivatives are in the first.

    Raises
    ------
    DataError
        When no row is in force that day.
    """
    known = [row for row in parameter_rows("share") if row["group"] == str(group)]
    row = in_force(known, day, what=f"margin of shares in group {group}")
    return ShareParameters(*(float(row[field.name]) for field in fields(ShareParameters)))


def share_margin_rate(sigma: float, day: date, group: int = 1) -> float:
    """Value-at-risk and extreme-loss margin of a share, as a share of its value; at most 1.

    What surveillance adds to a share is not in it.

    Parameters
    ----------
    sigma : float
        Daily deviation of the share's log returns, exponentially weighted.

    Raises
    ------
    DataError
        When the deviation is not a positive number, or no row is in force that day.
    """
    _check_sigma(sigma)
    found = share_parameters(day, group)
    risk = max(found.var_least, found.var_sigmas * sigma)
    return min(1.0, risk + max(found.extreme_loss, found.extreme_loss_sigmas * sigma))


def intraday_margin_rate(day: date, sigma: float | None = None) -> float:
    """Share of its value that an order of the day in a share needs before it is sent.

    Parameters
    ----------
    sigma : float, optional
        Daily deviation of the share; without it the least rate, which a share with derivatives
        exceeds only when it moves more than 2.75 % a day.

    Raises
    ------
    DataError
        As ``share_margin_rate``.
    """
    row = in_force(parameter_rows("upfront"), day, what="margin of intraday orders in shares")
    rate = 0.0 if sigma is None else share_margin_rate(sigma, day)
    return float(row["peak_share"]) * max(float(row["least"]), rate)


def _check_sigma(sigma: float) -> None:
    if not 0 < sigma < inf:
        raise DataError(
            f"daily deviation is {sigma}; a margin needs a positive number: 0.015 for 1.5 %"
        )
