"""The pass over a whole chain agrees with its parts."""

from __future__ import annotations

import numpy as np
import pytest

from strikeloom.quant.black76 import greeks, price
from strikeloom.quant.chain import solve_chain
from strikeloom.quant.implied.solver import Reason, implied_vol

pytestmark = pytest.mark.usefixtures("path")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_one_pass_is_its_parts(threads: int) -> None:
    rng = np.random.default_rng(8)
    n = 20011
    f = rng.uniform(100, 30000, n)
    k = f * rng.uniform(0.8, 1.2, n)
    t = rng.integers(1, 90, n) / 365
    call = k >= f
    p = price(f, k, t, 0.25, call, 0.99)
    p[::31] = np.nan
    p[5] = 0.0
    found = solve_chain(p, f, k, t, call, 0.99, threads=threads)
    vol, reason = implied_vol(p, f, k, t, call, 0.99)
    np.testing.assert_array_equal(found.vol, vol)
    np.testing.assert_array_equal(found.reason, reason)
    assert Reason(int(reason[5])) is Reason.AT_INTRINSIC
    for ours, single in zip(found.greeks, greeks(f, k, t, vol, call, 0.99), strict=True):
        np.testing.assert_array_equal(ours, single)
    assert np.isnan(found.greeks.delta[::31]).all()


def test_shapes_broadcast() -> None:
    found = solve_chain([[5.0], [6.0]], 100.0, [95.0, 100.0, 105.0], 0.2, True)
    assert found.vol.shape == found.greeks.volga.shape == (2, 3)
    assert solve_chain([], 100.0, 100.0, 0.2, True, threads=2).vol.shape == (0,)
