"""Error of what a candidate earns: its quotes' and the width's of the real-world density."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from strikeloom.quant.candidates.value import CandidateValues
from strikeloom.risk.candidates import CandidateMargins
from strikeloom.strategy_creation.conviction import conviction
from strikeloom.strategy_creation.earnings import CandidateFigures, figures_of, shrunk
from strikeloom.strategy_creation.liquidity import Grade


def _figures(error: float, width_error: float, by_smile: float = 0.0) -> CandidateFigures:
    one = np.ones(1)
    real = SimpleNamespace(chance=0.6 * one, mean=25.0 * one, tail=-80 * one)
    values = SimpleNamespace(
        max_profit=100 * one, max_loss=100 * one, real=real, costs=5.0 * one, decay=0 * one,
        smile=SimpleNamespace(mean=by_smile * one), error=error * one,
        width_error=width_error * one,
    )  # fmt: skip
    need = SimpleNamespace(margin=np.full((1, 2), 1_000.0), variation=np.zeros((1, 2)))
    return figures_of(
        cast("CandidateValues", values), cast("CandidateMargins", need), 0 * one, np.zeros((1, 2))
    )


def test_both_errors_count_as_independent_ones_and_the_quotes_part_is_kept() -> None:
    figures = _figures(3.0, 4.0)
    assert (figures.error[0], figures.quotes_error[0]) == (5.0, 3.0)


@pytest.mark.parametrize(("by_smile", "quotes"), [(2.5, 3.0), (-12.0, 12.0), (12.0, 12.0)])
def test_quotes_are_at_least_as_wrong_as_they_disagree_with_the_smile(
    by_smile: float, quotes: float
) -> None:
    figures = _figures(3.0, 4.0, by_smile)
    assert figures.quotes_error[0] == quotes
    assert figures.error[0] == pytest.approx((quotes**2 + 16) ** 0.5)


def test_what_leans_on_the_forecast_is_worth_less_and_less_sure() -> None:
    """An edge of 20: with an error of 20 half of it, and 0.682689 of 100 points before the rest."""
    sure, leaning = _figures(0.5, 0.0), _figures(0.0, 20.0)
    assert shrunk(leaning.edge, leaning.error)[0] == pytest.approx(10.0)
    assert shrunk(sure.edge, sure.error)[0] == pytest.approx(20.0, rel=1e-3)
    assert conviction(leaning.row(0), 0.0, Grade.D) == pytest.approx(0.6 * 68.2689, rel=1e-5)


def test_an_unknown_error_of_the_width_is_not_none() -> None:
    assert np.isnan(_figures(3.0, np.nan).error[0])
