"""Structures of the model chain with figures, as choosing makes picks of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np

from strikeloom.domain.market import MarketView
from strikeloom.domain.proposals import Score
from strikeloom.ports.desk import Desk
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.build import Built, build
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.choose import Pick
from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.load import LoadedChains
from strikeloom.strategy_creation.structure import Structure

_PLAIN = {
    "max_profit": 500.0, "max_loss": 1_500.0, "chance": 0.6, "edge": 200.0, "error": 50.0,
    "quotes_error": 30.0,
    "tail": -1_000.0, "costs": 90.0, "margin": 9_000.0, "funds": 10_000.0, "decay": 300.0,
    "sold_calls": 0.0, "sold_puts": 0.0,
}  # fmt: skip


def figures(**changes: float | list[float]) -> CandidateFigures:
    """Figures of one candidate, or of several where any is a list; rupees."""
    given = {name: np.asarray(value, dtype=float) for name, value in (_PLAIN | changes).items()}
    shape = np.broadcast_shapes(*(value.shape for value in given.values()))
    return CandidateFigures(**{n: np.broadcast_to(v, shape) for n, v in given.items()})


def pick(structure: Structure, **changes: float) -> Pick:
    """A pick of a structure with figures written by hand, and a score of 3.5."""
    parts = (("earnings", 3.0), ("tail", -0.25), ("probability", 0.75))
    return Pick(structure, figures(**changes), Score(3.5, parts), 70.0)


def made_desk(**creation: object) -> Desk:
    """A desk that has settings only; changes are of ``config/creation.yaml``."""
    settings = load_settings()
    changed = settings.creation.model_copy(update=creation)
    made = settings.model_copy(update={"creation": changed})
    return cast("Desk", SimpleNamespace(settings=made, market="made"))


def built_on(desk: Desk, chain: Chain, view: MarketView, risk: str = "") -> Built:
    """What the search finds on one chain."""
    loaded = cast("LoadedChains", SimpleNamespace(chains={view.symbol: chain}))
    return build(desk, loaded, {view.symbol: view}, risk)
