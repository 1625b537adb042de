"""Divide capital among candidates: best score first, as many whole lots as the limits allow.

No step can exceed a limit, so the plan is within all of them by construction. A candidate
without lots is refused with the limit that stopped it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from strikeloom.allocation.candidates import Candidate
from strikeloom.domain.allocations import AllocationPlan, AllocationRefusal, AllocationRow
from strikeloom.domain.money import PAISE_PER_RUPEE, rupees_text
from strikeloom.domain.templates import Stance
from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Desk
from strikeloom.settings.allocation import AllocationSettings


def allocate(
    desk: Desk, candidates: Sequence[Candidate], capital_rupees: int | None = None
) -> AllocationPlan:
    """Plan for the account.

    Parameters
    ----------
    capital_rupees : int, optional
        Default: ``config/allocation.yaml``.

    Raises
    ------
    SettingsError
        When the capital is not positive.
    """
    settings = desk.settings.allocation
    rupees = settings.capital if capital_rupees is None else capital_rupees
    if rupees <= 0:
        raise SettingsError(f"capital is {rupees}; expected rupees above 0")
    capital = rupees * PAISE_PER_RUPEE
    left = _Budgets(capital, settings)
    rows: list[AllocationRow] = []
    refused: list[AllocationRefusal] = []
    binding: list[str] = []
    for candidate in candidates:
        lots, limit = left.most(candidate)
        proposal = candidate.proposal
        kind = refusal_kind(limit)
        if kind and kind not in binding:
            binding.append(kind)
        if lots <= 0:
            reason = f"no lot fits: {limit}"
            refused.append(
                AllocationRefusal(proposal.strategy_id, proposal.symbol, proposal.template, reason)
            )
            continue
        left.take(candidate, lots)
        rows.append(_row(candidate, lots))
    return AllocationPlan(
        account=desk.account,
        day=desk.day,
        capital=capital,
        rows=tuple(rows),
        refused=tuple(refused),
        cash_left=capital - sum(row.capital for row in rows),
        expected_income=sum(row.expected_income for row in rows),
        target_income=round(capital * settings.monthly_target_percent / 100),
        binding=tuple(binding),
    )


def _row(candidate: Candidate, lots: int) -> AllocationRow:
    proposal = candidate.proposal
    loss = proposal.risk.max_loss
    return AllocationRow(
        strategy_id=proposal.strategy_id,
        symbol=proposal.symbol,
        template=proposal.template,
        sector=proposal.sector,
        tier=proposal.tier,
        stance=proposal.stance,
        lots=lots,
        capital=candidate.capital * lots,
        max_loss=None if loss is None else loss * lots,
        expected_income=candidate.income * lots,
        score=proposal.score.total,
    )


def refusal_kind(reason: str) -> str:
    """Part of a reason without its amounts, under which it is counted."""
    return reason.split(";", maxsplit=1)[0]


def _short(needed: int, available: int) -> str:
    """Amounts of a limit in which no lot fits, as the end of a sentence."""
    if available >= needed:
        return ""
    return (
        f"; a lot needs {rupees_text(needed, decimals=0)}, "
        f"{rupees_text(max(0, available), decimals=0)} is available"
    )


class _Budgets:
    """Remaining amount of each limit, in paise."""

    def __init__(self, capital: int, settings: AllocationSettings) -> None:
        self._settings = settings
        self._capital = capital
        self._cash = capital
        self._count = 0
        self._spent: dict[tuple[str, str], int] = defaultdict(int)

    def most(self, candidate: Candidate) -> tuple[int, str]:
        """Whole lots that fit, and the tightest limit; with its amounts when none fits."""
        settings, proposal = self._settings, candidate.proposal
        if proposal.score.total < settings.min_score:
            return 0, f"score below {settings.min_score:g}"
        if self._count >= settings.max_positions:
            return 0, f"{settings.max_positions} positions"
        industry = settings.industries.get(proposal.sector)
        stance = industry.stance if industry else "BOTH"
        if stance != "BOTH" and proposal.stance not in (Stance.FLAT, Stance(stance)):
            return 0, f"sector {proposal.sector} is {stance} only"
        share = industry.share if industry else settings.max_per_sector
        tier = getattr(settings.tiers, proposal.tier.value)
        sector = min(share, settings.max_per_sector)
        at_risk = max(1, candidate.at_risk)
        limits = {
            "capital": (self._cash, candidate.capital),
            f"tier {proposal.tier} at {tier:.0%}": (
                self._room("tier", proposal.tier.value, tier),
                candidate.capital,
            ),
            f"sector {proposal.sector} at {sector:.0%}": (
                self._room("sector", proposal.sector, sector),
                candidate.capital,
            ),
            f"one symbol at {settings.max_per_symbol:.0%}": (
                self._room("symbol", proposal.symbol, settings.max_per_symbol),
                candidate.capital,
            ),
            f"loss of one trade at {settings.max_loss_per_trade:.0%}": (
                self._share(settings.max_loss_per_trade),
                at_risk,
            ),
        }
        name = min(limits, key=lambda name: limits[name][0] // limits[name][1])
        available, needed = limits[name]
        return available // needed, name + _short(needed, available)

    def _room(self, kind: str, name: str, share: float) -> int:
        return self._share(share) - self._spent[kind, name]

    def _share(self, share: float) -> int:
        """Whole paise of the capital, exact: as floats, 35 % of 2,20,000 rupees is short by one."""
        return int(self._capital * Decimal(str(share)))

    def take(self, candidate: Candidate, lots: int) -> None:
        """Book the lots against every limit."""
        proposal = candidate.proposal
        amount = candidate.capital * lots
        self._cash -= amount
        self._count += 1
        for kind, name in (
            ("tier", proposal.tier.value),
            ("sector", proposal.sector),
            ("symbol", proposal.symbol),
        ):
            self._spent[kind, name] += amount
