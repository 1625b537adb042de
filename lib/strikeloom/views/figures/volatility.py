"""Volatility over time, and where each symbol stands in its own past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from strikeloom.views.theme import ACCENT, QUIET, REGIMES, layout

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def volatility_figure(history: pd.DataFrame, *, symbols: Sequence[str] = ()) -> go.Figure:
    """Median and middle half of all symbols by day, and lines for the symbols named.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns symbol, day, atm_iv_30d (fraction a year).
    """
    import plotly.graph_objects as go

    known = history.dropna(subset=["atm_iv_30d"])
    spread = known.groupby("day")["atm_iv_30d"].quantile([0.25, 0.5, 0.75]).unstack() * 100
    days = [day.strftime("%Y-%m-%d") for day in spread.index]
    figure = go.Figure()
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(x=days, y=spread[0.25].round(2).tolist(), showlegend=False, **band)
    figure.add_scatter(
        x=days,
        y=spread[0.75].round(2).tolist(),
        fill="tonexty",
        fillcolor="rgba(130,146,162,.25)",
        name="middle half",
        **band,
    )
    figure.add_scatter(
        x=days, y=spread[0.5].round(2).tolist(), name="median", line={"color": QUIET, "width": 2}
    )
    for symbol in symbols:
        one = known[known["symbol"] == symbol]
        figure.add_scatter(
            x=one["day"].dt.strftime("%Y-%m-%d").tolist(),
            y=(one["atm_iv_30d"] * 100).round(2).tolist(),
            name=symbol,
            line={"width": 1.6},
        )
    figure.update_layout(layout("At-the-money volatility, % a year"))
    return figure


def percentile_figure(ranks: pd.DataFrame) -> go.Figure:
    """Each symbol's percentile against its volatility, coloured by regime.

    Parameters
    ----------
    ranks : pandas.DataFrame
        Columns symbol, atm_iv, percentile, regime; rows without a percentile are counted in
        the title, not drawn.
    """
    import plotly.graph_objects as go

    known = ranks.dropna(subset=["percentile"])
    figure = go.Figure()
    for regime, colour in REGIMES.items():
        rows = known[known["regime"].astype(str) == regime]
        figure.add_scatter(
            x=(rows["atm_iv"] * 100).round(2).tolist(),
            y=rows["percentile"].round(1).tolist(),
            text=rows["symbol"].tolist(),
            mode="markers",
            name=regime.title(),
            marker={"color": colour, "size": 9, "line": {"color": "white", "width": 1}},
            hovertemplate="%{text}<br>%{x:.1f} %, percentile %{y:.0f}<extra></extra>",
        )
    absent = len(ranks) - len(known)
    title = f"Volatility against its own past: {len(known)} symbols"
    title += f", {absent} with too little history" if absent else ""
    figure.update_layout(layout(title))
    figure.update_xaxes(title="at-the-money volatility, % a year")
    figure.update_yaxes(title="percentile", range=[-3, 103])
    figure.add_hline(y=50, line={"color": ACCENT, "width": 1, "dash": "dot"})
    return figure
