"""Colours and layout of every figure."""

from __future__ import annotations

from typing import Any

INK = "#1f2933"
QUIET = "#8292a2"
GRID = "#e4e9ee"
ACCENT = "#2b6cb0"
GAIN = "#2f855a"
LOSS = "#c53030"
TIERS = {"income": "#2b6cb0", "momentum": "#dd6b20", "volatility": "#6b46c1"}
REGIMES = {"LOW": "#63b3ed", "NORMAL": "#a0aec0", "ELEVATED": "#f6ad55", "HIGH": "#c53030"}


def layout(title: str, *, height: int = 360, **extra: Any) -> dict[str, Any]:
    """Layout of a figure: white background, light grid, space for a descriptive title."""
    axis = {"gridcolor": GRID, "zerolinecolor": QUIET, "linecolor": GRID}
    return {
        "template": "none",
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 15}},
        "height": height,
        "margin": {"l": 70, "r": 20, "t": 50, "b": 50},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "xaxis": axis,
        "yaxis": axis,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        **extra,
    }
