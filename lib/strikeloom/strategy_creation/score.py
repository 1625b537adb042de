"""Score of a structure: what it earns for what it binds, less its tail, plus how it fits.

Every part is in per cent of the funds that one unit needs after the worst of the named shocks, for
a month of 21 sessions; the total is their sum (``docs/creation.md``).
"""

from __future__ import annotations

import math

import numpy as np

from strikeloom.domain.market import Evidence, MarketView, Topic
from strikeloom.domain.proposals import Score
from strikeloom.domain.templates import Stance, VolatilityUse
from strikeloom.settings.creation import CreationSettings, RiskProfile
from strikeloom.strategy_creation.earnings import (
    MONTH,
    CandidateFigures,
    at_risk,
    earning_rate,
    tail_rate,
)
from strikeloom.strategy_creation.liquidity import grade
from strikeloom.strategy_creation.structure import Structure

_MOST_LEGS = 6  # of the catalogue: as complex as it gets
_USUAL_DECAY = 2.0  # per cent of the funds a month that time alone earns a seller


def score(
    structure: Structure,
    figures: CandidateFigures,
    settings: CreationSettings,
    profile: RiskProfile,
) -> Score:
    """Parts and total, per cent of the funds a month.

    Parameters
    ----------
    figures : CandidateFigures
        Of one unit of the structure.
    """
    sessions = structure.horizon.past.horizon
    parts = {
        "earnings": float(earning_rate(figures, sessions)),
        "tail": float(tail_rate(figures, sessions, profile.tail_price)),
    }
    known = components(structure, figures, settings.view_threshold)
    weights = settings.weights.model_dump()
    whole = sum(weights[name] for name in known)
    for name, value in known.items():
        parts[name] = settings.fit * weights[name] / whole * value if whole else 0.0
    return Score(sum(parts.values()), tuple(parts.items()))


def components(
    structure: Structure, figures: CandidateFigures, threshold: float
) -> dict[str, float]:
    """How a structure fits, 0 to 1 by component; what is not known is absent.

    Parameters
    ----------
    threshold : float
        Mean vote beyond which a view is directional (``view_threshold``).
    """
    view, template = structure.view, structure.template
    trend = [item for item in view.evidence if item.topic is Topic.TREND]
    found = {
        "probability": float(figures.chance),
        "risk_reward": risk_reward(float(figures.max_profit), float(at_risk(figures))),
        "direction": along(template.stance, view.mean_vote, threshold),
        "iv_fit": _volatility_fit(template.volatility, view.richness),
        "liquidity": grade(structure, figures).share,
        "momentum": along(template.stance, _mean(trend), threshold) if trend else None,
        "time_decay": _decay(structure, figures),
        "complexity": max(0.0, (_MOST_LEGS - template.complexity) / (_MOST_LEGS - 1)),
    }
    return {name: value for name, value in found.items() if value is not None}


def risk_reward(max_profit: float, max_loss: float) -> float:
    """Share of the profit in profit and loss at their largest; a half where both are unlimited.

    What cannot lose, whose loss is negative, has the whole.
    """
    if math.isinf(max_profit) and math.isinf(max_loss):
        return 0.5
    if math.isinf(max_profit):
        return 1.0
    whole = max_profit + max(max_loss, 0.0)
    return max(0.0, max_profit / whole) if whole > 0 else 0.0


def along(stance: Stance, vote: float, threshold: float) -> float:
    """How far a stance goes with a mean vote from -1 (falls) to +1 (rises).

    Without direction a flat structure fits as well as a directional one does at a view of half
    its range: neither kind has the higher component by construction.
    """
    match stance:
        case Stance.LONG:
            return 0.5 + 0.5 * vote
        case Stance.SHORT:
            return 0.5 - 0.5 * vote
        case _:
            return 0.5 + 0.25 * float(np.clip(1.0 - abs(vote) / threshold, -2.0, 1.0))


def _volatility_fit(use: VolatilityUse, richness: float | None) -> float | None:
    if richness is None:
        return None
    sign = {VolatilityUse.SELL: 1.0, VolatilityUse.BUY: -1.0}.get(use, 0.0)
    return 0.5 + 0.5 * sign * richness


def _decay(structure: Structure, figures: CandidateFigures) -> float:
    sessions = max(structure.horizon.past.horizon, 1)
    rate = 100 * float(figures.decay / figures.funds) * MONTH / sessions
    return 0.5 + 0.5 * math.tanh(rate / _USUAL_DECAY)


def _mean(evidence: list[Evidence]) -> float:
    return float(np.mean([item.vote for item in evidence]))


def agreement(view: MarketView, structure: Structure, threshold: float) -> float:
    """How far the evidence goes with a structure, 0 to 1: on direction and on volatility."""
    parts = [along(structure.template.stance, view.mean_vote, threshold)]
    volatility = _volatility_fit(structure.template.volatility, view.richness)
    if volatility is not None:
        parts.append(volatility)
    return float(np.mean(parts))
