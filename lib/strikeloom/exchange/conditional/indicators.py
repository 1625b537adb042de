"""Indicators that alerts compare, from the candles that the market shows. Closes in rupees.

Names and lengths as the broker's: SMA and EMA of n candles; Bollinger bands of 20 candles and two
standard deviations; RSI and ATR of 14 in Wilder's smoothing; stochastic %K of 14; MACD's long (26)
and short (12) averages and its histogram with a signal of 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from strikeloom.errors import DataError
from strikeloom.exchange.conditional.condition import (
    FRAMES,
    PRICE,
    WITH_CLOSE,
    WITH_INDICATOR,
    Condition,
)
from strikeloom.exchange.conditional.daily_candles import DailyCandles
from strikeloom.exchange.market.candles import Candles
from strikeloom.ports.feed import MarketFeed

Floats = npt.NDArray[np.float64]

INDICATORS = (
    *(f"{kind}_{n}" for kind in ("SMA", "EMA") for n in (5, 10, 20, 50, 100, 200)),
    "BB_UPPER", "BB_LOWER", "RSI_14", "ATR_14", "STOCHASTIC", "STOCHRSI_14", "MACD_26",
    "MACD_12", "MACD_HIST",
)  # fmt: skip


@runtime_checkable
class ChartedFeed(Protocol):
    """A feed with candles of the day."""

    def bars(self, key_or_symbol: str, minutes: int) -> Candles:
        """Candles of the day up to now."""
        ...


def figures(
    feed: MarketFeed, watch: Condition, days: DailyCandles | None, today: date
) -> tuple[float, float, float]:
    """Both sides of a condition, and the level in rupees.

    Parameters
    ----------
    days : DailyCandles or None
        Candles of whole days, where they are known.

    Raises
    ------
    NoQuote
        When the level is not known.
    DataError
        When there are too few candles, or none of that length.
    """
    level = feed.spot(watch.symbol)[0]
    last = level / 100
    if watch.comparison == PRICE:
        return last, _value(watch), last
    minutes = FRAMES[watch.frame]
    charted = feed if isinstance(feed, ChartedFeed) else None
    if not minutes and days is not None:
        so_far = charted.bars(watch.symbol, 5) if charted else None
        bars = days.bars(watch.symbol, today, so_far, level)
    elif minutes and charted:
        bars = charted.bars(watch.symbol, minutes)
    else:
        raise DataError(f"no candles of {watch.frame} are known for {watch.symbol}")
    left = _known(watch.indicator, bars)
    if watch.comparison == WITH_INDICATOR:
        return left, _known(watch.other, bars), last
    if watch.comparison == WITH_CLOSE:
        return left, float(bars.close[-1]) / 100, last
    return left, _value(watch), last


def _known(name: str, bars: Candles) -> float:
    found = indicator(name, bars)
    if not math.isfinite(found):
        raise DataError(f"{name} has no value: prices of some candles are not known")
    return found


def _value(watch: Condition) -> float:
    if watch.value is None:
        raise DataError(f"the condition on {watch.symbol} has no value to compare with")
    return watch.value


def indicator(name: str, bars: Candles) -> float:
    """Value of an indicator at the last candle.

    Raises
    ------
    DataError
        When there are fewer candles than it needs, or its name is unknown.
    """
    high, low, close = (
        np.asarray(side, dtype=np.float64) / 100 for side in (bars.high, bars.low, bars.close)
    )
    kind, _, length = name.partition("_")
    if name not in INDICATORS:
        raise DataError(f"{name} is no indicator that is known")
    if kind == "SMA":
        return float(_last(close, int(length), name).mean())
    if kind == "EMA" or length in ("26", "12"):
        return float(_ema(close, int(length), name)[-1])
    return _OTHERS[name](high, low, close)


def _last(values: Floats, n: int, name: str) -> Floats:
    if len(values) < n:
        raise DataError(f"{name} needs {n} candles, {len(values)} are known")
    return values[-n:]


def _ema(values: Floats, n: int, name: str) -> Floats:
    """Exponential averages from the n-th value on, begun with the plain mean of the first n."""
    _last(values, n, name)
    found = [float(values[:n].mean())]
    for value in values[n:]:
        found.append(found[-1] + (float(value) - found[-1]) * 2 / (n + 1))
    return np.array(found)


def _wilder(values: Floats, n: int) -> Floats:
    found = [float(values[:n].mean())]
    for value in values[n:]:
        found.append((found[-1] * (n - 1) + float(value)) / n)
    return np.array(found)


def _rsi(close: Floats, name: str) -> Floats:
    _last(close, 15, name)
    moves = np.diff(close)
    gains, losses = _wilder(moves.clip(min=0), 14), _wilder((-moves).clip(min=0), 14)
    total = gains + losses
    if not total[-1]:
        raise DataError(f"{name}: nothing has moved, so it has no value")
    # a close that is not known makes NaN of every value after it
    return np.asarray(100 * gains / np.where(total == 0, np.nan, total))


def _band(close: Floats, widths: float) -> float:
    part = _last(close, 20, "BB")
    return float(part.mean()) + widths * float(part.std())


def _histogram(close: Floats) -> float:
    longer = _ema(close, 26, "MACD_HIST")
    macd = _ema(close, 12, "MACD_HIST")[-len(longer) :] - longer
    return float(macd[-1] - _ema(macd, 9, "MACD_HIST")[-1])


def _range(high: Floats, low: Floats, close: Floats) -> float:
    _last(close, 15, "ATR_14")
    before = close[:-1]
    ranges = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return float(_wilder(ranges, 14)[-1])


def _stochastic(high: Floats, low: Floats, close: Floats) -> float:
    _last(close, 14, "STOCHASTIC")
    return _position_in_range(close[-1], low[-14:], high[-14:], "STOCHASTIC")


def _stochastic_rsi(close: Floats) -> float:
    part = _last(_rsi(close, "STOCHRSI_14"), 14, "STOCHRSI_14")
    return _position_in_range(part[-1], part, part, "STOCHRSI_14")


def _position_in_range(value: float, low: Floats, high: Floats, name: str) -> float:
    """Where a value lies between the lowest and the highest, in percent."""
    bottom, top = float(low.min()), float(high.max())
    if top <= bottom:
        raise DataError(f"{name}: nothing has moved, so it has no value")
    return 100 * (float(value) - bottom) / (top - bottom)


#: By name, of highs, lows and closes.
_OTHERS: dict[str, Callable[[Floats, Floats, Floats], float]] = {
    "BB_UPPER": lambda _high, _low, close: _band(close, 2.0),
    "BB_LOWER": lambda _high, _low, close: _band(close, -2.0),
    "RSI_14": lambda _high, _low, close: float(_rsi(close, "RSI_14")[-1]),
    "ATR_14": _range,
    "STOCHASTIC": _stochastic,
    "STOCHRSI_14": lambda _high, _low, close: _stochastic_rsi(close),
    "MACD_HIST": lambda _high, _low, close: _histogram(close),
}
