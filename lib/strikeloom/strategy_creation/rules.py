"""Rules of a risk profile: what a candidate must show, as measures with a limit each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.counted import counted
from strikeloom.domain.money import rupees_text
from strikeloom.domain.outcomes import Rule
from strikeloom.domain.templates import StructurePurpose
from strikeloom.errors import NotBuildable
from strikeloom.settings.creation import RiskProfile
from strikeloom.strategy_creation.earnings import CandidateFigures, at_risk
from strikeloom.strategy_creation.nearness import shortfall

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_DIGITS = 6  # after the point, at most


@dataclass(frozen=True)
class Limit:
    """One rule.

    Attributes
    ----------
    value, threshold : callable
        Of candidates.
    passing : callable
        How a passing value compares with the threshold: ``numpy.greater`` and its like.
    reason, remedy : callable
        Sentences of one candidate from its figures and the profile.
    """

    rule: Rule
    passing: Callable[[Floats, Floats | float], Bools]
    value: Callable[[CandidateFigures], Floats]
    threshold: Callable[[CandidateFigures, RiskProfile], Floats | float]
    reason: Callable[[CandidateFigures, RiskProfile], str]
    remedy: Callable[[CandidateFigures, RiskProfile], str]

    def passes(self, figures: CandidateFigures, profile: RiskProfile) -> Bools:
        """Which candidates pass; one with an unknown figure does not."""
        return np.asarray(self.passing(self.value(figures), self.threshold(figures, profile)))


def limits(purpose: StructurePurpose) -> Sequence[Limit]:
    """Rules in their order; a hedge is held for what it protects and need not earn."""
    return _EVERY if purpose is StructurePurpose.PROTECT else (*_EVERY, *_EARNER)


class Misses(NamedTuple):
    """What candidates fail.

    Attributes
    ----------
    failed : ndarray of int64
        How many rules; all of them where it cannot lose, as no figure of such prices counts.
    away : ndarray
        How far the first of them is off (``nearness.shortfall``); 0 where none.
    """

    failed: Ints
    away: Floats


def misses(figures: CandidateFigures, profile: RiskProfile, earns: Bools) -> Misses:
    """What candidates fail; ``earns`` is of earners, not of hedges."""
    failed = np.zeros(np.shape(figures.edge), dtype=np.int64)
    away = np.zeros(np.shape(figures.edge))
    for limit in (*_EVERY, *_EARNER):
        fails = ~limit.passes(figures, profile) & (earns | (limit in _EVERY))
        first = fails & (failed == 0)
        if first.any():
            off = shortfall(limit.value(figures), limit.threshold(figures, profile))
            away = np.where(first, off, away)
        failed += fails
    every = len(_EVERY) + len(_EARNER) * earns
    return Misses(np.where(_CANNOT_LOSE.passes(figures, profile), failed, every), away)


def check(figures: CandidateFigures, profile: RiskProfile, purpose: StructurePurpose) -> None:
    """Check one candidate.

    Raises
    ------
    NotBuildable
        With the first rule that it fails, its value, its threshold, what would pass that rule, the
        rules that fail besides, and how many fail.
    """
    failing = [it for it in limits(purpose) if not bool(it.passes(figures, profile))]
    if not failing:
        return
    limit, remedy = failing[0], failing[0].remedy(figures, profile)
    besides = [it.rule.value for it in failing[1:]]
    if besides and remedy:
        remedy += f"; {' and '.join(besides)} {'fails' if len(besides) == 1 else 'fail'} too"
    raise NotBuildable(
        limit.reason(figures, profile),
        rule=limit.rule,
        value=float(limit.value(figures)),
        threshold=float(limit.threshold(figures, profile)),
        remedy=remedy,
        failed=len(limits(purpose)) if limit is _CANNOT_LOSE else len(failing),
    )


def _text(amount: float | Floats, *, signed: bool = False) -> str:
    return rupees_text(round(float(amount) * 100), signed=signed)


def _net_sold(figures: CandidateFigures) -> str:
    """What net sold options may lose, up and down."""
    parts = []
    if figures.sold_calls > 0:
        parts.append(f"{counted(int(figures.sold_calls), 'net sold call')}: its loss is unlimited")
    if figures.sold_puts > 0:
        worst = f", {_text(figures.max_loss)}" if np.isfinite(figures.max_loss) else ""
        parts.append(f"{counted(int(figures.sold_puts), 'net sold put')}: loses down to 0{worst}")
    return "; ".join(parts)


def _reward(figures: CandidateFigures) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = figures.max_profit / at_risk(figures)
    return np.asarray(np.where(np.isinf(figures.max_profit), np.inf, ratio))


def _cost_share(figures: CandidateFigures) -> Floats:
    """Costs as a share of the edge before them; infinite where that is nothing or a loss."""
    gross = figures.edge + figures.costs
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(gross <= 0, np.inf, figures.costs / gross))


def _edge_remedy(figures: CandidateFigures, profile: RiskProfile) -> str:
    least = profile.errors * figures.error
    spare = figures.edge + figures.costs - least
    if spare > 0:
        return f"passes if a round trip costs less than {_text(spare)} (now {_text(figures.costs)})"
    return f"passes if it earned {_text(least - figures.edge)} more"


def _beside(value: float | Floats, limit: float, digits: int, kind: str = "%") -> str:
    """A value with as many digits as it takes to differ from a limit that it misses.

    ``kind`` is of a format: ``%`` or ``f``.
    """
    found, asked = (f"{float(it):.{digits}{kind}}" for it in (value, limit))
    if found == asked and digits < _DIGITS:
        return _beside(value, limit, digits + 1, kind)
    return found


def _multiple(errors: float) -> str:
    return "that" if errors == 1 else f"{errors:g} times that"


def _most_costs(figures: CandidateFigures, profile: RiskProfile) -> str:
    gross = figures.edge + figures.costs
    return _text(profile.max_cost_share * gross)


_CANNOT_LOSE = Limit(
    Rule.CANNOT_LOSE,
    np.greater,
    lambda it: it.max_loss,
    lambda _it, _profile: 0.0,
    lambda _it, _profile: (
        "it cannot lose at these closes: it only lends at interest, or its legs last traded at "
        "different times"
    ),
    lambda _it, _profile: "",
)
_EVERY = (
    _CANNOT_LOSE,
    Limit(
        Rule.UNHEDGED,
        np.less_equal,
        lambda it: it.sold_calls + it.sold_puts,
        lambda _it, profile: np.inf if profile.unhedged else 0.0,
        lambda it, _profile: f"{_net_sold(it)}; the risk profile excludes net sold options",
        lambda _it, _profile: "passes this rule under a profile with unhedged",
    ),
    Limit(
        Rule.FORECAST,
        np.greater_equal,
        lambda it: np.where(np.isnan(it.edge), 0.0, 1.0),
        lambda _it, _profile: 1.0,
        lambda _it, _profile: (
            "what it earns or costs in the real world is not known: no forecast of volatility, "
            "for want of complete daily bars"
        ),
        lambda _it, _profile: "passes with a complete month of daily bars",
    ),
)
_EARNER = (
    Limit(
        Rule.PROBABILITY,
        np.greater_equal,
        lambda it: it.chance,
        lambda _it, profile: profile.min_probability_of_profit,
        lambda it, profile: (
            "its probability of profit of "
            f"{_beside(it.chance, profile.min_probability_of_profit, 1)} is below the risk "
            f"profile's {profile.min_probability_of_profit:.0%}"
        ),
        lambda _it, profile: f"passes from {profile.min_probability_of_profit:.0%}",
    ),
    Limit(
        Rule.REWARD,
        np.greater_equal,
        _reward,
        lambda _it, profile: profile.min_reward_to_risk,
        lambda it, profile: (
            "its maximum profit is "
            f"{_beside(_reward(it), profile.min_reward_to_risk, 3, 'f')} of its maximum loss (of "
            "the funds, where these are less), below the risk profile's "
            f"{profile.min_reward_to_risk:g}"
        ),
        lambda _it, profile: f"passes from {profile.min_reward_to_risk:g}",
    ),
    Limit(
        Rule.EDGE,
        np.greater,
        lambda it: it.edge,
        lambda it, profile: profile.errors * it.error,
        lambda it, profile: (
            f"it is expected to earn {_text(it.edge, signed=True)} after a round trip of "
            f"{_text(it.costs)}; its quotes and the forecast leave that uncertain by "
            f"{_text(it.error)}, and it must earn more than {_multiple(profile.errors)}"
        ),
        _edge_remedy,
    ),
    Limit(
        Rule.COSTS,
        np.less_equal,
        _cost_share,
        lambda _it, profile: profile.max_cost_share,
        lambda it, profile: (
            f"a round trip costs {_text(it.costs)}, "
            f"{_beside(_cost_share(it), profile.max_cost_share, 0)} of the "
            f"{_text(it.edge + it.costs)} that it is expected to earn before; at most "
            f"{profile.max_cost_share:.0%} may go"
        ),
        lambda it, profile: f"passes if a round trip costs {_most_costs(it, profile)} or less",
    ),
)
