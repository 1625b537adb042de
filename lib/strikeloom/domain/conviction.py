"""How sure a proposal is, from 0 to 100, and what it is called."""

from __future__ import annotations

from enum import StrEnum


class Conviction(StrEnum):
    """Name of a conviction."""

    VERY_HIGH = "very high"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    VERY_LOW = "very low"

    @classmethod
    def of(cls, points: float) -> Conviction:
        """Name of points from 0 to 100: from 80, 65, 45 and 25."""
        for least, word in _LEAST:
            if points >= least:
                return word
        return cls.VERY_LOW


_LEAST = (
    (80, Conviction.VERY_HIGH),
    (65, Conviction.HIGH),
    (45, Conviction.MEDIUM),
    (25, Conviction.LOW),
)
