"""Prices of one moment recovered from trades of many, on chains whose true values are known."""

import numpy as np
import QuantLib as ql

from strikeloom.exchange.market.one_moment import Options, Series, one_moment
from strikeloom.quant.quoted_width import quoted_width, sides
from support.fakes import ist

MOMENTS = [ist(f"2026-02-10 {at}") for at in ("09:15", "11:20", "13:25", "15:30")]
EXPIRY = np.datetime64("2026-02-24")
SPOT, FORWARD, YEARS = 1400.0, 1404.0, 14 / 365
DISCOUNT = np.exp(-0.065 * YEARS)
STRIKES = np.arange(1200.0, 1601.0, 20.0)


def _price(forward, strike, vol, years, *, call):
    kind = ql.Option.Call if call else ql.Option.Put
    return ql.blackFormula(kind, strike, forward, vol * np.sqrt(years), DISCOUNT)


def _smile(strike, forward, level):
    k = np.log(strike / forward) / (level * np.sqrt(YEARS))
    return level * (1 - 0.06 * k + 0.02 * k * k)


def _chain(*, path=0.98, noise=None, opened_at=0.30, closed_at=0.25, lots=500.0):
    """Opening prices at a level of volatility, settlement prices at another."""
    strike = np.repeat(STRIKES, 2)
    call = np.tile([True, False], len(STRIKES))
    first, rows = FORWARD * path, range(len(strike))
    opened = [
        _price(first, strike[n], _smile(strike[n], first, opened_at), YEARS + 0.26 / 365,
               call=bool(call[n])) for n in rows
    ]  # fmt: skip
    closed = [
        _price(FORWARD, strike[n], _smile(strike[n], FORWARD, closed_at), YEARS, call=bool(call[n]))
        for n in rows
    ]
    opened = np.array(opened) * (1 if noise is None else noise)
    options = Options(
        np.zeros(len(strike), dtype=np.int64), strike, call, opened, np.array(closed),
        np.full(len(strike), lots), np.ones(len(strike), dtype=bool),
        np.full(len(strike), 0.05),
    )  # fmt: skip
    series = Series(
        np.array([0]), np.array([False]), np.array([EXPIRY]), np.array([FORWARD]),
        np.array([SPOT]), np.array([np.nan]), np.array([[path, path, 1.0, 1.0]]),
    )  # fmt: skip
    return options, series


def _parity(options, moment):
    call = options.is_call
    gap = moment.price[call] - moment.price[~call]
    return gap - moment.discount[0] * (moment.forward[0] - options.strike[call])


def test_the_close_is_the_settlement_prices():
    options, series = _chain()
    close = one_moment(options, series, MOMENTS)[-1]
    assert np.allclose(close.price, options.settle, atol=0.02)
    assert abs(close.forward[0] / FORWARD - 1) < 1e-5


def test_the_open_is_the_smile_of_the_first_trades_at_the_level_of_the_open():
    options, series = _chain()
    first = one_moment(options, series, MOMENTS)[0]
    assert abs(first.forward[0] / (FORWARD * 0.98) - 1) < 1e-5
    dear = options.open > 2
    assert np.allclose(first.price[dear], options.open[dear], rtol=0.01)


def test_every_moment_keeps_put_call_parity_exactly():
    options, series = _chain(noise=np.random.default_rng(3).uniform(0.7, 1.4, 2 * len(STRIKES)))
    for moment in one_moment(options, series, MOMENTS):
        assert np.abs(_parity(options, moment)).max() < 1e-8


def test_first_trades_of_another_moment_do_not_bend_the_open():
    """Three options that first traded hours later, at half the price, among forty."""
    noise = np.ones(2 * len(STRIKES))
    noise[[9, 26, 31]] = 0.5
    true, series = _chain()
    options, _ = _chain(noise=noise)
    got = one_moment(options, series, MOMENTS)[0]
    dear = true.open > 5
    off = got.price[dear] / true.open[dear] - 1
    assert np.abs(off).max() < 0.06
    assert np.median(np.abs(off)) < 0.015


def test_the_day_between_goes_from_one_to_the_other():
    options, series = _chain()
    vols = [moment.vol[20] for moment in one_moment(options, series, MOMENTS)]
    assert np.allclose(np.diff(vols), (vols[-1] - vols[0]) / 3)


def test_an_expiring_option_ends_at_its_payoff_and_follows_the_underlying_before():
    options, series = _chain()
    series = series._replace(
        last_day=np.array([np.datetime64("2026-02-10")]), final=np.array([1411.3])
    )
    options = options._replace(open=np.full(len(options.open), np.nan))
    first, *_, close = one_moment(options, series, MOMENTS)
    sign = np.where(options.is_call, 1, -1)
    assert np.allclose(close.price, np.maximum(sign * (1411.3 - options.strike), 0))
    assert first.forward[0] == SPOT * 0.98


def test_without_a_level_at_the_open_there_is_no_price_before_the_close():
    options, series = _chain()
    series = series._replace(bar=np.full((1, 4), np.nan))
    options = options._replace(open=np.full(len(options.open), np.nan))
    *before, close = one_moment(options, series, MOMENTS)
    assert all(np.isnan(moment.price).all() for moment in before)
    assert np.isfinite(close.price).all()


def test_nothing_is_made_of_an_expiry_that_did_not_trade():
    options, series = _chain(lots=0.0)
    options = options._replace(open=np.full(len(options.open), np.nan))
    first, *_, close = one_moment(options, series, MOMENTS)
    assert np.allclose(close.price, options.settle, atol=0.02)  # the exchange's own model
    assert np.isfinite(first.price).all()  # at the volatility of the close, the only one known


def test_widths_are_those_of_the_table():
    price = np.array([0.5, 3.0, 15.0, 150.0, 150.0, np.nan])
    lots = np.array([5, 500, 5_000, 50_000, 5, 5])
    index, stock = np.ones(6, dtype=bool), np.zeros(6, dtype=bool)
    share = quoted_width(price, lots, index) / price * 100
    assert share[:5].round(6).tolist() == [83.3, 10.7, 2.1, 0.5, 7.7]
    share = quoted_width(price, lots, stock) / price * 100
    assert share[:5].round(6).tolist() == [66.7, 5.1, 1.5, 0.5, 4.7]
    assert np.isnan(share[5])


def test_sides_stay_in_the_day_s_range():
    price = np.array([10.0, 10.0, 10.0, 10.0, 10.0, 0.05, np.nan])
    low = np.array([9.0, 9.95, 10.5, 8.0, 10.0, 0.05, 1.0])
    high = np.array([11.0, 12.0, 12.0, 9.0, 10.0, 0.3, 2.0])
    bid, ask = sides(price, np.full(7, 0.3), np.full(7, 0.05), low, high)
    assert np.array_equal(bid, [9.7, 9.95, np.nan, 9.0, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(ask, [10.3, 10.3, 10.5, np.nan, np.nan, 0.3, np.nan], equal_nan=True)
