"""Figures of one symbol: implied and realised volatility, smiles, term structure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from strikeloom.views.theme import ACCENT, INK, LOSS, QUIET, layout

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_WINDOWS = {10: 14, 20: 28, 60: 84}  # sessions: calendar days
_TENORS = (7, 30, 60, 90)
_BANDS = (
    (0.0, 1.0, "rgba(130,146,162,.18)", "lowest to highest"),
    (0.25, 0.75, "rgba(130,146,162,.35)", "middle half"),
)
_DAY = "%d %b %Y"
_LINES = (ACCENT, "#dd6b20", "#6b46c1", "#2f855a")
_MARKS = {"fresh": "circle", "old": "circle-open", "refused": "x"}


def cone_figure(history: pd.DataFrame, *, symbol: str) -> go.Figure:
    """Volatility cone: realised over 10, 20 and 60 sessions, with today's implied volatility.

    Parameters
    ----------
    history : pandas.DataFrame
        ``IV_SUMMARY`` columns; the close-to-close estimator is drawn.
    """
    import plotly.graph_objects as go

    rows = history[history["symbol"] == symbol].sort_values("day")
    days = list(_WINDOWS.values())
    past = 100 * rows[[f"rv_cc_{n}" for n in _WINDOWS]]
    figure = go.Figure()
    for low, high, colour, name in _BANDS:
        edges = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(
            x=days, y=past.quantile(low).round(2).tolist(), showlegend=False, **edges
        )
        figure.add_scatter(
            x=days, y=past.quantile(high).round(2).tolist(), fill="tonexty", fillcolor=colour,
            name=name, **edges,
        )  # fmt: skip
    figure.add_scatter(
        x=days, y=past.median().round(2).tolist(), name="median", line={"color": QUIET, "width": 2}
    )
    last = rows.iloc[-1:] if len(rows) else rows
    if len(last):
        figure.add_scatter(
            x=days, y=(100 * last[[f"rv_cc_{n}" for n in _WINDOWS]].iloc[0]).round(2).tolist(),
            name="realised now", mode="lines+markers", line={"color": INK, "dash": "dot"},
        )  # fmt: skip
        implied = 100 * last[[f"atm_iv_{n}d" for n in _TENORS]].iloc[0]
        figure.add_scatter(
            x=list(_TENORS), y=_shown(implied),
            name="implied now", mode="lines+markers", line={"color": ACCENT, "width": 2.5},
        )  # fmt: skip
    full = rows.loc[past.notna().all(axis=1), "day"]
    figure.update_layout(layout(f"{symbol}: realised and implied, % a year"))
    past_days = f"realised on {len(full)} days"
    past_days += f", {full.min():{_DAY}} to {full.max():{_DAY}}" if len(full) else ""
    figure.update_xaxes(title=f"calendar days ({past_days})", range=[0, 95])
    return figure


def smile_figure(points: pd.DataFrame, *, expiries: int = 3) -> go.Figure:
    """Fitted smiles of the nearest expiries with their quotes; refused quotes are crosses.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns symbol, expiry, what (fit, fresh, old, refused), moneyness, vol.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    fitted = points[points["what"] == "fit"]
    shown = sorted(fitted["expiry"].unique())[:expiries]
    points = points[points["expiry"].isin(shown)]
    for place, expiry in enumerate(shown):
        colour = _LINES[place % len(_LINES)]
        rows = points[points["expiry"] == expiry]
        name = f"{expiry:{_DAY}}"
        for what, mark in _MARKS.items():
            part = rows[rows["what"] == what]
            figure.add_scatter(
                x=(100 * part["moneyness"]).round(3).tolist(),
                y=(100 * part["vol"]).round(3).tolist(),
                mode="markers",
                name=f"{name} {what}",
                legendgroup=name,
                showlegend=bool(len(part)) and what == "refused",
                marker={
                    "symbol": mark,
                    "size": 6,
                    "color": LOSS if what == "refused" else colour,
                    "opacity": 0.75,
                },
            )
        curve = rows[rows["what"] == "fit"]
        figure.add_scatter(
            x=(100 * curve["moneyness"]).round(3).tolist(),
            y=(100 * curve["vol"]).round(3).tolist(),
            mode="lines",
            name=name,
            legendgroup=name,
            line={"color": colour, "width": 2},
        )
    symbol = points["symbol"].iloc[0] if len(points) else ""
    refused = int((points["what"] == "refused").sum())
    title = f"{symbol} smiles, % a year: {int((points['what'] != 'fit').sum())} quotes"
    title += f", {refused} refused" if refused else ""
    figure.update_layout(layout(title, height=420))
    figure.update_xaxes(title="log(strike / forward), %")
    return figure


def term_figure(history: pd.DataFrame, *, symbol: str) -> go.Figure:
    """Term structure of one symbol, now and five stored days earlier, over the interquartile band.

    Parameters
    ----------
    history : pandas.DataFrame
        ``IV_SUMMARY`` columns.
    """
    import plotly.graph_objects as go

    names = [f"atm_iv_{n}d" for n in _TENORS]
    days = sorted(history["day"].unique())
    today = 100 * history.loc[history["day"] == days[-1], names] if days else history[names]
    figure = go.Figure()
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    x = list(_TENORS)
    figure.add_scatter(x=x, y=today.quantile(0.25).round(2).tolist(), showlegend=False, **band)
    figure.add_scatter(
        x=x, y=today.quantile(0.75).round(2).tolist(), fill="tonexty",
        fillcolor="rgba(130,146,162,.25)", name="middle half of all symbols", **band,
    )  # fmt: skip
    for back, dash in ((1, "solid"), (6, "dot")):
        if len(days) < back:
            continue
        row = history[(history["day"] == days[-back]) & (history["symbol"] == symbol)]
        for _, values in (100 * row[names]).iterrows():
            figure.add_scatter(
                x=x, y=_shown(values), name=f"{days[-back]:{_DAY}}",
                mode="lines+markers", line={"color": ACCENT, "width": 2, "dash": dash},
            )  # fmt: skip
    figure.update_layout(layout(f"{symbol}: at-the-money volatility by days ahead, % a year"))
    figure.update_xaxes(title="calendar days ahead", tickvals=x)
    return figure


def _shown(values: Iterable[float]) -> list[float | None]:
    return [None if math.isnan(value) else round(value, 2) for value in values]
