"""Search every template on every chain: its best legs, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.market import MarketView
from strikeloom.domain.outcomes import Outcome, Rule
from strikeloom.domain.progress import Progress
from strikeloom.domain.selectors import Delta
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.ports.desk import Desk
from strikeloom.settings.creation import RiskProfile
from strikeloom.strategy_creation.buildable import best_buildable
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.front import symbol_front
from strikeloom.strategy_creation.load import LoadedChains
from strikeloom.strategy_creation.refusal import refusal
from strikeloom.strategy_creation.search import ChainSearch, prepare_search, search_all
from strikeloom.strategy_creation.structure import Structure
from strikeloom.strategy_creation.tradable import TradableStrikes, solve_deltas

#: Deltas that templates name.
_DELTAS = {
    (leg.right, leg.strike.delta): None
    for template in TEMPLATES.values()
    for leg in template.legs
    if leg.right is not None and isinstance(leg.strike, Delta)
}.keys()


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
    tradable = {
        symbol: TradableStrikes(loaded.chains[symbol], settings.min_lots_traded) for symbol in views
    }
    solve_deltas(list(tradable.values()), _DELTAS)
    for done, (symbol, view) in enumerate(views.items(), start=1):
        prepared = prepare_search(
            tradable[symbol], settings.search, profile, settings.shocks, desk.settings.iv.rate
        )
        found = _built(prepared, view, settings.front_rows)
        whole.structures.extend(found.structures)
        whole.refused.extend(found.refused)
        whole.fronts.extend(found.fronts)
        if progress:
            progress(done, len(views))
    return whole


def _built(prepared: ChainSearch, view: MarketView, front_rows: int) -> Built:
    """Structures of one symbol."""
    whole = Built([], [], [])
    refused: dict[str, NotBuildable] = {}
    for name, template in TEMPLATES.items():
        try:
            _check_fit(template, view, prepared.profile)
        except NotBuildable as reason:
            refused[name] = reason
    searched = search_all(prepared, [TEMPLATES[name] for name in TEMPLATES if name not in refused])
    refused.update(searched.refused)
    made: set[str] = set()
    for name in searched.found:
        try:
            found = best_buildable(prepared, searched, TEMPLATES[name], view)
        except NotBuildable as reason:
            refused[name] = reason
            continue
        made.add(name)
        whole.structures.append(found)
    whole.refused.extend(
        refusal(view.symbol, name, refused[name]) for name in TEMPLATES if name in refused
    )
    whole.fronts.extend(symbol_front(prepared, view, searched, made, front_rows))
    return whole


def _check_fit(template: StrategyTemplate, view: MarketView, profile: RiskProfile) -> None:
    """What needs no prices."""
    if view.outlook not in template.outlooks:
        suited = " or ".join(sorted(outlook.value for outlook in template.outlooks))
        raise NotBuildable(
            f"does not suit a {view.outlook} view: it needs a {suited} one", rule=Rule.VIEW
        )
    if template.is_naked and not profile.unhedged:
        raise NotBuildable(
            "it only sells options, without cover, which the risk profile excludes",
            rule=Rule.NAKED,
            remedy="passes this rule under a profile with unhedged",
        )
