"""The smile family against the two conditions that make it free of static arbitrage."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from strikeloom.exchange.market.synthetic.smiles import atm_variance, volatility

YEARS = np.array([1, 3, 7, 20, 50, 80, 200]) / 365
vols = st.floats(0.06, 0.9)


def _calls(log_strike, variance):
    """Undiscounted Black calls on a forward of 1, from the textbook formula."""
    deviation = np.sqrt(variance)
    d1 = -log_strike / deviation + deviation / 2
    return norm.cdf(d1) - np.exp(log_strike) * norm.cdf(d1 - deviation)


@given(vols, vols)
def test_no_butterfly_has_a_negative_price(spot_vol, long_vol):
    for years in YEARS:
        theta = atm_variance(spot_vol, long_vol, years)
        strikes = np.linspace(0.4, 2.2, 721)
        vol = volatility(
            np.log(strikes), np.full_like(strikes, theta), np.full_like(strikes, years)
        )
        calls = _calls(np.log(strikes), vol**2 * years)
        second = calls[:-2] - 2 * calls[1:-1] + calls[2:]
        assert second.min() > -1e-12
        slope = np.diff(calls) / np.diff(strikes)
        assert slope.min() >= -1 - 1e-9
        assert slope.max() <= 1e-12


@given(vols, vols)
def test_total_variance_grows_with_time_at_every_moneyness(spot_vol, long_vol):
    moneyness = np.linspace(-0.9, 0.9, 181)
    theta = atm_variance(spot_vol, long_vol, YEARS)
    assert (np.diff(theta) > 0).all()
    total = [
        volatility(moneyness, np.full_like(moneyness, t), np.full_like(moneyness, y)) ** 2 * y
        for t, y in zip(theta, YEARS, strict=True)
    ]
    assert np.diff(np.array(total), axis=0).min() > 0


@given(vols, vols)
def test_variance_at_the_money_is_the_mean_of_a_reverting_one(spot_vol, long_vol):
    """Numerical integral of long^2 + (spot^2 - long^2) exp(-t / 0.25)."""
    steps = np.linspace(0, YEARS[-1], 200_001)
    level = long_vol**2 + (spot_vol**2 - long_vol**2) * np.exp(-steps / 0.25)
    assert np.isclose(atm_variance(spot_vol, long_vol, YEARS[-1]), np.trapezoid(level, steps))


def test_puts_are_dearer_than_calls_the_same_way_out():
    theta, years = np.full(2, 0.2**2 * 30 / 365), np.full(2, 30 / 365)
    down, up = volatility(np.array([-0.08, 0.08]), theta, years)
    assert down > up
    assert volatility(np.array([0.0]), np.array([0.01]), np.array([0.0]))[0] == 0.0
