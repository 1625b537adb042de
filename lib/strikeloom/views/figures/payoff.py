"""Payoff of a structure by price and date, over the densities of where the price may end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from strikeloom.domain.money import rupees_text
from strikeloom.strategy_creation.picture import PayoffPicture
from strikeloom.views.theme import ACCENT, GAIN, GRID, INK, LOSS, QUIET, layout

if TYPE_CHECKING:
    import plotly.graph_objects as go

_REAL = "#dd6b20"


def payoff_figure(picture: PayoffPicture | None) -> go.Figure:
    """Profit of one unit at its nearest expiry and on a day before it that a slider chooses.

    Shaded below: where the price may be at that expiry, by the options' prices and in the real
    world. ``None`` gives an empty figure whose title states it.
    """
    import plotly.graph_objects as go

    if picture is None:
        return go.Figure().update_layout(layout("Nothing is worth it today"))
    figure = go.Figure()
    x = picture.prices.round(2).tolist()
    for density, name, colour in (
        (picture.smile, "density by the options' prices", ACCENT),
        (picture.real, "density in the real world", _REAL),
    ):
        if not np.isnan(density).any():
            figure.add_scatter(
                x=x, y=density.tolist(), yaxis="y2", name=name, mode="lines", fill="tozeroy",
                line={"width": 1, "color": colour}, fillcolor=_faint(colour), hoverinfo="skip",
            )  # fmt: skip
    for side, colour, name in ((1, GAIN, "profit"), (-1, LOSS, "loss")):
        figure.add_scatter(
            x=x, y=(np.maximum(side * picture.profit, 0) * side).round(2).tolist(),
            fill="tozeroy", mode="lines", line={"width": 0}, name=name,
            fillcolor=_faint(colour), hoverinfo="skip",
        )  # fmt: skip
    figure.add_scatter(
        x=x, y=picture.profit.round(2).tolist(), mode="lines", line={"color": INK, "width": 2},
        name=f"at expiry, {picture.horizon:%d %b}",
        hovertemplate="%{x:,.2f}: ₹%{y:,.0f}<extra></extra>",
    )  # fmt: skip
    _dated(figure, picture, x)
    _marks(figure, picture)
    figure.update_layout(
        layout(_title(picture), height=560, margin={"l": 70, "r": 20, "t": 120, "b": 120}),
        # the densities behind, from the bottom; the profit before them
        yaxis2={"side": "right", "visible": False, "rangemode": "tozero"},
        yaxis={
            "title": "profit of one unit, ₹",
            "gridcolor": GRID,
            "overlaying": "y2",
            "tickmode": "auto",
        },
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"},
    )
    figure.update_layout(title={"y": 0.97, "yanchor": "top"})
    figure.update_xaxes(title=f"price of {picture.symbol}, ₹")
    return figure


def _dated(figure: go.Figure, picture: PayoffPicture, x: list[float]) -> None:
    """The line of a day before expiry, today's at first, and the slider that moves it."""
    if not picture.before:
        return
    first, today = picture.before[0]
    figure.add_scatter(
        x=x, y=today.round(2).tolist(), mode="lines", name=f"on {first:%d %b}",
        line={"color": QUIET, "width": 1.5, "dash": "dash"},
        hovertemplate="%{x:,.2f}: ₹%{y:,.0f}<extra></extra>",
    )  # fmt: skip
    place = len(figure.data) - 1
    steps: list[dict[str, Any]] = [
        {
            "method": "restyle",
            "label": f"{day:%d %b}",
            "args": [{"y": [profit.round(2).tolist()], "name": [f"on {day:%d %b}"]}, [place]],
        }
        for day, profit in picture.before
    ]
    figure.update_layout(
        sliders=[{"steps": steps, "currentvalue": {"prefix": "before expiry: "}, "pad": {"t": 45}}]
    )


def _marks(figure: go.Figure, picture: PayoffPicture) -> None:
    """Spot, expected moves, strikes and breakevens."""
    for moves, shade in ((2, 0.04), (1, 0.07)):
        low, high = (
            picture.forward * float(np.exp(side * moves * picture.deviation)) for side in (-1, 1)
        )
        figure.add_vrect(
            x0=low, x1=high, fillcolor=INK, opacity=shade, line_width=0, layer="below",
            annotation_text=f"{moves} expected move{'s' if moves > 1 else ''}",
            annotation_position="bottom left", annotation_font_size=10,
        )  # fmt: skip
    figure.add_vline(
        x=picture.spot, line={"color": QUIET, "dash": "dot"},
        annotation_text=f"spot {picture.spot:,.2f}",
    )  # fmt: skip
    for name, places, mark in (
        ("strikes", picture.strikes, "triangle-up"),
        ("breakevens", picture.breakevens, "x"),
    ):
        inside = [p for p in places if picture.prices[0] <= p <= picture.prices[-1]]
        figure.add_scatter(
            x=list(inside), y=[0.0] * len(inside), mode="markers", name=name,
            marker={"symbol": mark, "size": 10, "color": INK},
            hovertemplate=f"{name[:-1]} " "%{x:,.2f}<extra></extra>",
        )  # fmt: skip


def _faint(colour: str) -> str:
    """The colour, mostly transparent."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.22)"


def _title(picture: PayoffPicture) -> str:
    most, least = (
        rupees_text(None if np.isinf(value) else round(value * 100), decimals=0)
        for value in (picture.max_profit, picture.max_loss)
    )
    return f"{picture.title}: at most {most} gained, {least} lost"
