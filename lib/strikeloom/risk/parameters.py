"""Dated parameters of the margin estimate.

Source: ``risk/data/span.csv`` and, for the scan ranges of each index,
``index_scan.csv``: NSE Clearing's SPAN file of the start of each day, 2012-07-05 to 2026-07-31. It
has a row where the file's price scan, as a share of the index's last close, is more than 1 % above
or 1.5 % below the row in force (before 2024: 2 % and 3 %), or where the volatility scan changed.
Later days use the last row. Shares: ``risk.share_parameters``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache
from importlib.resources import files

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.nse.tables import Row


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
