"""Indicators against published worked examples and against pandas."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from strikeloom.errors import DataError
from strikeloom.exchange.conditional.condition import Condition
from strikeloom.exchange.conditional.daily_candles import DailyCandles
from strikeloom.exchange.conditional.indicators import INDICATORS, figures, indicator
from strikeloom.exchange.market.candles import Candles

# StockCharts ChartSchool, "Relative Strength Index" and "Moving Averages": closes and results
RSI_CLOSES = (
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826,
    45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439,
    46.2122,
)  # fmt: skip
RSI = (70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93)
EMA_CLOSES = (
    22.27, 22.19, 22.08, 22.17, 22.18, 22.13, 22.23, 22.43, 22.24, 22.29, 22.15, 22.39, 22.38,
    22.61, 23.36,
)  # fmt: skip
EMA = (22.22, 22.21, 22.24, 22.27, 22.33, 22.52)


def bars(close, high=None, low=None):
    """Candles; prices in rupees, kept in paise."""
    close, high, low = (
        np.asarray(close if side is None else side) * 100 for side in (close, high, low)
    )
    nothing = np.zeros(len(close), np.int64)
    return Candles([None] * len(close), close, high, low, close, nothing, nothing)


@pytest.mark.parametrize("n", range(len(RSI)))
def test_relative_strength_as_published(n):
    assert indicator("RSI_14", bars(RSI_CLOSES[: 15 + n])) == pytest.approx(RSI[n], abs=0.006)


@pytest.mark.parametrize("n", range(len(EMA)))
def test_exponential_average_as_published(n):
    assert indicator("EMA_10", bars(EMA_CLOSES[: 10 + n])) == pytest.approx(EMA[n], abs=0.006)


@pytest.fixture
def walk():
    draw = np.random.default_rng(3)
    close = pd.Series(1000 + draw.normal(0, 2, 260).cumsum())
    return close, close + draw.uniform(0, 3, 260), close - draw.uniform(0, 3, 260)


def ema(series, n):
    begun = pd.concat([pd.Series([series[:n].mean()]), series[n:]], ignore_index=True)
    return begun.ewm(span=n, adjust=False).mean()


def wilder(series, n):
    begun = pd.concat([pd.Series([series[:n].mean()]), series[n:]], ignore_index=True)
    return begun.ewm(alpha=1 / n, adjust=False).mean()


def expected(name, close, high, low):
    kind, _, n = name.partition("_")
    mid, spread = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    macd = (ema(close, 12)[14:].reset_index(drop=True) - ema(close, 26)).reset_index(drop=True)
    change = close.diff()[1:].reset_index(drop=True)
    up, down = wilder(change.clip(lower=0), 14), wilder((-change).clip(lower=0), 14)
    rsi = 100 - 100 / (1 + up / down)
    before = close.shift()
    true = pd.concat([high - low, (high - before).abs(), (low - before).abs()], axis=1).max(axis=1)
    last = {
        "BB_UPPER": mid + 2 * spread,
        "BB_LOWER": mid - 2 * spread,
        "RSI_14": rsi,
        "ATR_14": wilder(true[1:].reset_index(drop=True), 14),
        "STOCHASTIC": 100 * (close - low.rolling(14).min())
        / (high.rolling(14).max() - low.rolling(14).min()),
        "STOCHRSI_14": 100 * (rsi - rsi.rolling(14).min())
        / (rsi.rolling(14).max() - rsi.rolling(14).min()),
    }  # fmt: skip
    if name == "MACD_HIST":
        return macd.iloc[-1] - ema(macd, 9).iloc[-1]
    if kind == "SMA":
        return close.rolling(int(n)).mean().iloc[-1]
    if kind == "EMA" or n in ("12", "26"):
        return ema(close, int(n)).iloc[-1]
    return last[name].iloc[-1]


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_as_pandas_has_it(walk, name):
    assert indicator(name, bars(*walk)) == pytest.approx(expected(name, *walk), rel=1e-9)


@pytest.mark.parametrize("name", INDICATORS)
def test_too_few_candles_are_no_value(name):
    with pytest.raises(DataError, match="needs"):
        indicator(name, bars([100.0, 101.0, 100.5]))


def test_an_indicator_without_a_value_is_an_error():
    with pytest.raises(DataError, match="no indicator"):
        indicator("SMA_7", bars(RSI_CLOSES))
    with pytest.raises(DataError, match="nothing has moved"):
        indicator("STOCHASTIC", bars([100.0] * 20))


@pytest.mark.parametrize("name", ["RSI_14", "STOCHRSI_14", "STOCHASTIC"])
def test_a_price_that_has_not_moved_has_no_strength(name):
    """No gain over no loss is undefined; a half would look like a measurement."""
    with pytest.raises(DataError, match="nothing has moved"):
        indicator(name, bars([100.0] * 40))


@pytest.mark.parametrize("name", [n for n in INDICATORS if n.rpartition("_")[2] != "5"])
def test_an_indicator_over_a_missing_close_has_no_value(walk, name):
    """A gap is never bridged; the stochastic reads highs and lows, and the last close only."""
    close, high, low = (side.copy() for side in walk)
    close.iloc[-6] = np.nan
    assert np.isnan(indicator(name, bars(close, high, low))) == (name != "STOCHASTIC")


class Charted:
    """A level, and candles of the minute."""

    def spot(self, _symbol):
        return 22_50, None

    def bars(self, _symbol, minutes):
        return bars(EMA_CLOSES) if minutes in (1, 5) else bars([])


@pytest.mark.parametrize(
    ("comparison", "fields", "left", "right"),
    [
        ("PRICE_WITH_VALUE", {"value": 25.0}, 22.50, 25.0),
        ("TECHNICAL_WITH_VALUE", {"value": 22.0}, 22.52, 22.0),
        ("TECHNICAL_WITH_CLOSE", {}, 22.52, 23.36),
        ("TECHNICAL_WITH_INDICATOR", {"other": "SMA_5"}, 22.52, 22.578),
    ],
)
def test_both_sides_of_a_condition(comparison, fields, left, right):
    watch = Condition(
        comparison, "IDX_I", "13", "NIFTY", "EQUAL", indicator="EMA_10", frame="ONE_MIN", **fields
    )
    found = figures(Charted(), watch, None, date(2026, 2, 11))
    assert found == (pytest.approx(left, abs=0.006), pytest.approx(right, abs=1e-9), 22.50)


class Stored:
    """A history of one symbol, as it was at the end of the day that is asked for."""

    reads = 0

    def as_of(self, day):
        self.reads += 1
        days = pd.bdate_range("2026-01-01", day)
        close = np.arange(100.0, 100.0 + len(days))
        known = {"open": close, "high": close + 1, "low": close - 1, "close": close}
        frame = pd.DataFrame({"symbol": "NIFTY", "day": days, **known})
        if self.reads > 1:
            frame.loc[len(frame) - 3 :, ["open", "high", "low"]] = np.nan
        return SimpleNamespace(prices=lambda *_, **__: frame)


def test_days_are_those_of_the_history_and_today_so_far():
    days, today = DailyCandles(Stored()), date(2026, 2, 11)  # 29 sessions before, closes 100 to 128
    watch = Condition(
        "TECHNICAL_WITH_CLOSE", "IDX_I", "13", "NIFTY", "EQUAL", indicator="SMA_5", frame="DAY"
    )
    mean = (125 + 126 + 127 + 128 + 22.5) / 5
    assert figures(Charted(), watch, days, today) == (pytest.approx(mean), 22.5, 22.5)
    place = Condition(
        "TECHNICAL_WITH_VALUE", "IDX_I", "13", "NIFTY", "EQUAL", 50.0, "STOCHASTIC", frame="DAY"
    )
    # today's candles go from 22.08 to 23.36, the thirteen days before them from 115 to 129
    expected_place = 100 * (22.5 - 22.08) / (129 - 22.08)
    assert figures(Charted(), place, days, today)[0] == pytest.approx(expected_place)
    levels_alone = date(2026, 2, 12)
    with pytest.raises(DataError, match="not known"):
        figures(Charted(), place, days, levels_alone)
    with pytest.raises(DataError, match="no candles of DAY"):
        figures(Charted(), place, None, today)
