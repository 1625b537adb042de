"""Grade of how well a structure can be traded: by its thinnest leg, and by what a trip costs."""

from __future__ import annotations

from enum import StrEnum

from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.structure import Structure


class Grade(StrEnum):
    """From A (trades all day, cheap) to D (few lots, or dear)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    @property
    def share(self) -> float:
        """Of the best grade: 1 for A, 0 for D."""
        return _SHARES[self]


_SHARES = {Grade.A: 1.0, Grade.B: 0.7, Grade.C: 0.4, Grade.D: 0.0}


#: Least lots traded in the thinnest leg, and the most that a round trip may cost as a share of the
#: funds. Volumes: the error of a close falls at 10, 100 and 1,000 lots (``costs.price_error``).
_AT_LEAST = ((Grade.A, 1_000, 0.005), (Grade.B, 100, 0.015), (Grade.C, 10, 0.04))


def grade(structure: Structure, figures: CandidateFigures) -> Grade:
    """The best grade whose volume and cost a structure keeps."""
    share = float(figures.costs / figures.funds)
    for found, lots, most in _AT_LEAST:
        if structure.thinnest >= lots and share <= most:
            return found
    return Grade.D
