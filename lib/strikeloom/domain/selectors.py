"""Selectors: how a leg of a template states its strike and its expiry.

A strike selector states what is wanted and how far the search may go from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Moves:
    """A strike so many expected moves of the leg's own expiry from its forward.

    An expected move is a standard deviation, ``atm_iv x sqrt(years)`` of the forward: the strike
    wanted is ``forward x (1 + moves x expected move)``, as far above as below.

    Attributes
    ----------
    moves : float
        Negative is below the forward, 0 at the money.
    reach : float
        Expected moves that the strike taken may be off.
    """

    moves: float
    reach: float = 0.6


@dataclass(frozen=True, slots=True)
class Delta:
    """A strike by its delta on the leg's own smile.

    Attributes
    ----------
    delta : float
        Size of the forward delta, between 0 and 1, of a call and of a put.
    tolerance : float
        By how much the delta of the strike taken may be off.
    """

    delta: float
    tolerance: float = 0.12


@dataclass(frozen=True, slots=True)
class Steps:
    """A strike so many listed strikes from the money; 0 is the one nearest to the forward.

    Attributes
    ----------
    steps : int
        Negative is below.
    reach : int
        Listed strikes that the strike taken may be off.
    """

    steps: int
    reach: int = 1


@dataclass(frozen=True, slots=True)
class Width:
    """A strike so many expected moves away from that of an earlier leg.

    Attributes
    ----------
    leg : int
        Number of the earlier leg, from 0.
    moves : float
        Of the leg's own expiry; negative is below.
    reach : float
        As of ``Moves``.
    wider_than, narrower_than : tuple of (int, int) or None
        Numbers of two earlier legs: in rupees the width must be above, or below, their distance.
    """

    leg: int
    moves: float
    reach: float = 0.6
    wider_than: tuple[int, int] | None = None
    narrower_than: tuple[int, int] | None = None

    @property
    def unlike(self) -> tuple[int, tuple[int, int]] | None:
        """1 (wider) or -1 (narrower) with the two legs; ``None`` where any width will do."""
        if self.wider_than is not None:
            return 1, self.wider_than
        return None if self.narrower_than is None else (-1, self.narrower_than)


@dataclass(frozen=True, slots=True)
class Same:
    """The very strike of an earlier leg, in the leg's own right and expiry."""

    leg: int


@dataclass(frozen=True, slots=True)
class Reflection:
    """The strike of an earlier leg reflected about the forward, or about another leg.

    Attributes
    ----------
    leg : int
        Number of the earlier leg, from 0.
    about : int or None
        Number of the leg at the centre, to whose other side the strike is as far in rupees: even
        wings. ``None``: about the forward.
    reach : float
        As of ``Moves``.
    """

    leg: int
    about: int | None = None
    reach: float = 0.6


StrikeSelector: TypeAlias = Moves | Delta | Steps | Width | Same | Reflection


class ListedExpiry(StrEnum):
    """An expiry by its place in the list of the underlying."""

    FRONT = "front"
    """The first with enough days and strikes to trade, as stage 01 found it."""
    NEXT = "next"
    """The first listed after the front."""
    MONTHLY = "monthly"
    """The first from the front on that is the last of its month: futures end on these."""


@dataclass(frozen=True, slots=True)
class SameExpiry:
    """The expiry of an earlier leg; of leg 0 itself the front."""

    leg: int = 0


ExpirySelector: TypeAlias = ListedExpiry | SameExpiry
FRONT, NEXT, MONTHLY = ListedExpiry.FRONT, ListedExpiry.NEXT, ListedExpiry.MONTHLY
