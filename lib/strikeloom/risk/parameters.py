"""Dated parameters of the margin estimate. Source: ``risk/data/span.csv``, ``delivery.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from importlib.resources import files

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.nse.sessions import trading_days
from strikeloom.nse.tables import Row

_LONGEST = 12  # calendar days that may hold the ladder's trading days


@dataclass(frozen=True, slots=True)
class SpanParameters:
    """Shares of the underlying's price, volatility points as fractions.

    Attributes
    ----------
    price_scan, scan_sigmas : float
        The price is moved by at least the first, and by so many daily deviations.
    vol_scan, vol_share : float
        Volatility is moved by at least the first, and by that share of itself.
    exposure, exposure_sigmas : float
        Of the notional sold: at least the first, and so many daily deviations.
    far_exposure, far_moneyness, far_years : float
        Exposure of options further out of the money, or longer to run, than these.
    expiry_extra : float
        More of the notional sold on the last day.
    expiry_least : float
        Of the notional sold that all of its margin comes to at least on the last day.
    calendar_charge : float
        Of the far month's notional that a spread over months matches.
    calendar_last_day : float
        1 when a leg may be spread on its last day, else 0.
    base_vol : float
        From which the price is scanned at least; that of a leg whose own is not known.
    """

    price_scan: float
    scan_sigmas: float
    vol_scan: float
    vol_share: float
    exposure: float
    exposure_sigmas: float
    far_exposure: float
    far_moneyness: float
    far_years: float
    expiry_extra: float
    expiry_least: float
    calendar_charge: float
    calendar_last_day: float
    base_vol: float


@cache
def _rows(table: str) -> tuple[Row, ...]:
    text = files("strikeloom.risk.data").joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def span_parameters(kind: InstrumentKind, day: date) -> SpanParameters:
    """Parameters in force.

    Raises
    ------
    DataError
        When no row is in force that day.
    """
    rows = [
        row
        for row in _rows("span")
        if row["kind"] == kind.value and date.fromisoformat(row["effective_from"]) <= day
    ]
    if not rows:
        raise DataError(f"no margin parameters for {kind} on {day}; add a row to span.csv")
    row = max(rows, key=lambda r: r["effective_from"])
    return SpanParameters(*(float(row[field.name]) for field in fields(SpanParameters)))


@cache
def delivery_share(kind: InstrumentKind, expiry: date, day: date) -> float:
    """Share of the contract value asked for a stock option held long and in the money.

    0 for an index, and while more trading days are left than the ladder has.
    """
    if kind is not InstrumentKind.STOCK or not 0 <= (expiry - day).days <= _LONGEST:
        return 0.0
    left = len(trading_days(day, expiry)) - 1
    found = [
        row
        for row in _rows("delivery")
        if int(row["days_before"]) == max(0, left) and row["effective_from"] <= day.isoformat()
    ]
    if not found:
        return 0.0
    return float(max(found, key=lambda row: row["effective_from"])["percent"]) / 100
