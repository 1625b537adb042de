"""Past moves mixed with a model: numpy's own counts and integrals are the oracle."""

from __future__ import annotations

import numpy as np
import pytest

from strikeloom.errors import DataError
from strikeloom.quant.payoff import Legs, payoffs
from strikeloom.quant.probability.at_expiry import (
    Law,
    expected_value,
    lognormal,
    probability_of_profit,
    tail_mean,
)
from strikeloom.quant.probability.past_moves import LEVELS, PastMoves, no_moves, past_moves
from strikeloom.quant.probability.real_world import RealWorld, real_world
from strikeloom.quant.smile.curves import Curves

YEAR = 250.0
HORIZON = 5
SMILE = Curves(*(np.array([x]) for x in (0.001, 0.05, 0.02, 0.0, 0.05, 0.0, 0.05)))


def _history(sessions: int, *, drift: float = 0.0008) -> tuple[np.ndarray, np.ndarray]:
    """Levels with fat tails and a drift, and a volatility that is too high by a tenth."""
    draw = np.random.default_rng(4)
    vol = 0.15 * np.exp(0.3 * np.sin(np.arange(sessions) / 40))
    steps = drift + vol / 1.1 / np.sqrt(YEAR) * draw.standard_t(4, sessions) / np.sqrt(2)
    return 20_000 * np.exp(np.cumsum(steps)), vol


def _past(sessions: int = 1_500) -> PastMoves:
    return past_moves(*_history(sessions), HORIZON, YEAR)


def _density(deviation: float = 0.03, past: PastMoves | None = None) -> RealWorld:
    model = lognormal([100.0], [0.04**2])
    return real_world(model, [past or _past()], np.array([deviation]))


def _draws(density: RealWorld, count: int = 400_001) -> np.ndarray:
    """Prices of the past part alone, evenly through its table: nothing of the class is used."""
    evenly = (np.arange(count) + 0.5) / count
    return 100 * np.exp(np.interp(evenly, LEVELS, density.knots[0]))


def test_moves_are_counted_by_hand() -> None:
    level = np.array([100.0, 102.0, 101.0, np.nan, 104.0, 103.0])
    vol = np.array([0.2, 0.1, np.nan, 0.2, 0.2, 0.2])
    past = past_moves(level, vol, 1, 100.0)
    z = np.array([np.log(1.02) / 0.02, np.log(101 / 102) / 0.01, np.log(103 / 104) / 0.02])
    assert past.windows == 3
    assert past.knots[[0, -1]] == pytest.approx([z.min() - z.mean(), z.max() - z.mean()])
    two = past_moves(level, vol, 2, 100.0)
    assert two.windows == 0  # only the first has both ends and a volatility


def test_the_table_is_the_count_of_all_moves() -> None:
    level, vol = _history(2_900)
    z = np.log(level[5:] / level[:-5]) / (vol[:-5] * np.sqrt(5 / YEAR))
    z -= z.mean()
    past = past_moves(level, vol, 5, YEAR)
    assert past.windows == 2_895 // 5
    places = np.linspace(-4, 4, 801)
    counted = (z[:, None] <= places).mean(axis=0)
    np.testing.assert_allclose(np.interp(places, past.knots, LEVELS), counted, atol=2.5e-3)
    assert past.width == pytest.approx(z.std(), rel=5e-4)


@pytest.mark.parametrize(("windows", "weight"), [(0, 0), (23, 0), (24, 0.5), (72, 0.75)])
def test_the_weight_is_that_of_separate_windows(windows: int, weight: float) -> None:
    past = past_moves(*_history(HORIZON * (windows + 1)), HORIZON, YEAR)
    assert past.windows == windows
    assert past.weight == weight


def test_without_weight_every_figure_is_the_models_to_the_last_digit() -> None:
    for model in (lognormal([100.0], [0.04**2]), Law(np.array([100.0]), SMILE)):
        for short in (no_moves(5), _past(100)):
            density = real_world(model, [short], np.array([np.nan]))
            k = np.concatenate(([-np.inf], np.linspace(-0.4, 0.4, 81), [np.inf]))
            for name in ("cdf", "mean_below", "call", "put"):
                mine, theirs = getattr(density, name)(k), getattr(model, name)(k)
                np.testing.assert_array_equal(mine, theirs)
            p = np.linspace(0, 1, 11)
            np.testing.assert_array_equal(density.quantile(p), model.quantile(p))
            legs = _strangle()
            for find in (expected_value, lambda *a: tail_mean(*a, 0.05)):
                assert find(legs, density)[0] == find(legs, model)[0]


@pytest.mark.parametrize("deviation", [0.004, 0.03, 0.2])
def test_mass_is_one_and_the_mean_is_the_forward(deviation: float) -> None:
    density = _density(deviation)
    ends = np.array([-np.inf, np.inf])
    np.testing.assert_allclose(density.cdf(ends), [0, 1], atol=1e-15)
    np.testing.assert_allclose(density.mean_below(ends), [0, 1], atol=1e-12)
    assert _draws(density).mean() == pytest.approx(100, rel=1e-5)
    k = np.linspace(-12 * deviation, 12 * deviation, 4_001)
    for figure in (density.cdf(k), density.mean_below(k)):
        assert (np.diff(figure) >= -1e-15).all()
    # an undiscounted call less a put is the forward less the strike
    np.testing.assert_allclose(density.call(k) - density.put(k), 1 - np.exp(k), atol=1e-12)


def test_a_drift_of_the_past_changes_nothing() -> None:
    k = np.linspace(-0.1, 0.1, 41)
    found = []
    for drift in (0.0008, -0.002):
        level, vol = _history(1_500, drift=drift)
        flat = np.full_like(vol, 0.15)  # a drift in price is one in moves where these are alike
        found.append(_density(0.03, past_moves(level, flat, HORIZON, YEAR)).cdf(k))
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)


def test_figures_are_those_of_draws_from_both_parts() -> None:
    density = _density()
    weight, past = float(density.weight[0]), _draws(density)
    law = density.model
    for k in (-0.09, -0.03, 0.0, 0.02, 0.07):
        strike = 100 * np.exp(k)
        parts = {
            "cdf": (past <= strike).mean(),
            "mean_below": np.where(past <= strike, past, 0).mean() / 100,
            "call": np.maximum(past - strike, 0).mean() / 100,
            "put": np.maximum(strike - past, 0).mean() / 100,
        }
        for name, part in parts.items():
            whole = weight * part + (1 - weight) * getattr(law, name)(k)[0]
            assert getattr(density, name)(k)[0] == pytest.approx(whole, abs=1e-5)


def test_quantiles_invert_the_distribution() -> None:
    density = _density()
    p = np.array([1e-5, 0.001, 0.05, 0.5, 0.93, 0.9999])
    np.testing.assert_allclose(density.cdf(density.quantile(p)), p, atol=1e-12)
    np.testing.assert_array_equal(density.quantile([0.0, 1.0]), [-np.inf, np.inf])


def _strangle() -> Legs:
    return Legs(
        np.array([[96.0, 104.0]]), np.array([[False, True]]), -np.ones((1, 2)), np.array([1.5])
    )


def test_a_structure_is_valued_as_by_draws() -> None:
    density, legs = _density(), _strangle()
    weight, count = float(density.weight[0]), 400_001
    evenly = (np.arange(count) + 0.5) / count
    prices = np.concatenate((_draws(density), 100 * np.exp(density.model.quantile(evenly))))
    mass = np.repeat([weight / count, (1 - weight) / count], count)
    paid = 1.5 - np.maximum(96 - prices, 0) - np.maximum(prices - 104, 0)
    assert expected_value(legs, density)[0] == pytest.approx(paid @ mass, abs=2e-5)
    shape = payoffs(legs)
    assert probability_of_profit(shape, density)[0] == pytest.approx(mass[paid > 0].sum(), abs=1e-5)
    order = np.argsort(paid)
    worst = np.cumsum(mass[order]) <= 0.05
    tail = paid[order][worst] @ mass[order][worst] / mass[order][worst].sum()
    assert tail_mean(legs, density, 0.05)[0] == pytest.approx(tail, abs=2e-4)


def test_each_row_has_a_past_of_its_own_and_a_missing_model_is_missing() -> None:
    model = lognormal([100.0, 200.0, 50.0], [0.04**2, 0.05**2, np.nan])
    pasts = [_past(), no_moves(3), _past()]
    density = real_world(model, pasts, np.array([0.03, np.nan, 0.03]))
    k = np.array([[-0.02, 0.01]])
    together = density.pick(np.arange(3)[:, None]).cdf(k)
    np.testing.assert_array_equal(together[0], _density().cdf(k[0]))
    np.testing.assert_array_equal(together[1], model.pick([1]).cdf(k[0]))
    assert np.isnan(together[2]).all()
    assert np.isnan(density.quantile(0.3)[2])


def test_a_horizon_below_one_session_is_refused() -> None:
    with pytest.raises(DataError, match="0 sessions"):
        past_moves(*_history(100), 0, YEAR)
