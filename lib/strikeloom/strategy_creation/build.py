"""Search every template on every chain: its best legs, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.market import MarketView
from strikeloom.domain.outcomes import Outcome, Rule
from strikeloom.domain.progress import Progress
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.ports.desk import Desk
from strikeloom.settings.creation import RiskProfile
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.front import symbol_front
from strikeloom.strategy_creation.load import LoadedChains
from strikeloom.strategy_creation.refusal import refusal
from strikeloom.strategy_creation.search import Best, choice_of, prepare_search, search
from strikeloom.strategy_creation.strikes import TradableStrikes
from strikeloom.strategy_creation.structure import Structure, structure_of


class Built(NamedTuple):
    """What the searches of a day found.

    Attributes
    ----------
    structures : list of Structure
        Best of each template on each symbol.
    refused : list of Outcome
        Templates that have no structure on a symbol.
    fronts : list of FrontRow
        Best structures of each symbol, whatever they are good in.
    """

    structures: list[Structure]
    refused: list[Outcome]
    fronts: list[FrontRow]


def build(
    desk: Desk,
    loaded: LoadedChains,
    views: Mapping[str, MarketView],
    risk: str = "",
    *,
    progress: Progress | None = None,
) -> Built:
    """Structures that fit their view, each with its best strikes under a risk profile.

    Parameters
    ----------
    risk : str
        Risk profile; empty: the one of ``config/creation.yaml``.
    progress : callable, optional
        Called with the symbols done and their number.

    Raises
    ------
    SettingsError
        When the risk profile is not in ``config/creation.yaml``.
    """
    settings = desk.settings.creation
    profile = settings.profile(risk)
    whole = Built([], [], [])
    for done, (symbol, view) in enumerate(views.items(), start=1):
        chain = loaded.chains[symbol]
        strikes = TradableStrikes(chain, settings.min_lots_traded)
        prepared = prepare_search(
            strikes, settings.search, profile, settings.shocks, desk.settings.iv.rate
        )
        found: dict[str, Best] = {}
        for template in TEMPLATES.values():
            try:
                _check_fit(template, view, profile)
                best = search(prepared, template)
                choice = choice_of(prepared, template, best.rows)
                made = structure_of(template, view, strikes, choice)
            except NotBuildable as reason:
                whole.refused.append(refusal(symbol, template.name, reason))
                continue
            found[template.name] = best
            whole.structures.append(
                replace(made, tried=best.tried, possible=best.possible, figures=best.figures)
            )
        whole.fronts.extend(symbol_front(prepared, view, found, settings.front_rows))
        if progress:
            progress(done, len(views))
    return whole


def _check_fit(template: StrategyTemplate, view: MarketView, profile: RiskProfile) -> None:
    """What needs no prices."""
    if view.outlook not in template.outlooks:
        suited = " or ".join(sorted(outlook.value for outlook in template.outlooks))
        raise NotBuildable(
            f"does not suit a {view.outlook} view: it needs a {suited} one", rule=Rule.VIEW
        )
    if template.is_naked and not profile.unlimited_loss:
        raise NotBuildable(
            "it only sells options, without cover, which the risk profile excludes",
            rule=Rule.NAKED,
            remedy="passes under a profile with unlimited_loss",
        )
