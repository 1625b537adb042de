"""Payoff of a strategy, and the parts of its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import FutureContract, OptionContract, Right
from strikeloom.domain.legs import Leg
from strikeloom.domain.proposals import Proposal
from strikeloom.quant.payoff import Legs
from strikeloom.quant.probability.value import LegTerms, profit_before_expiry
from strikeloom.quant.smile.curves import Curves
from strikeloom.views.theme import GAIN, INK, LOSS, QUIET, layout

if TYPE_CHECKING:
    import plotly.graph_objects as go

_REACH = 3.0  # standard deviations of the forward on each side


def payoff_figure(proposal: Proposal | None) -> go.Figure:
    """Profit and loss of one unit at its nearest expiry and half-way to it, with the spot.

    Half-way, and for legs that end later, the proposal's at-the-money volatility is used at every
    strike. ``None`` gives an empty figure whose title states it.
    """
    import plotly.graph_objects as go

    if proposal is None:
        return go.Figure().update_layout(layout("No proposals"))
    columns, ends = _columns(proposal)
    days = int(ends.min())
    reach = proposal.atm_iv * np.sqrt(days / 365) * _REACH
    edges = proposal.forward * np.exp(np.array([-reach, reach]))
    dense = np.linspace(float(edges[0]), float(edges[1]), 61)
    kinks = columns.strikes[(columns.strikes > edges[0]) & (columns.strikes < edges[1])]
    roots = [x for x in proposal.risk.breakevens if edges[0] < x < edges[1]]
    spots = np.unique(np.concatenate((edges, kinks, roots)))
    if (ends > days).any():
        spots = np.unique(np.concatenate((spots, dense)))
    at_end = profit_before_expiry(spots[None, :], columns, _terms(proposal, ends, days))[0]
    half = profit_before_expiry(dense[None, :], columns, _terms(proposal, ends, days / 2))[0]
    figure = go.Figure()
    for side, colour, name in ((1, GAIN, "profit"), (-1, LOSS, "loss")):
        figure.add_scatter(
            x=spots.round(2).tolist(),
            y=(np.maximum(side * at_end, 0) * side).round(2).tolist(),
            fill="tozeroy",
            mode="lines",
            line={"width": 0},
            name=name,
            fillcolor=colour,
            opacity=0.35,
        )
    figure.add_scatter(
        x=spots.round(2).tolist(),
        y=at_end.round(2).tolist(),
        mode="lines",
        line={"color": INK, "width": 2},
        showlegend=False,
    )
    figure.add_scatter(
        x=dense.round(2).tolist(),
        y=half.round(2).tolist(),
        mode="lines",
        line={"color": QUIET, "width": 1.5, "dash": "dash"},
        name="half-way to expiry",
    )
    figure.add_vline(
        x=proposal.spot / 100, line={"color": QUIET, "dash": "dot"}, annotation_text="spot"
    )
    title = f"{proposal.symbol} {proposal.template.replace('_', ' ')}: rupees per lot at expiry"
    figure.update_layout(layout(title))
    return figure


def _columns(proposal: Proposal) -> tuple[Legs, np.ndarray]:
    """Legs of the proposal as one row, and the days until each ends; the underlying never does."""
    count = len(proposal.legs)
    strikes, units = np.zeros((2, 1, count))
    ends = np.full((1, count), np.inf)
    is_call = np.ones((1, count), dtype=bool)
    for at, leg in enumerate(proposal.legs):
        units[0, at] = leg.signed_units
        if isinstance(leg.instrument, OptionContract):
            strikes[0, at] = leg.instrument.strike / 100
            is_call[0, at] = leg.instrument.right is Right.CALL
            ends[0, at] = max(1, (leg.instrument.expiry - proposal.day).days)
    ends = np.where(strikes > 0, ends, ends.min())
    cash = np.array([sum(_owed(proposal, leg) for leg in proposal.legs)])
    return Legs(strikes, is_call, units, cash), ends


def _owed(proposal: Proposal, leg: Leg) -> float:
    """Rupees for a leg at the nearest expiry, as its risk counts them.

    A future costs nothing today and its price at the end; one that ends after the options costs
    their forward, because its carry beyond them is no profit.
    """
    options = (it.instrument for it in proposal.legs)
    nearest = min(it.expiry for it in options if isinstance(it, OptionContract))
    if isinstance(leg.instrument, FutureContract) and leg.instrument.expiry > nearest:
        return -leg.signed_units * proposal.forward
    return leg.cash / 100


def _terms(proposal: Proposal, ends: np.ndarray, gone: float) -> LegTerms:
    """Smile, time left, carry and discount of each leg after so many days, without interest."""
    first = ends.min()
    smiles = Curves.flat(proposal.atm_iv**2 * ends / 365)
    growth = np.log(proposal.forward / (proposal.spot / 100)) / first
    left = ends - gone
    return LegTerms(smiles, left / ends, np.exp(growth * left), np.ones(ends.shape))


def score_figure(proposals: Sequence[Proposal], *, count: int = 15) -> go.Figure:
    """Parts of the score of the best proposals, stacked."""
    import plotly.graph_objects as go

    best = sorted(proposals, key=lambda p: -p.score.total)[:count][::-1]
    names = [f"{p.symbol} {p.template.replace('_', ' ')}" for p in best]
    figure = go.Figure()
    for place, (part, _) in enumerate(best[0].score.parts if best else ()):
        figure.add_bar(
            y=names,
            x=[round(p.score.parts[place][1], 4) for p in best],
            orientation="h",
            name=part.replace("_", " "),
        )
    figure.update_layout(
        layout(
            "Best proposals and the parts of their score" if best else "No proposals",
            height=120 + 24 * len(best),
        ),
        barmode="stack",
    )
    figure.update_yaxes(automargin=True)
    return figure
