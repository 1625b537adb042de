"""Black-76 in 40 digits, and each Greek as a derivative of that price."""

from __future__ import annotations

import mpmath as mp
import numpy as np

mp.mp.dps = 40


def _cdf(z: mp.mpf) -> mp.mpf:
    return mp.erfc(-z / mp.sqrt(2)) / 2


def price(f: object, k: object, t: object, v: object, call: bool, d: object = 1) -> mp.mpf:
    f, k, t, v, d = (mp.mpf(x) for x in (f, k, t, v, d))
    s = v * mp.sqrt(t)
    d1 = mp.log(f / k) / s + s / 2
    if call:
        return d * (f * _cdf(d1) - k * _cdf(d1 - s))
    return d * (k * _cdf(s - d1) - f * _cdf(-d1))


def prices(f, k, t, v, call, d) -> np.ndarray:
    """One rounding each."""
    rows = zip(f, k, t, v, call, d, strict=True)
    return np.array([float(price(*map(float, r[:4]), bool(r[4]), float(r[5]))) for r in rows])


def sensitivity(name: str, f, k, t, v, call, d) -> float:
    """By central differences in many digits, so that nothing is shared with a formula."""
    with mp.workdps(380):
        f, k, t, v, d = (mp.mpf(float(x)) for x in (f, k, t, v, d))
        h = mp.mpf(10) ** -16
        df, dv, dt = f * h, v * h, t * h

        def p(a: int = 0, b: int = 0, c: int = 0) -> mp.mpf:
            return price(f + a * df, k, t + c * dt, v + b * dv, bool(call), d)

        found = {
            "delta": lambda: (p(1) - p(-1)) / (2 * df),
            "gamma": lambda: (p(1) - 2 * p() + p(-1)) / df**2,
            "vega": lambda: (p(0, 1) - p(0, -1)) / (2 * dv),
            "theta": lambda: -(p(0, 0, 1) - p(0, 0, -1)) / (2 * dt) / 365,
            "vanna": lambda: (p(1, 1) - p(1, -1) - p(-1, 1) + p(-1, -1)) / (4 * df * dv),
            "volga": lambda: (p(0, 1) - 2 * p() + p(0, -1)) / dv**2,
        }[name]()
        return float(found)
