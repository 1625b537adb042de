"""Make proposals of what was picked: exact figures, reasons, an identity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.money import paise
from strikeloom.domain.outcomes import Outcome
from strikeloom.domain.proposals import Proposal, RiskSummary, strategy_id
from strikeloom.domain.templates import StructurePurpose
from strikeloom.ports.desk import Desk
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.choose import Chosen, Pick
from strikeloom.strategy_creation.delivery import delivery_need
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.explain import explain
from strikeloom.strategy_creation.liquidity import grade
from strikeloom.strategy_creation.nearness import nearest_miss


def propose(desk: Desk, chosen: Chosen) -> list[Proposal]:
    """Proposals, highest score first."""
    rate, shocks = desk.settings.iv.rate, desk.settings.creation.shocks
    risks = evaluate([pick.structure for pick in chosen.picks], rate, shocks)
    rows = [
        _proposal(desk.market, pick, _joined(pick, risk), rate)
        for pick, risk in zip(chosen.picks, risks, strict=True)
    ]
    return sorted(rows, key=lambda row: (-row.score.total, row.strategy_id))


def best(proposals: Iterable[Proposal]) -> Proposal | None:
    """The earner with the highest score; ``None`` when nothing is worth it."""
    earners = (row for row in proposals if row.purpose is not StructurePurpose.PROTECT)
    return max(earners, key=lambda row: row.score.total, default=None)


def _joined(pick: Pick, risk: RiskSummary) -> RiskSummary:
    """The exact figures with those by which it competed."""
    figures, delivery = pick.figures, delivery_need(pick.structure)
    return replace(
        risk,
        edge=_paise(figures.edge),
        error=_paise(figures.error),
        funds=_paise(figures.funds),
        decay=_paise(figures.decay),
        liquidity=grade(pick.structure, figures).value,
        delivery_margin=delivery.most if delivery else None,
    )


def _paise(rupees: float | NDArray[np.float64]) -> int | None:
    """``None`` of what is not known."""
    return round(float(rupees) * 100) if np.isfinite(rupees) else None


def _proposal(market: str, pick: Pick, risk: RiskSummary, rate: float) -> Proposal:
    structure = pick.structure
    chain, template, horizon = structure.chain, structure.template, structure.horizon
    symbol = chain.underlying.symbol
    earns = template.purpose is not StructurePurpose.PROTECT
    return Proposal(
        strategy_id=strategy_id(market, chain.day, symbol, template.name, structure.legs),
        market=market,
        day=chain.day,
        symbol=symbol,
        sector=chain.underlying.sector,
        template=template.name,
        tier=template.tier,
        stance=template.stance,
        exit_plan=template.exit_plan,
        legs=structure.legs,
        risk=risk,
        score=pick.score,
        reasons=explain(pick, risk, rate),
        chain_id=f"{symbol}:{chain.day}:{horizon.expiry}",
        spot=paise(chain.spot, what=f"spot of {symbol}"),
        forward=horizon.forward,
        atm_iv=horizon.atm_iv,
        regime=chain.rank.regime,
        view=structure.view.outlook,
        conviction=pick.conviction if earns else None,
        purpose=template.purpose,
    )


def why_nothing(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Sentences for a day without an earner: what came nearest, and what it lacked."""
    nearest = nearest_miss(outcomes)
    if nearest is None:
        return ("Nothing is worth it today: no structure could be built.",)
    remedy = f"It {nearest.remedy}." if nearest.remedy else ""
    title = TEMPLATES[nearest.template].title
    return (
        f"Nothing is worth it today. Nearest: {title} on {nearest.symbol}: {nearest.reason}.",
        *([remedy] if remedy else []),
    )
