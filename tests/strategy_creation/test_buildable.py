"""The best candidate whose legs can be made: what is tried after one whose cannot, and how long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from strikeloom.domain.market import MarketView, Outlook
from strikeloom.domain.outcomes import Rule
from strikeloom.errors import NotBuildable
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation import buildable
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.model_chain import model_chain
from strikeloom.strategy_creation.search import (
    NEXT_BEST,
    ChainSearch,
    Searched,
    prepare_search,
    search_all,
)
from strikeloom.strategy_creation.structure import Structure, structure_of
from strikeloom.strategy_creation.tradable import TradableStrikes

TEMPLATE = TEMPLATES["bull_put_spread"]
CHAIN = model_chain()
VIEW = MarketView("MODEL", CHAIN.day, Outlook.BULLISH, 0.1, ())


@pytest.fixture
def searched() -> tuple[ChainSearch, Searched]:
    creation = load_settings().creation
    prepared = prepare_search(
        TradableStrikes(CHAIN, 10), creation.search, creation.profile("aggressive"), [], 0.065
    )
    return prepared, search_all(prepared, [TEMPLATE])


def _best(searched: tuple[ChainSearch, Searched]) -> Structure:
    return buildable.best_buildable(*searched, TEMPLATE, VIEW)


def _refuse(patch: pytest.MonkeyPatch, count: int) -> list[int]:
    """Make ``structure_of`` refuse its first calls; the list has one entry a call."""
    calls: list[int] = []

    def made(*given: Any) -> Structure:
        calls.append(len(calls))
        if calls[-1] < count:
            raise NotBuildable(f"refused {calls[-1]}", rule=Rule.LOT_SIZE)
        return structure_of(*given)

    patch.setattr(buildable, "structure_of", made)
    return calls


def test_the_next_best_is_taken_where_the_best_cannot_be_made(
    searched: tuple[ChainSearch, Searched], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By rank among those that fail as few rules: the third highest after two refusals."""
    usual = _best(searched)
    _refuse(monkeypatch, 2)
    third = _best(searched)
    valued = searched[1].valued
    fewest = valued.misses.failed == valued.misses.failed.min()
    near = np.lexsort((-valued.rank[fewest], valued.misses.away[fewest]))
    edges = valued.figures.edge[fewest][near]
    assert usual.figures is not None
    assert third.figures is not None
    assert (usual.figures.edge, third.figures.edge) == (edges[0], edges[2])
    assert third.legs != usual.legs
    assert (third.tried, third.possible) == (usual.tried, usual.possible)


def test_it_gives_up_with_the_first_reason_after_a_stated_number(
    searched: tuple[ChainSearch, Searched], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _refuse(monkeypatch, 10**6)
    with pytest.raises(NotBuildable, match="refused 0"):
        _best(searched)
    assert len(calls) == min(NEXT_BEST, len(searched[1].found[TEMPLATE.name].next_best)) + 1 > 3
