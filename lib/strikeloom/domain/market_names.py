"""Names of markets."""

from __future__ import annotations

#: Beginning of a synthetic market's name; its seed follows.
SYNTHETIC = "synthetic-"


def is_synthetic(market: str) -> bool:
    """Whether a market is generated: no file can be imported into it."""
    return market.startswith(SYNTHETIC)
