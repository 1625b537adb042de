"""Named shocks: their dates, their figures beside the exchange's, and what legs lose in them."""

from __future__ import annotations

import csv
import gzip
from datetime import date, datetime

import numpy as np
import pytest
from scipy.stats import norm

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import parameter_rows, span_parameters
from strikeloom.risk.shocks import Shock, after_shock, shocks, shocks_named

INDEX, STOCK = InstrumentKind.INDEX, InstrumentKind.STOCK
DAY = date(2026, 2, 11)
NIFTY = span_parameters(INDEX, "NIFTY", DAY)


def _legs(*legs):
    """Legs of (strike, call, units, forward, vol, years), futures with strike None."""
    strikes = np.array([[1.0 if leg[0] is None else leg[0] for leg in legs]])
    calls, units, forward, vol, years = (
        np.array([[leg[at] for leg in legs]]) for at in range(1, 6)
    )
    future = np.array([[leg[0] is None for leg in legs]])
    nothing = np.full(units.shape, np.nan)
    return MarginLegs(
        strikes, calls, units.astype(float), forward, vol, years, nothing,
        np.zeros(units.shape), future,
    )  # fmt: skip


def _shock(name: str, kind: InstrumentKind, day: date) -> Shock:
    (found,) = shocks_named([name], kind, day)
    return found


def _black(forward, strike, years, vol, is_call):
    deviation = vol * years**0.5
    d1 = np.log(forward / strike) / deviation + deviation / 2
    sign = 1 if is_call else -1
    return sign * (forward * norm.cdf(sign * d1) - strike * norm.cdf(sign * (d1 - deviation)))


def test_only_what_was_known_on_the_day_is_in_force():
    names = [shock.name for shock in shocks(INDEX, date(2020, 3, 20))]
    assert "gap_down_5" in names
    assert "2020-03" not in names
    assert "2024-06-04" not in names
    assert "2020-03" in [shock.name for shock in shocks(INDEX, date(2020, 3, 23))]
    assert "one_name_down_25" not in [shock.name for shock in shocks(INDEX, DAY)]
    assert "one_name_down_25" in [shock.name for shock in shocks(STOCK, DAY)]


def test_settings_name_shocks_of_both_kinds_and_of_later_days():
    names = ["one_name_up_25", "gap_up_5", "2020-03"]
    assert [shock.name for shock in shocks_named(names, STOCK, DAY)] == names
    assert [shock.name for shock in shocks_named(names, INDEX, DAY)] == names[1:]
    assert [shock.name for shock in shocks_named(names, INDEX, date(2019, 1, 1))] == names[1:2]
    with pytest.raises(DataError, match="no shock 'gap_down_7' is known; known: gap_down_5, "):
        shocks_named(["gap_up_5", "gap_down_7"], INDEX, DAY)


def test_every_shock_has_a_source():
    assert all(row["source"] and row["title"] for row in parameter_rows("shocks"))


def test_a_shock_of_the_market_reaches_a_stock_by_its_beta():
    crash, gap = _shock("2024-06-04", STOCK, DAY), _shock("gap_down_10", STOCK, DAY)
    assert float(crash.move(1.5)) == pytest.approx(1 - 0.0593 * 1.5)
    assert float(gap.move(1.5)) == pytest.approx(0.9)
    # twice the fall of 2020 leaves a price
    assert float(_shock("2020-03", STOCK, DAY).move(3.0)) == pytest.approx(0.05)


def test_profit_is_the_change_of_each_legs_model_value():
    gap = _shock("gap_down_10", INDEX, DAY)
    years = 20 / 365
    legs = _legs((24_000.0, False, -65, 25_000.0, 0.15, years),
                 (23_000.0, False, 65, 25_000.0, 0.18, years),
                 (None, True, 65, 25_100.0, 0.15, years))  # fmt: skip
    expected = 65 * 25_100 * -0.10
    for strike, vol, units in ((24_000.0, 0.15, -65), (23_000.0, 0.18, 65)):
        before = _black(25_000, strike, years, vol, is_call=False)
        after = _black(22_500, strike, years, vol * 1.3, is_call=False)
        expected += units * (after - before)
    found = after_shock(legs, np.array([0.15]), NIFTY, gap)
    assert found.profit[0] == pytest.approx(expected, rel=1e-6)


def test_a_sold_put_needs_its_loss_and_a_wider_scan():
    """After a gap the estimate contains what the put is worth then."""
    legs = _legs((24_000.0, False, -65, 25_000.0, 0.15, 20 / 365))
    before = after_shock(legs, np.array([0.15]), NIFTY, _shock("gap_up_5", INDEX, DAY))
    after = after_shock(legs, np.array([0.15]), NIFTY, _shock("gap_down_10", INDEX, DAY))
    assert after.profit[0] < -65 * 1_400
    assert after.margin.total[0] > before.margin.total[0] - after.profit[0]
    scan = NIFTY.price_scan
    level, reach = 22_500.0, scan * 1.6
    worst = max(
        _black(level * (1 - reach), 24_000.0, 20 / 365, 0.195 + NIFTY.vol_scan, is_call=False),
        0.0,
    )
    assert after.margin.scan[0] == pytest.approx(65 * worst, rel=1e-4)


def test_figures_of_past_days_are_the_exchanges(shared_data):
    vix = {}
    with gzip.open(shared_data / "indices" / "india_vix_2012_2026.csv.gz", "rt") as file:
        for row in csv.reader(file):
            if row[0][:1].isdigit():
                vix[datetime.strptime(row[0].title(), "%d-%b-%Y").date()] = float(row[4])  # noqa: DTZ007
    nifty = {}
    with gzip.open(shared_data / "indices" / "nifty50_2015_2025.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            nifty[date.fromisoformat(row["date"])] = float(row["close"])
    scans = {
        date.fromisoformat(row["effective_from"]): float(row["price_scan"])
        for row in parameter_rows("index_scan")
        if row["symbol"] == "NIFTY"
    }

    def scan_on(day):
        return scans[max(known for known in scans if known <= day)]

    spans = {
        "2020-03-23": (date(2020, 3, 20), date(2020, 3, 23), date(2020, 3, 23), date(2020, 3, 24)),
        "2020-03": (date(2020, 2, 20), date(2020, 3, 23), date(2020, 2, 20), date(2020, 3, 24)),
        "2024-06-04": (date(2024, 6, 3), date(2024, 6, 4), date(2024, 6, 4), date(2024, 6, 5)),
    }
    for name, (before, after, scan_before, scan_after) in spans.items():
        shock = _shock(name, INDEX, DAY)
        assert shock.price == pytest.approx(nifty[after] / nifty[before] - 1, abs=5e-4)
        assert shock.volatility == pytest.approx(vix[after] / vix[before], rel=2e-3)
        assert shock.scan == pytest.approx(scan_on(scan_after) / scan_on(scan_before), rel=5e-3)
