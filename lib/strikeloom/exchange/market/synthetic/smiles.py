"""Smiles without static arbitrage: the SSVI family.

Source: Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance
2014.

Total variance of log-moneyness k at at-the-money total variance theta is
``theta / 2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2))`` with
``phi = eta / sqrt(theta (1 + theta))``. For ``eta (1 + |rho|) <= 2`` and theta increasing in
time there is neither butterfly nor calendar arbitrage (their theorem 4.1 and corollary 4.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RHO = -0.35
ETA = 1.1
REVERSION_YEARS = 0.25


def atm_variance(spot_vol: Floats, long_vol: Floats, years: Floats) -> Floats:
    """At-the-money total variance of a mean-reverting variance; increasing in ``years``."""
    weight = -np.expm1(-years / REVERSION_YEARS) * REVERSION_YEARS
    return np.asarray(long_vol**2 * years + (spot_vol**2 - long_vol**2) * weight)


def volatility(moneyness: Floats, theta: Floats, years: Floats) -> Floats:
    """Implied volatility at log-moneyness ln(strike / forward); 0 years gives 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = ETA / np.sqrt(theta * (1 + theta))
        tilt = phi * moneyness + RHO
        variance = theta / 2 * (1 + RHO * phi * moneyness + np.sqrt(tilt**2 + 1 - RHO**2))
        vol = np.sqrt(variance / years)
    return np.asarray(np.where(years > 0, vol, 0.0))
