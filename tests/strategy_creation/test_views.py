"""Votes on direction and volatility, from figures whose sign is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from strikeloom.domain.market import Evidence, Topic, VolatilityOutlook, mean_vote
from strikeloom.strategy_creation.bars import DailyBars
from strikeloom.strategy_creation.evidence import day_skew, finite, read_prices
from strikeloom.strategy_creation.richness import (
    AGAINST_FORECAST,
    MarketVolatility,
    OwnVolatility,
    on_volatility,
    outlook,
    profile,
)

NAN = float("nan")
NO_MARKET = MarketVolatility(NAN, NAN, NAN)


def _bars(closes):
    close = np.array(closes)
    names = ("INDEX", *(f"S{number}" for number in range(1, len(closes))))
    place = {name: row for row, name in enumerate(names)}
    days = np.tile(np.arange(close.shape[1]).astype("datetime64[D]"), (len(close), 1))
    return DailyBars(place, days, close, close * 1.002, close * 0.998, close)


def _walks(count, sessions=90):
    draw = np.random.default_rng(3)
    market = 0.01 * draw.normal(size=sessions)
    return market, 0.008 * draw.normal(size=(count, sessions))


def test_what_beats_its_market_and_its_sector_votes_for_a_rise():
    market, rest = _walks(5)
    rest[0, -20:] += 0.006  # S1 goes ahead of the index and of its peers
    closes = 100 * np.exp(np.cumsum(np.vstack([market, 1.2 * market + rest]), axis=1))
    sectors = dict.fromkeys((f"S{n}" for n in range(1, 6)), "Steel")
    found = read_prices(_bars(closes), "INDEX", sectors, 20)
    assert found.beta[1:] == pytest.approx(1.2, abs=0.3)
    assert found.beyond_market[1] == max(found.beyond_market[1:]) > 2
    assert found.beyond_sector[1] == max(found.beyond_sector[1:]) > 2
    assert np.isnan(found.beyond_market[0])  # the index is not beyond itself
    assert np.isnan(found.beyond_sector[0])  # and has no sector


def test_an_index_without_a_session_is_compared_over_its_own_days():
    market, rest = _walks(1)
    closes = 100 * np.exp(np.cumsum(np.vstack([market, 1.2 * market + rest]), axis=1))
    whole = _bars(closes)
    found = read_prices(_without(whole, 0, 82), "INDEX", {}, 20)
    # by hand: what both did from day 81 to day 83 is one return
    both = np.diff(np.log(np.delete(closes, 82, axis=1)), axis=1)[:, -60:]
    line = np.polyfit(both[0], both[1], 1)
    assert found.beta[1] == pytest.approx(line[0])
    left = both[1] - np.polyval(line, both[0])
    beyond = (both[1] - line[0] * both[0])[-20:].sum()
    deviation = np.sqrt((left**2).sum() / 58 * 20)
    assert found.beyond_market[1] == pytest.approx(beyond / deviation)


def test_an_index_without_the_day_itself_is_compared_with_nothing():
    market, rest = _walks(1)
    closes = 100 * np.exp(np.cumsum(np.vstack([market, 1.2 * market + rest]), axis=1))
    found = read_prices(_without(_bars(closes), 0, 89), "INDEX", {}, 20)
    assert np.isnan(found.beyond_market).all()
    assert np.isfinite(found.momentum).all()


def _without(bars, row, day):
    """Bars of which one symbol lacks a day: its earlier ones move up to it."""
    sides = []
    for side in bars[1:]:
        moved = side.copy()
        missing = np.datetime64("NaT") if side.dtype.kind == "M" else NAN
        moved[row] = np.concatenate(([missing], np.delete(side[row], day)))
        sides.append(moved)
    return DailyBars(bars.place, *sides)


def test_a_market_without_an_index_and_a_sector_of_three_have_no_comparison():
    market, rest = _walks(3)
    closes = 100 * np.exp(np.cumsum(np.vstack([market, market + rest]), axis=1))
    found = read_prices(_bars(closes), None, dict.fromkeys(("S1", "S2", "S3"), "Steel"), 20)
    assert np.isnan(found.beyond_market).all()
    assert np.isnan(found.beyond_sector).all()  # two others are too few
    assert np.isfinite(found.place).all()


def test_each_topic_counts_once_and_what_is_missing_is_absent():
    found = finite(
        [(Topic.TREND, "a", 1.0, 0.9), (Topic.TREND, "b", 1.0, 0.7), (Topic.TREND, "c", 1.0, 5.0),
         (Topic.OPTIONS, "d", 1.0, -0.2), (Topic.STRENGTH, "e", NAN, 0.3),
         (Topic.STRENGTH, "f", 2.0, NAN)]
    )  # fmt: skip
    assert [item.name for item in found] == ["a", "b", "c", "d"]
    assert mean_vote(found) == pytest.approx(((0.9 + 0.7 + 1.0) / 3 - 0.2) / 2)


def test_the_usual_skew_needs_ten_symbols():
    assert np.isnan(day_skew(np.array([0.01] * 9 + [NAN]))).all()
    middle, spread = day_skew(np.array([-0.02, -0.01, 0.0, 0.01, 0.02] * 2))
    assert (middle, spread) == (0.0, pytest.approx(1.4826 * 0.01))


def _chain(implied, forecast, percentile=None):
    rank = SimpleNamespace(percentile=percentile, regime="NORMAL")
    root = 0.1**0.5  # of the years to expiry
    variance = None if forecast is None else (forecast * root) ** 2
    return SimpleNamespace(
        front=SimpleNamespace(deviation=implied * root, forecast=variance), rank=rank
    )


@pytest.mark.parametrize(
    ("implied", "expected"),
    [
        (0.29, VolatilityOutlook.RICH),
        (0.20, VolatilityOutlook.FAIR),
        (0.14, VolatilityOutlook.CHEAP),
    ],
)
def test_volatility_is_rich_or_cheap_beside_its_forecast(implied, expected):
    evidence = on_volatility(
        _chain(implied, 0.20), OwnVolatility(NAN, NAN, NAN, NAN, NAN), NO_MARKET
    )
    (item,) = evidence
    assert item == Evidence(
        AGAINST_FORECAST,
        pytest.approx(implied / 0.20),
        pytest.approx(np.log(implied / 0.2) / 0.4),
        Topic.VOLATILITY,
    )
    assert outlook(evidence, 0.2)[0] is expected


def test_without_a_forecast_there_is_no_outlook():
    own = OwnVolatility(0.2, 0.01, 0.3, 0.2, 0.5)
    evidence = on_volatility(_chain(0.2, None, 90.0), own, NO_MARKET)
    assert len(evidence) == 3  # percentile, term structure, realised
    assert outlook(evidence, 0.2) == (None, None)


def test_signs_of_the_votes_on_volatility():
    own = OwnVolatility(0.2, -0.02, 0.15, 0.2, 0.5)
    market = MarketVolatility(15.0, 95.0, -0.2)
    votes = {item.name: item.vote for item in on_volatility(_chain(0.2, 0.2, 90.0), own, market)}
    # a falling term structure, a calm fortnight, a high percentile: options are dear
    assert votes["term structure, 60 less 30 days"] == pytest.approx(0.1 / 0.15)
    assert votes["realised volatility, 10 over 60 days"] > 0.5
    assert votes["percentile of volatility (NORMAL)"] == pytest.approx(0.8)
    assert votes["market's volatility index, percentile"] == pytest.approx(0.9)
    assert votes["market's volatility index, change of 5 days"] == pytest.approx(0.5)


def test_profiles_are_shares_of_the_day():
    shares = (0.1, 0.5, 0.9, 0.99, NAN)
    names = [profile(OwnVolatility(NAN, NAN, NAN, NAN, share)) for share in shares]
    assert names == ["calm", "usual", "lively", "wild", ""]
