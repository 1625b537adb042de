"""Dated parameters of the margin estimate.

Source: ``risk/data/span.csv``, ``delivery.csv`` and, for the scan ranges of each index,
``index_scan.csv``: NSE Clearing's SPAN file of the start of each day, 2012-07-05 to 2026-07-31. It
has a row where the file's price scan, as a share of the index's last close, is more than 1 % above
or 1.5 % below the row in force (before 2024: 2 % and 3 %), or where the volatility scan changed.
Later days use the last row. Futures and shares alone: ``risk.delta_one_parameters``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from math import sqrt

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.nse.edges import expected_days
from strikeloom.nse.tables import Row

_LONGEST = 12  # calendar days that may hold the ladder's trading days
_DAYS_PER_YEAR = 250


@dataclass(frozen=True, slots=True)
class SpanParameters:
    """Shares of the underlying's price, volatility points as fractions.

    Attributes
    ----------
    price_scan, scan_sigmas : float
        Price move: at least the first, or this many daily deviations.
    vol_scan, vol_share : float
        Volatility move: at least the first, or this share of itself.
    exposure, exposure_sigmas : float
        Share of the notional sold: at least the first, or this many daily deviations.
    far_exposure, far_moneyness, far_years : float
        Exposure of options further out of the money, or with more years, than these.
    expiry_extra : float
        Additional share of the notional sold on the last day.
    expiry_least : float
        Minimum total margin on the last day, as a share of the notional sold.
    calendar_charge : float
        Share of the notional that a calendar spread offsets.
    calendar_last_day : float
        1 when a leg may offset others on its last day, else 0.
    base_vol : float
        Minimum volatility of the price scan; also of a leg without a known volatility.
    spread_exposure : float
        Share of one side of a calendar spread of futures that bears exposure margin.
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
    spread_exposure: float


@cache
def parameter_rows(table: str) -> tuple[Row, ...]:
    """Rows of ``risk/data/<table>.csv`` in file order."""
    text = files("strikeloom.risk.data").joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def span_parameters(kind: InstrumentKind, symbol: str, day: date) -> SpanParameters:
    """Parameters in force for an underlying.

    The price and volatility scans of an index are the clearing corporation's own where its file has
    them, and then depend on no volatility; else those of its kind.

    Raises
    ------
    DataError
        When no row is in force that day.
    """
    rows = [
        row
        for row in parameter_rows("span")
        if row["kind"] == kind.value and date.fromisoformat(row["effective_from"]) <= day
    ]
    if not rows:
        raise DataError(f"no margin parameters for {kind} on {day}; add a row to span.csv")
    row = max(rows, key=lambda r: r["effective_from"])
    found = SpanParameters(*(float(row[field.name]) for field in fields(SpanParameters)))
    if kind is not InstrumentKind.INDEX:
        return found
    scan = index_scan(symbol, day)
    if scan is None:
        return found
    return replace(
        found,
        price_scan=float(scan["price_scan"]),
        scan_sigmas=0.0,
        vol_scan=float(scan["vol_scan"]),
        vol_share=0.0,
    )


def index_scan(symbol: str, day: date) -> Row | None:
    """Scan ranges of an index in force, where the clearing corporation's file has them."""
    scans = [
        scan
        for scan in parameter_rows("index_scan")
        if scan["symbol"] == symbol and scan["effective_from"] <= day.isoformat()
    ]
    return max(scans, key=lambda r: r["effective_from"]) if scans else None


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
    if row is None or not row["var_least"]:
        return percent
    sigma = span_parameters(kind, "", day).base_vol / sqrt(_DAYS_PER_YEAR)
    risk = max(float(row["var_least"]), float(row["var_sigmas"]) * sigma)
    return percent * (risk + float(row["extreme_loss"]))


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
