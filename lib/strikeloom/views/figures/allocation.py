"""Use of the capital."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.money import rupees_text
from strikeloom.views.theme import GRID, TIERS, layout

if TYPE_CHECKING:
    import plotly.graph_objects as go


def allocation_figure(plan: AllocationPlan) -> go.Figure:
    """Capital of each strategy by tier, and the cash left."""
    import plotly.graph_objects as go

    rows = sorted(plan.rows, key=lambda row: row.capital)
    figure = go.Figure()
    for tier, colour in TIERS.items():
        part = [row for row in rows if row.tier.value == tier]
        figure.add_bar(
            y=[f"{row.symbol} {row.template.replace('_', ' ')}" for row in part],
            x=[row.capital / 100 for row in part],
            orientation="h",
            name=tier,
            marker={"color": colour},
            text=[f"{row.lots} lots" for row in part],
        )
    figure.add_bar(
        y=["cash left"],
        x=[plan.cash_left / 100],
        orientation="h",
        marker={"color": GRID},
        showlegend=False,
    )
    used = rupees_text(plan.capital - plan.cash_left, decimals=0)
    title = f"{used} of {rupees_text(plan.capital, decimals=0)} in {len(rows)} strategies"
    figure.update_layout(layout(title, height=140 + 24 * (len(rows) + 1)))
    figure.update_yaxes(automargin=True)
    figure.update_xaxes(title="rupees of margin and premium")
    return figure
