"""Error of a candidate's mean from that of the density's width, against revaluation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from quant.candidates.cases import (
    DISCOUNT,
    REAL_DEVIATION,
    REAL_MEAN,
    WIDTH_ERROR,
    Market,
    market,
)
from strikeloom.quant.candidates.value import Candidates, CandidateValues, value_candidates

Cases = dict[str, list[tuple[float, str, bool, float]]]

#: strike, right, later, units; of several lots to show that units count
SINGLE: Cases = {
    "long straddle": [(100, "C", False, 1), (100, "P", False, 1)],
    "bull call spread": [(100, "C", False, 1), (107.5, "C", False, -1)],
    "bear put spread": [(105, "P", False, 50), (97.5, "P", False, -50)],
    "iron condor": [
        (90, "P", False, 1), (95, "P", False, -1), (105, "C", False, -1), (110, "C", False, 1),
    ],
    "call butterfly": [(95, "C", False, 1), (100, "C", False, -2), (105, "C", False, 1)],
    "covered call": [(0, "U", False, 1), (105, "C", False, -1)],
    "put ratio": [(97.5, "P", False, 1), (92.5, "P", False, -3)],
}  # fmt: skip
TWO_EXPIRIES: Cases = {
    "call calendar": [(100, "C", False, -1), (100, "C", True, 1)],
    "sold put calendar": [(97.5, "P", False, 1), (97.5, "P", True, -1)],
    "double diagonal": [
        (95, "P", False, -1), (90, "P", True, 1), (105, "C", False, -1), (110, "C", True, 1),
    ],
    "covered by a later put": [(0, "U", False, 1), (95, "P", True, 1)],
}  # fmt: skip


def _values(made: Market, cases: Cases) -> CandidateValues:
    width = max(map(len, cases.values()))
    rows = [[made.row(k, r, later=late) for k, r, late, _ in legs] for legs in cases.values()]
    units = [[u for *_, u in legs] + [0.0] * (width - len(legs)) for legs in cases.values()]
    padded = [row + row[:1] * (width - len(row)) for row in rows]
    return value_candidates(Candidates(np.array(padded), np.array(units)), made.tables)


def _black(strike: float, right: str, deviation: float) -> float:
    """Undiscounted, from the textbook and scipy's normal distribution."""
    if right == "U":
        return REAL_MEAN
    sign = 1.0 if right == "C" else -1.0
    d = np.log(REAL_MEAN / strike) / deviation + 0.5 * deviation
    return float(
        sign * (REAL_MEAN * norm.cdf(sign * d) - strike * norm.cdf(sign * (d - deviation)))
    )


def test_one_expiry_is_a_textbook_price_at_both_widths() -> None:
    values = _values(market(), SINGLE)
    for at, (name, legs) in enumerate(SINGLE.items()):
        usual, *moved = (
            sum(u * _black(k, r, REAL_DEVIATION * np.exp(e * WIDTH_ERROR)) for k, r, _, u in legs)
            for e in (0, -1, 1)
        )
        away = DISCOUNT * (np.array(moved) - usual)
        size = sum(abs(u) for *_, u in legs)
        wanted = np.sqrt(np.mean(away**2))
        assert values.width_error[at] == pytest.approx(wanted, abs=1e-4 * size), name


def test_two_expiries_are_revalued_under_the_moved_densities() -> None:
    """The whole pass again, with the moved density as the real one."""
    cases = {**SINGLE, **TWO_EXPIRIES}
    usual, narrow, wide = (
        _values(market(deviation=REAL_DEVIATION * np.exp(e * WIDTH_ERROR)), cases)
        for e in (0, -1, 1)
    )
    away = np.stack((narrow.real.mean, wide.real.mean)) - usual.real.mean
    wanted = np.sqrt(np.mean(away**2, axis=0))
    np.testing.assert_allclose(usual.width_error, wanted, rtol=1e-9, atol=1e-12)
    assert (usual.width_error > 1e-3).all()


def test_the_underlying_has_no_error_of_width_and_errors_are_signless() -> None:
    share = {"share": [(0, "U", False, 100)]}
    assert _values(market(), share).width_error[0] == pytest.approx(0.0, abs=1e-9)
    mirrored = {name: [(*leg[:3], -leg[3]) for leg in legs] for name, legs in TWO_EXPIRIES.items()}
    one, two = (_values(market(), cases).width_error for cases in (TWO_EXPIRIES, mirrored))
    np.testing.assert_array_equal(one, two)


def test_without_moved_densities_it_is_not_known() -> None:
    values = _values(market(moved=False), {**SINGLE, **TWO_EXPIRIES})
    assert np.isnan(values.width_error).all()
    assert np.isfinite(values.real.mean).all()
    assert np.isfinite(values.error).all()
