"""Payoff of a strategy, and the parts of its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import Right, as_option
from strikeloom.domain.proposals import Proposal
from strikeloom.quant.payoff import Legs, profit_at
from strikeloom.quant.probability.value import LegTerms, profit_before_expiry
from strikeloom.quant.smile.curves import Curves
from strikeloom.views.theme import GAIN, INK, LOSS, QUIET, layout

if TYPE_CHECKING:
    import plotly.graph_objects as go

_REACH = 3.0  # standard deviations of the forward on each side


def payoff_figure(proposal: Proposal | None) -> go.Figure:
    """Profit and loss of one unit at expiry and half-way to it, with spot and breakevens.

    Half-way uses the proposal's at-the-money volatility at every strike. ``None`` gives an empty
    figure whose title states it.
    """
    import plotly.graph_objects as go

    if proposal is None:
        return go.Figure().update_layout(layout("No proposals"))
    legs = proposal.legs
    options = [as_option(leg.instrument) for leg in legs]
    strikes = np.array([[option.strike / 100 for option in options]])
    days = max(1, (options[0].expiry - proposal.day).days)
    deviation = proposal.atm_iv * np.sqrt(days / 365) * _REACH
    edges = proposal.forward * np.exp(np.array([-deviation, deviation]))
    roots = [x for x in proposal.risk.breakevens if edges[0] < x < edges[1]]
    spots = np.unique(np.concatenate((edges, strikes[0], roots)))
    is_call = np.array([[option.right is Right.CALL for option in options]])
    units = np.array([[float(leg.signed_units) for leg in legs]])
    cash = np.array([proposal.risk.net_premium / 100])
    columns = Legs(strikes, is_call, units, cash)
    profit = profit_at(spots[None, :], columns)[0]
    figure = go.Figure()
    for side, colour, name in ((1, GAIN, "profit"), (-1, LOSS, "loss")):
        figure.add_scatter(
            x=spots.round(2).tolist(),
            y=(np.maximum(side * profit, 0) * side).round(2).tolist(),
            fill="tozeroy",
            mode="lines",
            line={"width": 0},
            name=name,
            fillcolor=colour,
            opacity=0.35,
        )
    figure.add_scatter(
        x=spots.round(2).tolist(),
        y=profit.round(2).tolist(),
        mode="lines",
        line={"color": INK, "width": 2},
        showlegend=False,
    )
    dense = np.linspace(float(edges[0]), float(edges[1]), 61)
    half = profit_before_expiry(
        dense[None, :], columns, _half_way(proposal, days / 365, len(legs))
    )[0]
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


def _half_way(proposal: Proposal, years: float, legs: int) -> LegTerms:
    one = np.ones((1, legs))
    smiles = Curves.flat(one * proposal.atm_iv**2 * years)
    carry = np.sqrt(proposal.forward / (proposal.spot / 100))
    return LegTerms(smiles, 0.5 * one, carry * one, one)


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
