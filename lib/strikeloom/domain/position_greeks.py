"""Greeks of a whole position, in rupees."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PositionGreeks:
    """Greeks of everything open in a position, all its legs together.

    All four are known, or none is and ``missing`` has the reason.

    Attributes
    ----------
    delta : float or None
        Rupees of P&L for each rupee that the underlying's level rises.
    gamma : float or None
        Change of ``delta`` for each rupee that the level rises.
    vega : float or None
        Rupees for each volatility point (0.01) that the implied volatility of every leg rises.
    theta : float or None
        Rupees for each calendar day that passes at the same forward and volatilities.
    missing : str
        Why they are unknown; empty when they are known.
    """

    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    missing: str = ""


def not_computed() -> PositionGreeks:
    """Greeks of a marked position that was made without a way to compute them."""
    return PositionGreeks(missing="the Greeks were not computed")
