"""Distributions against scipy's lognormal: the model chain has one volatility and no interest."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from strikeloom.errors import DataError
from strikeloom.research.distribution import Distribution, distribution_of
from strikeloom.strategy_creation.model_chain import model_chain
from support.known_chain import known_chain

LEVEL, VOL, DAYS = 100.0, 0.32, 28
S = VOL * math.sqrt(DAYS / 365)
LAW = lognorm(S, scale=LEVEL * math.exp(-S * S / 2))


@pytest.fixture(scope="module")
def found() -> Distribution:
    return distribution_of(known_chain())


def _unforecast() -> Distribution:
    chain = model_chain()
    front, *rest = chain.expiries
    return distribution_of(
        known_chain(replace(chain, expiries=(replace(front, forecast=None), *rest)))
    )


@pytest.mark.parametrize("level", [80.0, 95.0, 100.0, 117.5])
def test_probabilities_are_the_lognormals_in_per_cent(found: Distribution, level: float) -> None:
    below = 100 * LAW.cdf(level)
    assert found.below(level) == pytest.approx((below, below))
    assert found.above(level) == pytest.approx((100 - below, 100 - below))
    assert found.between(level, 130.0).smile == pytest.approx(100 * LAW.cdf(130.0) - below)


def test_quantiles_are_levels_in_rupees(found: Distribution) -> None:
    shares = [1, 16, 50, 97.5]
    table = found.quantiles(shares)
    expected = LAW.ppf(np.array(shares) / 100)
    np.testing.assert_allclose(table["smile_level"], expected, rtol=1e-9)
    np.testing.assert_allclose(table["real_world_level"], expected, rtol=1e-9)
    assert table.attrs["units"]["probability"] == "%"
    assert table.attrs["units"]["smile_level"] == "rupees"


def test_one_and_two_deviations_are_expected_moves_of_the_logarithm(found: Distribution) -> None:
    table = found.deviations.set_index("deviations")
    for count in (1, 2):
        row = table.loc[count]
        assert row["low"] == pytest.approx(LEVEL * math.exp(-count * S))
        assert row["high"] == pytest.approx(LEVEL * math.exp(count * S))
        inside = 100 * (norm.cdf(count + S / 2) - norm.cdf(-count + S / 2))
        assert row["smile_inside"] == pytest.approx(inside)
        assert row["real_world_inside"] == pytest.approx(inside)
    assert found.expected_move == pytest.approx(100 * S)


def test_the_table_is_the_density_and_adds_up(found: Distribution) -> None:
    table = found.table(401)
    # per cent within 1 % of the forward: the density a rupee times the forward
    expected = LAW.pdf(table["level"]) * LEVEL
    np.testing.assert_allclose(table["smile"], expected, atol=2e-3)
    np.testing.assert_allclose(table["smile_below"], 100 * LAW.cdf(table["level"]), rtol=1e-9)
    area = np.trapezoid(table["smile"], 100 * table["level"] / LEVEL)
    assert area == pytest.approx(100, abs=0.05)
    assert table["move"].iloc[200] == pytest.approx(0.0)
    assert set(table.attrs["units"]) == set(table)


def test_without_a_forecast_there_is_no_real_world_and_it_is_stated() -> None:
    found = _unforecast()
    assert found.below(95.0).real_world is None
    assert found.between(95.0, 105.0).real_world is None
    assert "real world not known" in repr(found.below(95.0))
    assert "too few complete daily bars" in found.source
    for table in (found.table(), found.quantiles(), found.deviations):
        assert not [name for name in table if "real" in name]
        assert not table.isna().to_numpy().any()
    assert "nan" not in repr(found).lower()


def test_what_is_shown_names_day_expiry_and_source(found: Distribution) -> None:
    text = repr(found)
    assert "MODEL at the close of 2026-03-10, seen on 2026-02-10, model" in text
    assert "spot 100.00, forward 100.00, 28 days, expected move 8.86 %" in text
    assert "24 are needed" in found.source
    html = found._repr_html_()
    assert html.startswith("<h4>MODEL at the close")
    assert "smile_level [rupees]" in html


@pytest.mark.parametrize("level", [0.0, -5.0, float("nan"), float("inf")])
def test_a_level_must_be_a_price(found: Distribution, level: float) -> None:
    with pytest.raises(DataError, match="of MODEL is no price; give positive rupees"):
        found.below(level)


def test_a_range_and_shares_and_points_must_make_sense(found: Distribution) -> None:
    with pytest.raises(DataError, match="from 105 to 95 is no range"):
        found.between(105.0, 95.0)
    for wrong in ([0.0], [100.0], [float("nan")]):
        with pytest.raises(DataError, match="per cent, above 0 and below 100"):
            found.quantiles(wrong)
    with pytest.raises(DataError, match="2 points make no density"):
        found.table(2)
