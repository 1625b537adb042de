"""Smiles, flow and technical indicators of the stage, from chains and prices of the day."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom import strategy_creation as creation
from strikeloom.desk import open_desk
from strikeloom.ports.desk import Desk
from strikeloom.quant.black76 import price
from strikeloom.quant.forecast import fit_har, har_forecast
from strikeloom.quant.realised import daily_variance
from strikeloom.strategy_creation.bars import DailyBars, forecast_variance
from strikeloom.strategy_creation.flow import Flow, read_flow


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKELOOM_HOME", str(tmp_path_factory.mktemp("home")))
        return open_desk("synthetic", stage="strategy-creation")


def _rows(forward: float, years: float, vol: float) -> pd.DataFrame:
    strikes = forward * np.exp(np.linspace(-0.2, 0.2, 17))
    both = [(strike, right) for strike in strikes for right in ("CE", "PE")]
    frame = pd.DataFrame(both, columns=["strike", "right"])
    is_call = (frame["right"] == "CE").to_numpy()
    k = np.log(frame["strike"].to_numpy() / forward)
    smile = vol * (1 - 0.4 * k)
    discount = np.exp(-0.065 * years)
    frame["close"] = price(forward, frame["strike"].to_numpy(), years, smile, is_call, discount)
    frame["settle"] = frame["close"]
    frame["lots_traded"], frame["lot_size"], frame["open_interest"] = 500, 10, 1000
    return frame


def _flow(chains: list[pd.DataFrame], forward: list[float]) -> list[Flow]:
    chain = np.repeat(np.arange(len(chains)), [len(rows) for rows in chains])
    return read_flow(pd.concat(chains), chain, np.array(forward))


def test_flow_of_two_chains_equals_each_alone() -> None:
    first, second = _rows(100.0, 0.1, 0.3), _rows(200.0, 0.1, 0.3)
    first.loc[first["right"] == "PE", "open_interest"] = 3000
    first.loc[4, "open_interest"] = 90_000
    second.loc[second["right"] == "PE", "lots_traded"] = 250
    both = _flow([first, second], [100.0, 200.0])
    alone = [*_flow([first], [100.0]), *_flow([second], [200.0])]
    # two chains have no usual level: NaN, which equals nothing
    for found, own in zip(both, alone, strict=True):
        np.testing.assert_equal(asdict(found), asdict(own))
        assert np.isnan([found.usual_interest, found.usual_volume]).all()
    many = _flow([first] * 6 + [second] * 5, [100.0] * 6 + [200.0] * 5)
    assert many[0].usual_interest == both[0].put_call_interest
    assert many[0].usual_volume == 1.0
    assert both[0].put_call_interest == pytest.approx(17 * 3000 / (16 * 1000 + 90_000))
    assert both[0].call_wall == first.loc[4, "strike"]
    assert both[1].put_call_volume == pytest.approx(0.5)
    assert read_flow(first[:0], np.array([], dtype=np.int64), np.array([])) == []


def test_views_list_their_evidence_and_missing_evidence_is_absent(desk: Desk) -> None:
    loaded = creation.load_chains(desk)
    views, refused = creation.form_views(desk, loaded, keep=False)
    assert not refused
    first = desk.day - timedelta(days=130)
    symbol = next(iter(views))
    bars = desk.history.as_of(desk.day).prices(first, desk.day, symbols=[symbol])
    bars = bars.dropna(subset="close")
    evidence = {item.name: item for item in views[symbol].evidence}
    close = bars["close"].to_numpy()
    name = "relative strength, 14 days"
    if len(close) > 14:
        assert evidence[name].value == pytest.approx(talib.RSI(close, 14)[-1])
    else:
        assert name not in evidence
    for view in views.values():
        names = [item.name for item in view.evidence]
        assert len(set(names)) == len(names)
        assert "put-call ratio of open interest, to the day's median" in names
        assert all(np.isfinite([item.value, item.vote]).all() for item in view.evidence)
        votes = pd.DataFrame([asdict(item) for item in view.on_direction])
        assert view.strength == pytest.approx(abs(votes.groupby("topic")["vote"].mean().mean()))
        assert (view.volatility is None) == ("volatility over its forecast" not in names)


def test_a_forecast_is_the_pooled_fit_over_the_remaining_sessions() -> None:
    draw = np.random.default_rng(4)
    shape = (12, 90)
    close = 100 * np.exp(np.cumsum(0.01 * draw.normal(size=shape), axis=1))
    first = close * np.exp(0.002 * draw.normal(size=shape))
    high = np.maximum(first, close) * 1.004
    low = np.minimum(first, close) / 1.004
    low[1, -5] = np.nan
    names = [f"S{i}" for i in range(12)]
    days = np.tile(np.arange(90).astype("datetime64[D]"), (12, 1))
    bars = DailyBars({name: i for i, name in enumerate(names)}, days, first, high, low, close)
    left = dict.fromkeys(names, 10) | {"S2": 4, "S3": 0}
    found = forecast_variance(bars, left)
    assert set(found) == set(names) - {"S1", "S3"}
    daily = daily_variance(first, high, low, close)
    for name, ahead in (("S0", 10), ("S2", 4)):
        expected = har_forecast(fit_har(daily, ahead), daily)[bars.place[name]]
        assert found[name] == pytest.approx(ahead * expected)
    young = DailyBars(bars.place, *(side[:, -25:] for side in bars[1:]))
    assert forecast_variance(young, left) == {}


@given(interest=st.lists(st.integers(0, 3), min_size=34, max_size=34))
@settings(max_examples=40, deadline=None)
def test_flow_never_makes_up_a_number(interest: list[int]) -> None:
    rows = _rows(100.0, 0.1, 0.3)
    rows["open_interest"] = interest
    (flow,) = _flow([rows], [100.0])
    calls = int(rows.loc[rows["right"] == "CE", "open_interest"].sum())
    puts = int(rows.loc[rows["right"] == "PE", "open_interest"].sum())
    assert np.isnan(flow.put_call_interest) == (calls == 0)
    assert np.isnan(flow.call_wall) == (calls == 0)
    assert np.isnan(flow.put_wall) == (puts == 0)
    assert np.isnan(flow.max_pain) == (calls == 0 or puts == 0)
