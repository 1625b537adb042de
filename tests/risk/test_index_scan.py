"""Scan ranges of each index beside the clearing corporation's own file, day by day."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.nse.underlyings import known
from strikeloom.risk.book import book_margins
from strikeloom.risk.parameters import span_parameters
from support.fakes import ist, option
from support.span_reference import reference, textbook_price

INDEX = InstrumentKind.INDEX
INDICES = ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50"]


# read off the file: price scan in rupees over the index's close of the day before
@pytest.mark.parametrize(
    ("symbol", "day", "price_scan", "vol_scan"),
    [
        ("NIFTY", date(2024, 6, 4), 0.0930, 0.04),
        ("NIFTY", date(2026, 7, 31), 0.0930, 0.04),
        ("NIFTY", date(2020, 3, 24), 0.2110, 0.04),
        ("BANKNIFTY", date(2024, 7, 1), 0.1130, 0.06),
        ("BANKNIFTY", date(2026, 2, 26), 0.1130, 0.04),
        ("BANKNIFTY", date(2026, 2, 27), 0.0930, 0.04),
        ("MIDCPNIFTY", date(2026, 4, 15), 0.1127, 0.06),
    ],
)
def test_the_scan_of_an_index_is_of_its_day(symbol, day, price_scan, vol_scan):
    found = span_parameters(INDEX, symbol, day)
    assert found.price_scan == pytest.approx(price_scan, rel=0.015)
    assert found.vol_scan == vol_scan
    assert (found.scan_sigmas, found.vol_share) == (0, 0)  # whatever the options' volatility


def test_an_index_without_a_row_has_the_scan_of_its_kind():
    for symbol, day in (("NIFTYFPI", date(2026, 2, 11)), ("FINNIFTY", date(2021, 1, 8))):
        found = span_parameters(INDEX, symbol, day)
        assert (found.price_scan, found.scan_sigmas, found.vol_share) == (0.10, 8.485, 0.25)
    assert span_parameters(INDEX, "FINNIFTY", date(2021, 1, 11)).scan_sigmas == 0


@pytest.fixture(scope="module")
def published(shared_data):
    folder = shared_data / "reference"
    scans = pd.read_csv(folder / "span_index_daily_2012-07_2026-07.csv.gz")
    vols = pd.read_csv(folder / "span_volatility_daily_2012-07_2026-07.csv.gz")
    days = scans.merge(vols, on=["date", "symbol"])
    days = days[days["date"].between("2024-01-01", "2026-12-31")]
    traded = {u.symbol for u in known().values() if u.kind is INDEX}
    assert set(days["symbol"]) <= traded
    assert set(days["symbol"]) == set(INDICES)
    return days


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", INDICES)
def test_the_price_scan_of_every_day_is_the_clearing_corporations(published, symbol):
    """Median error at most 1 %, never more than 2 % below: of the index, and of its future."""
    days = published[published["symbol"] == symbol]
    assert len(days) > 500
    rows = [span_parameters(INDEX, symbol, date.fromisoformat(day)) for day in days["date"]]
    ours = np.array([row.price_scan for row in rows])
    for theirs in (
        days["price_scan"] / days["spot_prev"],
        days["price_scan_pct"] / 100,
    ):
        error = ours / theirs.to_numpy() - 1
        assert np.median(np.abs(error)) <= 0.01
        assert error.min() >= -0.02
        assert error.max() <= 0.025
    assert [row.vol_scan for row in rows] == days["vol_scan"].tolist()


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", INDICES)
def test_the_scan_of_a_sold_straddle_is_the_clearing_corporations(published, symbol):
    """The whole estimate, beside a plain loop over the scenarios with the file's two ranges."""
    errors = []
    for row in published[published["symbol"] == symbol].iloc[::10].itertuples():
        now, spot = ist(f"{row.date} 10:00"), row.spot_prev
        expiry = now.date() + timedelta(days=21)
        strike = round(spot / 100) * 100
        years = years_to_expiry(now, expiry)
        legs = [(strike, right, -100) for right in Right]
        contracts = [
            option(strike, right, expiry=expiry, symbol=symbol, kind=INDEX, lot=100)
            for _, right, _ in legs
        ]
        marks = {
            instrument.key: round(
                100 * textbook_price(spot, strike, years, row.ann_applicable, right is Right.CALL)
            )
            for instrument, (_, right, _) in zip(contracts, legs, strict=True)
        }
        book = dict.fromkeys(contracts, -100)
        (found,) = book_margins([book], {symbol: round(spot * 100)}, marks, now)
        theirs = replace(
            span_parameters(INDEX, symbol, now.date()),
            price_scan=row.price_scan / spot, scan_sigmas=0, vol_scan=row.vol_scan, vol_share=0,
        )  # fmt: skip
        legs = [(strike, right is Right.CALL, -100, years) for _, right, _ in legs]
        expected = reference(legs, spot, row.ann_applicable, theirs)["scan"]
        errors.append(found.scan / 100 / expected - 1)
    assert len(errors) > 50
    assert np.median(np.abs(errors)) <= 0.01
    assert min(errors) >= -0.02
