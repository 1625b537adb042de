"""Structures of candidates: the best whose legs can be made, after one whose cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.market import MarketView
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.search import Best, ChainSearch, Searched
from strikeloom.strategy_creation.strikes import LegSearch, StrikeChoice, leg_expiries
from strikeloom.strategy_creation.structure import Structure, structure_of

Ints = NDArray[np.int64]


def best_buildable(
    prepared: ChainSearch, searched: Searched, template: StrategyTemplate, view: MarketView
) -> Structure:
    """The first of the best candidates whose legs can be made.

    Raises
    ------
    NotBuildable
        When none can be made: why the best cannot.
    """
    best = searched.found[template.name]
    reasons: list[NotBuildable] = []
    for rows, figures in _candidates(searched, best, len(template.legs)):
        try:
            found = structure_at(prepared, template, view, rows)
        except NotBuildable as reason:
            reasons.append(reason)
        else:
            return replace(found, tried=best.tried, possible=best.possible, figures=figures)
    raise reasons[0]


def _candidates(
    searched: Searched, best: Best, legs: int
) -> Iterator[tuple[Ints, CandidateFigures]]:
    yield best.rows, best.figures
    valued = searched.valued
    for number in best.next_best.tolist():
        yield valued.rows[number, :legs], valued.figures.row(number)


def structure_at(
    prepared: ChainSearch, template: StrategyTemplate, view: MarketView, rows: Ints
) -> Structure:
    """Structure of a candidate; ``rows`` of shape (L,).

    Raises
    ------
    NotBuildable
        As ``structure_of``.
    """
    return structure_of(template, view, prepared.strikes, choice_of(prepared, template, rows))


def choice_of(
    prepared: ChainSearch, template: StrategyTemplate, rows: Ints
) -> tuple[StrikeChoice, ...]:
    """Strike of each leg of a candidate; ``rows`` of shape (L,)."""
    strike = prepared.rows.contracts.strike
    expiries = leg_expiries(template, prepared.strikes.chain)
    found: list[StrikeChoice] = []
    taken: list[float] = []
    for leg, expiry, row in zip(template.legs, expiries, rows.tolist(), strict=True):
        place, wanted = int(prepared.rows.place[row]), float("nan")
        if leg.right is not None and leg.strike is not None:
            wanted = LegSearch(leg, leg.right, leg.strike, expiry, prepared.strikes).wanted(taken)
        found.append(StrikeChoice(expiry, wanted, place))
        taken.append(float("nan") if leg.right is None else float(strike[row]))
    return tuple(found)
