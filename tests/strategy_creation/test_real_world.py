"""The real-world density of chains: nothing of the future, one read, width and shape."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.sessions import trading_days
from strikeloom.ports.desk import Desk
from strikeloom.quant.probability.past_moves import (
    LEVELS,
    PastMoves,
    no_moves,
    past_moves,
    standardised,
)
from strikeloom.quant.smile.curves import Curves
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.chain import ChainExpiry
from strikeloom.strategy_creation.index_history import IndexHistory, read_index_history
from strikeloom.strategy_creation.real_world import expiry_densities

DAY = date(2025, 6, 30)


def _rows(days: list[date], seed: int = 3) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    level = 20_000 * np.exp(np.cumsum(0.008 * draw.normal(size=len(days))))
    vix = 14 + 3 * np.sin(np.arange(len(days)) / 30)
    frames = [
        pd.DataFrame({"day": pd.to_datetime(days), "index": name, "publisher": "nse", **sides})
        for name, sides in (
            ("NIFTY", dict.fromkeys(("open", "high", "low", "close"), level.round(2))),
            ("INDIAVIX", dict.fromkeys(("open", "high", "low", "close"), vix.round(2))),
        )
    ]
    return pd.concat(frames, ignore_index=True).astype({"day": "datetime64[s]"})


def _desk(history: ParquetHistory, day: date = DAY) -> Desk:
    return cast(Desk, SimpleNamespace(history=history, day=day, settings=load_settings()))


def _stored(folder: Path, frame: pd.DataFrame) -> ParquetHistory:
    history = ParquetHistory(folder, "nse")
    history.write("indices", frame, source="test")
    return history


def test_rows_after_the_day_change_nothing(tmp_path: Path) -> None:
    """With the days that follow left out, and with those days poisoned."""
    days = trading_days(date(2024, 1, 1), date(2025, 9, 30))
    frame = _rows(days)
    later = frame["day"] > pd.Timestamp(DAY)
    poisoned = frame.copy()
    poisoned.loc[later, ["open", "high", "low", "close"]] *= 3
    found = [
        read_index_history(_desk(_stored(tmp_path / name, rows)))
        for name, rows in (("all", frame), ("cut", frame[~later]), ("poisoned", poisoned))
    ]
    until = len(trading_days(date(2024, 1, 1), DAY))
    for sessions in (1, 5, 10):
        pasts = [item.over(sessions) for item in found]
        assert pasts[0].windows == (until - sessions) // sessions
        for other in pasts[1:]:
            np.testing.assert_array_equal(pasts[0].knots, other.knots)
            assert other.windows == pasts[0].windows


def test_the_newest_window_ends_on_the_day(tmp_path: Path) -> None:
    days = trading_days(date(2024, 1, 1), DAY)
    frame = _rows(days)
    last = frame["day"] == pd.Timestamp(DAY)
    crash = frame.copy()
    crash.loc[last & (crash["index"] == "NIFTY"), "close"] *= 0.5
    pasts = [
        read_index_history(_desk(_stored(tmp_path / name, rows))).over(5)
        for name, rows in (("calm", frame), ("crash", crash))
    ]
    assert pasts[1].knots[0] < 3 * pasts[0].knots[0]


def test_a_missing_session_ends_no_window(tmp_path: Path) -> None:
    """Windows are of the exchange's sessions, not of rows that follow each other."""
    days = trading_days(date(2024, 1, 1), DAY)
    gap = [day for day in days if not date(2024, 6, 1) <= day <= date(2024, 8, 31)]
    level = np.exp(np.arange(len(days)) * 0.01)
    frame = _rows(days)
    frame.loc[frame["index"] == "NIFTY", "close"] = np.round(1_000 * level, 2)
    frame.loc[frame["index"] == "INDIAVIX", "close"] = 16.0
    kept = frame[frame["day"].dt.date.isin(gap)]
    past = read_index_history(_desk(_stored(tmp_path / "gap", kept))).over(1)
    assert past.windows == len(gap) - 2
    np.testing.assert_allclose(past.knots, 0, atol=1e-2)  # every move is of one session


def test_another_publisher_counts_only_where_the_exchange_has_nothing(tmp_path: Path) -> None:
    days = trading_days(date(2024, 1, 1), DAY)
    frame = _rows(days)
    other = _rows(days, seed=8).assign(publisher="yahoo")
    half = frame["day"] < pd.Timestamp("2024-09-01")
    history = read_index_history(
        _desk(_stored(tmp_path / "two", pd.concat([other, frame[half]], ignore_index=True)))
    )
    wanted = pd.concat([frame[half], other[~half]])
    close = wanted[wanted["index"] == "NIFTY"]["close"].to_numpy()
    np.testing.assert_array_equal(history.level[-len(days) :], close)


def test_levels_are_read_once_for_all_chains(tmp_path: Path) -> None:
    history = read_index_history(
        _desk(_stored(tmp_path / "one", _rows(trading_days(date(2024, 1, 1), DAY))))
    )
    assert history.over(5) is history.over(5)


def test_without_an_index_there_is_no_past(tmp_path: Path) -> None:
    days = trading_days(date(2025, 1, 1), DAY)
    frame = _rows(days)
    for name, rows in (
        ("nothing", frame[frame["index"] == "other"]),
        ("level", frame[frame["index"] == "NIFTY"]),
    ):
        history = read_index_history(_desk(_stored(tmp_path / name, rows)))
        assert history.over(5).weight == 0
    assert IndexHistory(np.empty(0), np.empty(0)).over(0).weight == 0


def _expiry(
    kind: InstrumentKind, forecast: float | None, past: PastMoves
) -> tuple[ChainExpiry, InstrumentKind]:
    smile = SimpleNamespace(curves=Curves.flat([0.04**2]))
    made = SimpleNamespace(forward=100.0, forecast=forecast, past=past, smile=smile, deviation=0.04)
    return cast("ChainExpiry", made), kind


def _past() -> PastMoves:
    """Moves that are narrower than expected by 0.8, with a fat lower tail."""
    draw = np.random.default_rng(1)
    steps = 0.8 * 0.01 * draw.normal(size=3_000)
    steps[::100] -= 0.03
    return past_moves(np.exp(np.cumsum(steps)), np.full(3_000, 0.01 * np.sqrt(250)), 5, 250)


#: A forecast deviation of 0.05 with one of 0.04 at the money: exp(0.3 ln 0.05 + 0.7 ln 0.04).
_BLENDED = 0.04276938


def test_a_stock_has_the_width_of_the_blend_and_the_even_shape_of_the_index() -> None:
    past, variance = _past(), 0.05**2
    stock, index = (
        expiry_densities([_expiry(kind, variance, past)])
        for kind in (InstrumentKind.STOCK, InstrumentKind.INDEX)
    )
    for density, width, shape in (
        (stock, _BLENDED, past.even),
        (index, 0.04 * past.width, past),
    ):
        p = (np.arange(200_000) + 0.5) / 200_000
        moves = np.interp(p, LEVELS, density.knots[0])
        assert moves.std() == pytest.approx(width, rel=2e-3)
        np.testing.assert_allclose(
            (density.knots[0] - moves.mean()) / moves.std(), shape.knots / shape.width, atol=0.02
        )
    # as far up as down, where the index falls farther
    (low, middle, high), (fell, usual, rose) = (
        np.interp([0.01, 0.5, 0.99], LEVELS, density.knots[0]) for density in (stock, index)
    )
    assert high - middle == pytest.approx(middle - low, rel=1e-3)
    assert usual - fell > 1.2 * (rose - usual)
    # past moves count nearly alone: less than one in twenty is the forecast's
    assert stock.weight[0] == 599 / 623


def test_with_too_little_past_it_is_the_forecast_and_without_one_nothing() -> None:
    k = np.linspace(-0.1, 0.1, 21)
    for kind in InstrumentKind:
        short = expiry_densities([_expiry(kind, 0.05**2, no_moves(5))])
        np.testing.assert_array_equal(short.cdf(k), short.model.cdf(k))
        assert short.quantile(0.5)[0] == pytest.approx(-0.5 * _BLENDED**2, rel=1e-5)
        assert np.isnan(expiry_densities([_expiry(kind, None, _past())]).cdf(k)).all()


@pytest.mark.parametrize(
    ("kind", "error"), [(InstrumentKind.STOCK, 0.19), (InstrumentKind.INDEX, 0.23)]
)
def test_a_width_is_made_wider_and_narrower_by_its_errors(
    kind: InstrumentKind, error: float
) -> None:
    """Moves about their middle, of the past and of the model alike; the mean stays the forward."""
    row = _expiry(kind, 0.05**2, _past())
    usual, narrow, wide = (expiry_densities([row], errors) for errors in (0.0, -1.0, 1.0))
    both = expiry_densities([row, row], [-1.0, 1.0])
    for at, (density, sign) in enumerate(((narrow, -1), (wide, 1))):
        for spread in (np.ptp, lambda knots: np.ptp(knots[100:-100])):
            ratio = spread(density.knots[0]) / spread(usual.knots[0])
            assert np.log(ratio) == pytest.approx(sign * error, rel=1e-9)
        deviation = [2 * -law.model.quantile(0.5)[0] for law in (density, usual)]
        assert np.log(deviation[0] / deviation[1]) == pytest.approx(2 * sign * error, rel=1e-6)
        assert density.call(-40.0)[0] == pytest.approx(1.0, abs=1e-9)
        k = np.linspace(-0.2, 0.2, 41)[:, None]
        np.testing.assert_array_equal(both.cdf(k)[:, at], density.cdf(k)[:, 0])


def test_the_exchanges_own_files_give_eleven_years(shared_data: Path, tmp_path: Path) -> None:
    """Of 1,000 moves 755 and 758 within one deviation of 252 sessions a year, counted apart."""
    history = ParquetHistory(tmp_path / "history", "nse")
    folder = shared_data / "indices"
    names = ("nifty50_2015_2025", "nifty50_2024-08_2026-08", "india_vix_2012_2026")
    report = import_paths([folder / f"{name}.csv.gz" for name in names], history, index="NIFTY")
    assert not report.refused
    found = read_index_history(_desk(history, date(2026, 7, 31)))
    for sessions, windows, share in ((5, 569, 0.755), (21, 135, 0.758)):
        past, z = found.over(sessions), standardised(found.level, found.vol, sessions, 252)
        assert 0.98 * windows <= past.windows <= windows  # five sessions are not in the files
        assert np.mean(np.abs(z[np.isfinite(z)]) < 1) == pytest.approx(share, abs=0.003)
    before = read_index_history(_desk(history, date(2015, 1, 20))).over(5)
    assert (before.windows, before.weight) == (1, 0)
