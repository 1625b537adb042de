"""What two expiries of one underlying offset, where the figures can be worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.risk.margin import margin_parts
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import span_parameters

INDEX = span_parameters(InstrumentKind.INDEX, "NIFTYFPI", date(2026, 2, 11))
FORWARD = 25_000.0


def parts_of(legs):
    """Margin by component of legs of (strike, call, units, years), volatility 15 %."""
    strikes, calls, units, years = (np.array([column]) for column in zip(*legs, strict=True))
    shape = units.shape
    held = MarginLegs(
        strikes.astype(float), calls.astype(bool), units.astype(float), np.full(shape, FORWARD),
        np.full(shape, 0.15), years.astype(float), np.full(shape, np.nan), np.zeros(shape),
        np.zeros(shape, dtype=bool),
    )  # fmt: skip
    return margin_parts(held, np.full(1, INDEX.base_vol), INDEX)


def test_calls_deep_in_the_money_offset_to_the_rupee_and_bear_the_charge():
    """At 5,000 of 25,000 both are worth the level less the strike, whatever its volatility.

    The moves of one are those of the other: no scan margin. Of 65 x 25,000 that are offset
    1.75 % are charged, and the sold leg bears 2 %.
    """
    found = parts_of([(5_000.0, True, -65, 0.02), (5_000.0, True, 65, 0.04)])
    assert found.scan[0] == pytest.approx(0, abs=1e-3)
    assert found.calendar[0] == pytest.approx(0.0175 * 65 * FORWARD)
    assert found.exposure[0] == pytest.approx(0.02 * 65 * FORWARD)


def test_expiries_that_offset_less_than_the_charge_stay_apart():
    """The near one has a long delta and loses upwards, where the far put does not gain.

    The call at the money has a delta of a half, the put less than that: about 65 x 0.5 x 25,000
    are offset, charged with 1.75 % or 14,200 rupees. Together they could save at most what the
    put is worth, 0.4 x 15 % x 25,000 x the root of two days' share of the year: 111 x 65, or 7,200.
    """
    near = [(25_000.0, True, 65, 1 / 365), (27_000.0, True, -650, 1 / 365)]
    far = [(25_000.0, False, 65, 2 / 365)]
    found = parts_of([*near, *far])
    assert parts_of(far).total[0] == 0
    assert found.calendar[0] == 0
    assert found.scan[0] == pytest.approx(parts_of(near).scan[0])
    assert found.scan[0] > 14_200
