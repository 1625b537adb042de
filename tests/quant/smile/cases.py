"""Smiles used by several test files, in the letters of published papers."""

from __future__ import annotations

import numpy as np

from strikeloom.quant.smile.curves import Curves


def from_svi(a, b, rho, m, sigma) -> Curves:
    """Raw SVI parameters in Gatheral's letters."""
    a, b, rho, m, sigma = (np.asarray(v, dtype=float) for v in (a, b, rho, m, sigma))
    return Curves(a, b * (1 - rho), b * (1 + rho), m, sigma, m, sigma)


def ssvi(theta, rho, phi) -> Curves:
    """Gatheral and Jacquier 2014, theorem 4.2: no butterfly if theta phi (1 + |rho|) < 4 and
    theta phi^2 (1 + |rho|) <= 4."""
    return from_svi(
        0.5 * theta * (1 - rho**2),
        0.5 * theta * phi,
        rho,
        -rho / phi,
        np.sqrt(1 - rho**2) / phi,
    )


#: Index week, stock month, steep and wide, long dated, flat between steep wings; all free.
GOOD = {
    "week": ssvi(0.0004, -0.4, 55.0),
    "month": ssvi(0.006, -0.2, 16.0),
    "steep": ssvi(0.3, 0.7, 2.5),
    "long": ssvi(0.08, -0.6, 3.0),
    "event": Curves(*map(np.float64, (0.007, 0.1, 0.08, -0.12, 0.08, 0.13, 0.09))),
    "flat": Curves.flat(0.01),
}
#: Gatheral and Jacquier 2014, section 3.1 (after Axel Vogt): g is negative near k = 0.8.
VOGT = from_svi(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
