"""Allocation of capital to strategies: whole lots, never above budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.templates import Stance, Tier


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """Lots given to one strategy, with the capital they need. Money in paise."""

    strategy_id: str
    symbol: str
    template: str
    sector: str
    tier: Tier
    stance: Stance
    lots: int
    capital: int
    max_loss: int | None
    expected_income: int
    score: float


@dataclass(frozen=True, slots=True)
class AllocationRefusal:
    """A candidate without lots, and the limit that stopped it."""

    strategy_id: str
    symbol: str
    template: str
    reason: str


@dataclass(frozen=True, slots=True)
class AllocationPlan:
    """One allocation of an account's capital on a day. Money in paise.

    Attributes
    ----------
    target_income : int
        4 % a month (``config/allocation.yaml``) of the capital: a goal, not a constraint.
    binding : tuple of str
        Limits that stopped at least one candidate.
    """

    account: str
    day: date
    capital: int
    rows: tuple[AllocationRow, ...]
    refused: tuple[AllocationRefusal, ...]
    cash_left: int
    expected_income: int
    target_income: int
    binding: tuple[str, ...]

    @property
    def shortfall(self) -> int:
        """Paise by which the expected income misses the target (0 when it is met)."""
        return max(0, self.target_income - self.expected_income)
