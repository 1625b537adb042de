"""Candidates for capital written by hand, and plans made of them without a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace

from strikeloom.allocation import allocate
from strikeloom.allocation.candidates import Candidate
from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.proposals import Proposal, RiskSummary, Score
from strikeloom.domain.templates import Stance, Tier
from strikeloom.settings.all import load_settings

SETTINGS = load_settings()
DAY = date(2026, 2, 10)
EXPIRY = date(2026, 2, 24)
LAKH = 100_000 * 100


def risk(**changes: object) -> RiskSummary:
    """Risk of a strategy of which only what allocation reads is of interest."""
    figures: dict[str, object] = {
        "net_premium": 0, "max_profit": LAKH, "max_loss": LAKH, "breakevens": (100.0,),
        "probability_of_profit": 0.5, "expected_value": 1000, "delta": 0, "gamma": 0, "theta": 0,
        "vega": 0, "margin": LAKH, "margin_how": "estimate", "charges": 0,
    }  # fmt: skip
    return RiskSummary(**{**figures, **changes})  # type: ignore[arg-type]


def proposal(
    number: int,
    summary: RiskSummary,
    *,
    tier: Tier = Tier.INCOME,
    sector: str = "Looms",
    symbol: str = "",
    stance: Stance = Stance.FLAT,
    score: float = 0.6,
    expiry: date = EXPIRY,
) -> Proposal:
    """Write a proposal of one sold call."""
    instrument = OptionContract("ACME", expiry, 10000, Right.CALL, lot_size=50)
    return Proposal(
        strategy_id=f"S{number:03d}",
        market="test",
        day=DAY,
        symbol=symbol or f"SYM{number}",
        sector=sector,
        template="iron_condor",
        tier=tier,
        stance=stance,
        exit_plan="credit",
        legs=(Leg(instrument, Side.SELL, 1, 100),),
        risk=summary,
        score=Score(score, ()),
        reasons=(),
        chain_id="c",
        spot=10000,
        forward=100.0,
        atm_iv=0.2,
        regime=None,
        view=Outlook.NEUTRAL,
    )


def candidate(
    number: int,
    *,
    capital: int = LAKH,
    loss: int | None = LAKH,
    income: int = 1000,
    **changes: object,
) -> Candidate:
    """Write a candidate; money in paise, ``loss`` ``None`` is unlimited."""
    summary = risk(max_loss=loss, expected_value=income, margin=capital)
    written = proposal(number, summary, **changes)  # type: ignore[arg-type]
    return Candidate(written, capital, capital if loss is None else loss, income)


def plan_of(
    candidates: Sequence[Candidate], rupees: int | None, **changes: object
) -> AllocationPlan:
    """Plan for a capital in rupees under changed settings of ``config/allocation.yaml``."""
    allocation = SETTINGS.allocation.model_copy(update=changes)
    desk = SimpleNamespace(
        settings=SETTINGS.model_copy(update={"allocation": allocation}), account="test", day=DAY
    )
    return allocate(desk, candidates, rupees)  # type: ignore[arg-type]
