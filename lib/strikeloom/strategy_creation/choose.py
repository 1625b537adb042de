"""Choose: rules of the risk profile, scores, and how every structure ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.proposals import Score
from strikeloom.domain.templates import StructurePurpose
from strikeloom.errors import DataError, NotBuildable
from strikeloom.ports.desk import Desk
from strikeloom.settings.creation import CreationSettings, RiskProfile
from strikeloom.strategy_creation.build import Built
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.conviction import conviction
from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.liquidity import grade
from strikeloom.strategy_creation.refusal import finite, refusal
from strikeloom.strategy_creation.rules import check
from strikeloom.strategy_creation.score import agreement, score
from strikeloom.strategy_creation.structure import Structure

_HEDGES = 1  # proposed for a symbol


@dataclass(frozen=True)
class Pick:
    """A structure with its figures and its score; a pick once the rules let it through."""

    structure: Structure
    figures: CandidateFigures
    score: Score
    conviction: float

    @property
    def name(self) -> str:
        """Of its template."""
        return self.structure.template.name


class Chosen(NamedTuple):
    """Picks, best first within each symbol, and how every structure that was built ended."""

    picks: list[Pick]
    outcomes: list[Outcome]


def choose(desk: Desk, built: Built, risk: str = "") -> Chosen:
    """Best structures of each symbol under a risk profile, and its best hedge.

    Raises
    ------
    SettingsError
        When the risk profile is not in ``config/creation.yaml``.
    """
    settings = desk.settings.creation
    profile = settings.profile(risk)
    chosen = Chosen([], list(built.refused))
    rivals: dict[tuple[str, bool], list[Pick]] = {}
    for structure in built.structures:
        pick = _pick(structure, settings, profile)
        template, symbol = structure.template, structure.view.symbol
        try:
            check(pick.figures, profile, template.purpose)
        except NotBuildable as reason:
            chosen.outcomes.append(
                refusal(symbol, template.name, reason, structure.legs, **_figures(pick))
            )
            continue
        hedge = template.purpose is StructurePurpose.PROTECT
        rivals.setdefault((symbol, hedge), []).append(pick)
    for (_, hedge), picks in rivals.items():
        picks.sort(key=lambda pick: (-pick.score.total, pick.name))
        _end(picks, _HEDGES if hedge else settings.keep_per_symbol, chosen)
    return chosen


def _pick(structure: Structure, settings: CreationSettings, profile: RiskProfile) -> Pick:
    figures = structure.figures
    if figures is None:
        raise DataError(f"{structure.template.name} of {structure.view.symbol} has no figures")
    sure = conviction(
        figures,
        agreement(structure.view, structure, settings.view_threshold),
        grade(structure, figures),
    )
    return Pick(structure, figures, score(structure, figures, settings, profile), sure)


def _end(picks: Sequence[Pick], count: int, chosen: Chosen) -> None:
    """Endings of rivals, best first."""
    kept = picks[:count]
    chosen.picks.extend(kept)
    for place, pick in enumerate(picks):
        symbol = pick.structure.view.symbol
        own = Outcome(
            symbol,
            pick.name,
            Ending.PICKED,
            Rule.RANK,
            f"number {place + 1} of {len(picks)} by score",
            legs=pick.structure.legs,
            failed=0,
            **_figures(pick),
        )
        if place >= count:
            last = kept[-1]
            own = replace(
                own,
                ending=Ending.BEATEN,
                reason=(
                    f"scores {pick.score.total:z.2f} % a month; the last of {count} picked, "
                    f"{TEMPLATES[last.name].title}, {last.score.total:z.2f} %"
                ),
                value=pick.score.total,
                threshold=last.score.total,
                remedy=f"is picked with a score above {last.score.total:z.2f} %",
                beaten_by=last.name,
            )
        chosen.outcomes.append(own)


def _figures(pick: Pick) -> dict[str, Any]:
    """Fields of an outcome; an unknown figure is absent."""
    figures = pick.figures
    money = {"expected_value": figures.edge, "error": figures.error, "funds": figures.funds}
    known = {name: finite(float(value)) for name, value in money.items()}
    paise = {name: None if value is None else round(value * 100) for name, value in known.items()}
    return {**paise, "score": finite(pick.score.total)}
