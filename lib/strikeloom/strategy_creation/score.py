"""Filter by risk profile, score the rest, and keep the best of each symbol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from strikeloom.domain.money import paise, rupees_text
from strikeloom.domain.proposals import Proposal, RiskSummary, Score, strategy_id
from strikeloom.errors import NotBuildable, SettingsError
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection
from strikeloom.settings.creation import CreationSettings, RiskProfile, ScoreWeights
from strikeloom.strategy_creation.build import Structure
from strikeloom.strategy_creation.explain import explain


def score(
    desk: Desk, structures: Sequence[Structure], risks: Sequence[RiskSummary], profile: str = ""
) -> tuple[list[Proposal], list[Rejection]]:
    """Proposals, best first within each symbol, and a rejection for every other structure.

    Raises
    ------
    SettingsError
        When the risk profile is not in ``config/creation.yaml``.
    """
    settings = desk.settings.creation
    limits = _profile(settings, profile or settings.risk)
    kept: dict[str, list[Proposal]] = {}
    rejected: list[Rejection] = []
    for structure, risk in zip(structures, risks, strict=True):
        symbol = structure.chain.underlying.symbol
        try:
            _check_limits(structure, risk, limits)
        except NotBuildable as reason:
            rejected.append(Rejection(symbol, structure.template.name, str(reason)))
            continue
        proposal = _proposal(desk.market, structure, risk, settings.weights)
        kept.setdefault(symbol, []).append(proposal)
    chosen: list[Proposal] = []
    for symbol, rows in kept.items():
        rows.sort(key=lambda row: (-row.score.total, row.template))
        chosen += rows[: settings.keep_per_symbol]
        rejected += [
            Rejection(symbol, row.template, f"not among the best {settings.keep_per_symbol}")
            for row in rows[settings.keep_per_symbol :]
        ]
    return chosen, rejected


def best(proposals: Iterable[Proposal]) -> Proposal | None:
    """The proposal with the highest score; ``None`` when there is none."""
    return max(proposals, key=lambda row: row.score.total, default=None)


def _profile(settings: CreationSettings, name: str) -> RiskProfile:
    if name not in settings.profiles:
        raise SettingsError(
            f"risk profile {name!r} is not in config/creation.yaml; known: "
            f"{', '.join(settings.profiles)}"
        )
    return settings.profiles[name]


def _check_limits(structure: Structure, risk: RiskSummary, limits: RiskProfile) -> None:
    if structure.template.is_naked and not limits.unlimited_loss:
        raise NotBuildable("it only sells options, without cover, which the risk profile excludes")
    if risk.max_profit is not None and risk.max_profit <= risk.charges:
        raise NotBuildable(
            f"its maximum profit of {rupees_text(risk.max_profit)} does not cover its charges of "
            f"{rupees_text(risk.charges)}"
        )
    if risk.max_loss == 0:
        raise NotBuildable(
            "it cannot lose at these closes: its legs last traded at different times"
        )
    if risk.max_loss is None and not limits.unlimited_loss:
        raise NotBuildable("its loss is unlimited, which the risk profile excludes")
    if risk.probability_of_profit < limits.min_probability_of_profit:
        raise NotBuildable(
            f"its probability of profit of {risk.probability_of_profit:.1%} is below the risk "
            f"profile's {limits.min_probability_of_profit:.0%}"
        )
    if risk.max_profit is not None and risk.max_loss:
        ratio = risk.max_profit / risk.max_loss
        if ratio < limits.min_reward_to_risk:
            raise NotBuildable(
                f"its maximum profit is {ratio:.3f} of its maximum loss, below the risk profile's "
                f"{limits.min_reward_to_risk:g}"
            )


def _proposal(
    market: str, structure: Structure, risk: RiskSummary, weights: ScoreWeights
) -> Proposal:
    chain, template, horizon = structure.chain, structure.template, structure.horizon
    symbol = chain.underlying.symbol
    name = strategy_id(market, chain.day, symbol, template.name, structure.legs)
    return Proposal(
        strategy_id=name,
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
        score=_score(structure, risk, weights),
        reasons=explain(structure, risk),
        chain_id=f"{symbol}:{chain.day}:{horizon.expiry}",
        spot=paise(chain.spot, what=f"spot of {symbol}"),
        forward=horizon.forward,
        atm_iv=horizon.atm_iv,
        regime=chain.rank.regime,
        view=structure.view.outlook,
    )


def _score(structure: Structure, risk: RiskSummary, weights: ScoreWeights) -> Score:
    """Weighted mean of parts from 0 to 1."""
    at_stake = max(risk.margin, risk.max_loss or 0, 1)
    strength = structure.view.strength
    parts = {
        "probability": risk.probability_of_profit,
        # an expected profit of 5 % of the amount at stake gives the full score
        "expected_value": float(np.clip(0.5 + 10 * risk.expected_value / at_stake, 0, 1)),
        "view": strength if structure.view.outlook.value != "neutral" else 1 - strength,
        "regime": float(structure.template.volatility.suits(structure.chain.rank.regime)),
        "liquidity": float(np.clip(np.log10(max(structure.thinnest, 1)) / 4, 0, 1)),
    }
    shares = weights.model_dump()
    whole = sum(shares.values())
    weighted = tuple((name, shares[name] / whole * value) for name, value in parts.items())
    return Score(sum(value for _, value in weighted), weighted)
