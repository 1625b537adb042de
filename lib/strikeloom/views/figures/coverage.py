"""Stored days of a market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from strikeloom.views.theme import ACCENT, QUIET, layout

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_ROW = 240
_DONE = "#f6ad55"  # visible on a bar and beside it


def coverage_figure(markets: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Bars of stored and missing sessions by month, one row per market.

    Parameters
    ----------
    markets : mapping of str to pandas.DataFrame
        By market: columns month, held, missing (list of dates), worked_out.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=len(markets), subplot_titles=list(markets))
    for number, months in enumerate(markets.values(), start=1):
        place = {"row": number, "col": 1}
        x = months["month"].tolist()
        missing = [len(days) for days in months["missing"]]
        names = [", ".join(map(str, days)) for days in months["missing"]]
        legend = number == 1
        figure.add_bar(
            x=x,
            y=months["held"].tolist(),
            name="stored",
            marker_color=ACCENT,
            showlegend=legend,
            **place,
        )
        figure.add_bar(
            x=x, y=missing, name="missing", marker_color=QUIET, customdata=names,
            hovertemplate="%{x}: %{customdata}", showlegend=legend, **place,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=months["worked_out"].tolist(), name="calculated", mode="markers",
            marker={"symbol": "line-ew", "size": 26, "line": {"width": 4, "color": _DONE}},
            showlegend=legend, **place,
        )  # fmt: skip
    # months are categories: as dates, a single month would get an axis in milliseconds
    figure.update_xaxes(type="category")
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(
        layout("Sessions stored by month"), barmode="stack", height=_ROW * len(markets) + 80
    )
    return figure
