"""Cash of the fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strikeloom.views.theme import GAIN, LOSS, layout

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def fills_figure(fills: pd.DataFrame) -> go.Figure:
    """Cash of each fill: received on the right, paid on the left.

    Parameters
    ----------
    fills : pandas.DataFrame
        Columns contract, side, units, price (rupees).
    """
    import plotly.graph_objects as go

    sign = fills["side"].map({"SELL": 1, "BUY": -1})
    cash = (sign * fills["units"] * fills["price"]).round(2)
    figure = go.Figure()
    for side, colour in (("SELL", GAIN), ("BUY", LOSS)):
        rows = fills["side"] == side
        figure.add_bar(
            y=fills.loc[rows, "contract"].tolist(),
            x=cash[rows].tolist(),
            orientation="h",
            name={"SELL": "received", "BUY": "paid"}[side],
            marker={"color": colour},
        )
    figure.update_layout(
        layout(f"{len(fills)} fills, premium in rupees", height=140 + 22 * len(fills)),
        barmode="overlay",
    )
    figure.update_yaxes(automargin=True)
    return figure
