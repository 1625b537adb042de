"""Dated margin parameters of shares; an estimate, as all of this room.

The clearing corporation publishes its own rate of each share every day; these are the rules that it
follows, by a daily deviation. What surveillance adds is missing. Source: ``risk/data/share.csv``,
``upfront.csv``, ``delivery.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cache
from math import inf, sqrt

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.nse.edges import expected_days
from strikeloom.nse.tables import Row, in_force
from strikeloom.risk.parameters import parameter_rows, span_parameters

_LONGEST = 12  # calendar days that may hold the ladder's trading days
_DAYS_PER_YEAR = 250


@dataclass(frozen=True, slots=True)
class ShareParameters:
    """Margin of shares in the cash market, as shares of their value.

    Attributes
    ----------
    var_sigmas, var_least : float
        Value-at-risk margin: this many daily deviations, at least the second.
    extreme_loss, extreme_loss_sigmas : float
        Extreme-loss margin: at least the first, or this many daily deviations.
    """

    var_sigmas: float
    var_least: float
    extreme_loss: float
    extreme_loss_sigmas: float


@cache
def share_parameters(day: date) -> ShareParameters:
    """Parameters in force for liquid shares, of which all with derivatives are.

    Raises
    ------
    DataError
        When no row is in force that day.
    """
    row = in_force(parameter_rows("share"), day, what="margin of shares")
    return ShareParameters(*(float(row[field.name]) for field in fields(ShareParameters)))


@cache
def base_sigma(day: date) -> float:
    """Daily deviation of a share whose own is not known: that of the parameters' volatility."""
    return span_parameters(InstrumentKind.STOCK, "", day).base_vol / sqrt(_DAYS_PER_YEAR)


def share_margin_rate(sigma: float, day: date) -> float:
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
    if not 0 < sigma < inf:
        raise DataError(
            f"daily deviation is {sigma}; a margin needs a positive number: 0.015 for 1.5 %"
        )
    found = share_parameters(day)
    risk = max(found.var_least, found.var_sigmas * sigma)
    return min(1.0, risk + max(found.extreme_loss, found.extreme_loss_sigmas * sigma))


def intraday_margin_rate(sigma: float, day: date) -> float:
    """Share of its value that an order of the day in a share needs before it is sent.

    Raises
    ------
    DataError
        As ``share_margin_rate``.
    """
    row = in_force(parameter_rows("upfront"), day, what="margin of intraday orders in shares")
    return float(row["peak_share"]) * max(float(row["least"]), share_margin_rate(sigma, day))


@cache
def delivery_share(kind: InstrumentKind, expiry: date, day: date) -> float:
    """Share of strike x units required for a long stock option in the money.

    Before the last day a rising percentage of the share's value-at-risk and extreme-loss margin,
    estimated at the parameters' volatility; on it the whole. 0 for an index, and while more
    trading days are left than the table covers.
    """
    percent = delivery_percent(kind, expiry, day)
    if not percent:
        return 0.0
    row = _delivery_row(expiry, day)
    if row is None or row["days_before"] == "0":
        return percent
    return percent * share_margin_rate(base_sigma(day), day)


def delivery_percent(kind: InstrumentKind, expiry: date, day: date) -> float:
    """Step of the delivery margin as a fraction: 0.10 four trading days before, 0 earlier."""
    row = _delivery_row(expiry, day) if kind is InstrumentKind.STOCK else None
    return float(row["percent"]) / 100 if row else 0.0


def _delivery_row(expiry: date, day: date) -> Row | None:
    if not 0 <= (expiry - day).days <= _LONGEST:
        return None
    # sessions after the day: a day off has the step of the session before it
    left = len(expected_days(day + timedelta(days=1), expiry)) if day < expiry else 0
    found = [
        row
        for row in parameter_rows("delivery")
        if int(row["days_before"]) == left and row["effective_from"] <= day.isoformat()
    ]
    return max(found, key=lambda row: row["effective_from"]) if found else None
