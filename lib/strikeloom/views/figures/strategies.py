"""Figures of a day's structures: funnel, refusals, front, and the parts of the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.outcomes import Ending, Rule
from strikeloom.domain.proposals import Proposal
from strikeloom.views.theme import ACCENT, GAIN, LOSS, QUIET, layout

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: What each step of the funnel takes away; what is left after the last was picked.
_STEPS = (
    ("symbols that can be looked at", (Rule.BAN, Rule.CHAIN, Rule.EVIDENCE)),
    ("suit the view", (Rule.VIEW, Rule.NAKED)),
    ("strikes listed and traded", (Rule.EXPIRY, Rule.UNDERLYING, Rule.STRIKES, Rule.LOT_SIZE)),
    ("prices of one time, sold options hedged", (Rule.CANNOT_LOSE, Rule.UNHEDGED)),
    ("probable enough, for enough", (Rule.PROBABILITY, Rule.REWARD)),
    ("earn more than their error", (Rule.FORECAST, Rule.EDGE)),
    ("cost little enough", (Rule.COSTS,)),
)


def funnel_figure(outcomes: pd.DataFrame) -> go.Figure:
    """Structures of all symbols, step by step, down to those that were picked.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        ``OUTCOMES`` rows.
    """
    import plotly.graph_objects as go

    left = len(outcomes)
    names, counts = ["structures on all symbols"], [left]
    rules = outcomes.loc[outcomes["ending"] == Ending.REFUSED.value, "rule"].value_counts()
    for name, stopped in _STEPS:
        left -= int(sum(rules.get(rule.value, 0) for rule in stopped))
        names.append(name)
        counts.append(left)
    names.append("picked")
    counts.append(int((outcomes["ending"] == Ending.PICKED.value).sum()))
    figure = go.Figure(
        go.Funnel(
            y=names,
            x=counts,
            texttemplate="%{value:,} (%{percentInitial})",
            marker={"color": ACCENT},
            connector={"line": {"color": QUIET}},
        )
    )
    figure.update_layout(layout("From all structures to the picks", height=400))
    figure.update_yaxes(automargin=True)
    return figure


def refusals_figure(outcomes: pd.DataFrame) -> go.Figure:
    """How many structures each rule refused.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        ``OUTCOMES`` rows.
    """
    import plotly.graph_objects as go

    counts = outcomes.loc[outcomes["ending"] == Ending.REFUSED.value, "rule"].value_counts()
    counts = counts.sort_values()
    figure = go.Figure(
        go.Bar(x=counts.to_list(), y=[str(name) for name in counts.index], orientation="h",
               marker={"color": QUIET}, text=counts.to_list())
    )  # fmt: skip
    figure.update_layout(layout("Refused, by rule", height=120 + 24 * len(counts)))
    figure.update_xaxes(title="structures")
    figure.update_yaxes(automargin=True)
    return figure


def front_figure(outcomes: pd.DataFrame, fronts: pd.DataFrame, symbol: str) -> go.Figure:
    """Expected value of a symbol's structures against the funds they need, and its Pareto front.

    Parameters
    ----------
    outcomes, fronts : pandas.DataFrame
        ``OUTCOMES`` and ``FRONTS`` rows.
    symbol : str
        Empty: an empty figure, for a day on which nothing is worth it.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    if not symbol:
        return figure.update_layout(layout("Nothing is worth it today"))
    mine = outcomes[(outcomes["symbol"] == symbol) & outcomes["expected_value"].notna()]
    picked = mine["ending"] == Ending.PICKED.value
    rows = fronts[fronts["symbol"] == symbol].sort_values("margin_after")
    figure.add_scatter(
        x=rows["margin_after"].to_list(), y=rows["expected_value"].to_list(), mode="markers",
        name="on the front",
        text=[_hover(*row) for row in zip(rows["template"], rows["legs"], strict=True)],
        marker={"color": (100 * rows["probability"]).round(1).to_list(), "size": 9,
                "colorscale": "Blues", "cmin": 0, "cmax": 100, "line": {"width": 1},
                "colorbar": {"title": "probability<br>of profit, %"}},
        hovertemplate="%{text}<br>%{y:,.0f} for %{x:,.0f}<extra></extra>",
    )  # fmt: skip
    for chosen, name, colour, mark in (
        (mine[~picked], "best of each other structure", QUIET, "circle-open"),
        (mine[picked], "picked", GAIN, "star"),
    ):
        figure.add_scatter(
            x=chosen["funds"].to_list(), y=chosen["expected_value"].to_list(), mode="markers",
            name=name, marker={"color": colour, "symbol": mark, "size": 11},
            text=[_hover(*row) for row in zip(chosen["template"], chosen["legs"], strict=True)],
            hovertemplate="%{text}<br>%{y:,.0f} for %{x:,.0f}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": LOSS, "width": 1})
    figure.update_layout(layout(f"{symbol}: what structures earn, and what they need", height=420))
    figure.update_xaxes(title="funds needed after the worst shock, ₹ (one unit)", type="log")
    figure.update_yaxes(title="expected value after costs, ₹")
    return figure


def _hover(template: str, legs: str) -> str:
    return f"{template.replace('_', ' ')}<br>{legs.replace('; ', '<br>')}"


def score_figure(proposals: Sequence[Proposal], *, count: int = 15) -> go.Figure:
    """Parts of the score of the best proposals, side by side from zero."""
    import plotly.graph_objects as go

    best = sorted(proposals, key=lambda p: -p.score.total)[:count][::-1]
    names = [f"{p.symbol} {p.template.replace('_', ' ')}" for p in best]
    parts = list(dict.fromkeys(name for p in best for name, _ in p.score.parts))
    figure = go.Figure()
    for part in parts:
        values = [dict(p.score.parts).get(part, 0.0) for p in best]
        figure.add_bar(
            y=names,
            x=np.round(values, 4).tolist(),
            orientation="h",
            name=part.replace("_", " "),
        )
    figure.update_layout(
        layout(
            "Best proposals and the parts of their score" if best else "No proposals",
            height=180 + 24 * len(best),
            margin={"l": 70, "r": 20, "t": 100, "b": 50},
        ),
        barmode="relative",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"},
    )
    figure.update_layout(title={"y": 0.98, "yanchor": "top"})
    figure.update_xaxes(title="% of the funds a month")
    figure.update_yaxes(automargin=True)
    return figure
