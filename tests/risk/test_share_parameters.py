"""Margin rates of shares beside what exchanges, brokers and the regulator published."""

from datetime import date
from importlib.resources import files

import pytest

from strikeloom.errors import DataError
from strikeloom.risk.parameters import parameter_rows
from strikeloom.risk.share_parameters import (
    base_sigma,
    intraday_margin_rate,
    share_margin_rate,
)

DAY = date(2026, 4, 2)
CALM = 0.01


@pytest.mark.parametrize("table", ["delivery", "share", "upfront"])
def test_every_parameter_has_its_date_and_its_source(table):
    rows = parameter_rows(table)
    assert rows
    facts = {tuple(value for key, value in row.items() if key != "source") for row in rows}
    assert len(facts) == len(rows)
    for row in rows:
        assert date(2000, 1, 1) <= date.fromisoformat(row["effective_from"]) <= date(2026, 12, 31)
        assert row["source"].strip()
        assert None not in row
        assert None not in row.values()
    assert files("strikeloom.risk.data").joinpath(f"{table}.csv").is_file()


# BSE's list of VaR and extreme-loss margins of 2024-11-21: rate and sum in percent. Its volatility
# is not printed; above the minimum it is a sixth of the rate.
@pytest.mark.parametrize(
    ("symbol", "rate", "whole"),
    [
        ("RELIANCE", 9.00, 12.50),
        ("ITC", 9.00, 12.50),
        ("INFY", 9.22, 12.72),
        ("BAJFINANCE", 10.32, 13.82),
        ("SBIN", 11.25, 14.75),
        ("INDUSINDBK", 13.86, 17.36),
    ],
)
def test_the_margin_of_a_share_is_risk_and_extreme_loss(symbol, rate, whole):
    assert share_margin_rate(rate / 600, date(2024, 11, 21)) * 100 == pytest.approx(whole)
    if rate == 9.00:
        assert share_margin_rate(CALM, date(2024, 11, 21)) * 100 == pytest.approx(whole), symbol


def test_the_margin_of_a_share_before_june_2020():
    """NSE/CMPT/6122: 3.5 deviations, at least 7.5 %, and 5 % or 1.5 deviations."""
    assert share_margin_rate(CALM, date(2020, 5, 31)) == pytest.approx(0.125)
    assert share_margin_rate(0.04, date(2020, 5, 31)) == pytest.approx(0.14 + 0.06)
    assert share_margin_rate(0.04, date(2020, 6, 1)) == pytest.approx(0.24 + 0.035)


def test_no_share_needs_more_than_its_value():
    assert share_margin_rate(0.5, DAY) == 1.0


def test_an_intraday_order_needs_a_fifth_of_its_value_at_least():
    """Dhan's risk policy: Rs 50,000 buys Rs 2 lakh of a share with 25 %, and 2.5 lakh at most."""
    assert 50_000 / intraday_margin_rate(0.215 / 6, DAY) == pytest.approx(200_000)
    assert 50_000 / intraday_margin_rate(CALM, DAY) == pytest.approx(250_000)
    assert intraday_margin_rate(base_sigma(DAY), DAY) == 0.2  # of a share whose own is not known


# fyers.in, notices of 2020-11-30, 2021-05-31 and 2021-08-31: leverage on 20 % at most
@pytest.mark.parametrize(
    ("day", "leverage"),
    [
        (date(2020, 12, 1), 20),
        (date(2021, 3, 1), 10),
        (date(2021, 6, 1), 6.67),
        (date(2021, 8, 31), 6.67),
        (date(2021, 9, 1), 5),
    ],
)
def test_the_peak_margin_came_in_four_phases(day, leverage):
    assert 1 / intraday_margin_rate(CALM, day) == pytest.approx(leverage, rel=0.001)


def test_a_day_without_a_rule_is_refused():
    with pytest.raises(DataError, match="margin of shares is not known"):
        share_margin_rate(CALM, date(2005, 5, 29))


@pytest.mark.parametrize("sigma", [0.0, -0.01, float("nan"), float("inf")])
def test_a_deviation_is_a_positive_number(sigma):
    with pytest.raises(DataError, match="needs a positive number"):
        share_margin_rate(sigma, DAY)
