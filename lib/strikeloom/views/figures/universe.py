"""Figures of the whole universe: grades by day, percentiles today, the day's movers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.volatility import covered_sessions
from strikeloom.views.theme import ACCENT, GAIN, GRID, INK, LOSS, QUIET, REGIMES, layout

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_GRADES = {"A": ACCENT, "B": "#90cdf4", "C": "#f6ad55", "": LOSS}
_NAMES = {
    "A": "A both sides traded",
    "B": "B one side thin",
    "C": "C carried from peers",
    "": "none",
}
_ACROSS = 12
_COLOURS = [
    (0.0, REGIMES["LOW"]), (0.25, "#bee3f8"), (0.5, "#edf2f7"), (0.75, "#fbd38d"),
    (1.0, REGIMES["HIGH"]),
]  # fmt: skip


def grades_figure(history: pd.DataFrame, *, holes: Sequence[date] = ()) -> go.Figure:
    """Symbols of each day by the grade of their 30-day volatility, and days without a file.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns day, quality.
    """
    import pandas as pd
    import plotly.graph_objects as go

    counts = history.groupby([history["day"], history["quality"]]).size().unstack(fill_value=0)
    dates = pd.DatetimeIndex(counts.index)
    days = [day.strftime("%d %b %Y") for day in dates]
    labels = dict(zip(dates.date, days, strict=True))
    first = min(labels, default=date.max)
    lost = [day for day in holes if day >= first]
    order = [labels.get(day, day.strftime("%d %b %Y")) for day in sorted({*labels, *lost})]
    figure = go.Figure()
    for grade, colour in _GRADES.items():
        if grade in counts.columns:
            figure.add_bar(
                x=days, y=counts[grade].tolist(), name=_NAMES[grade], marker={"color": colour}
            )
    if lost:
        tallest = int(counts.sum(axis=1).max())
        figure.add_bar(
            x=[day.strftime("%d %b %Y") for day in lost],
            y=[tallest] * len(lost),
            name="no file",
            marker={"color": "white", "line": {"color": QUIET, "width": 1}},
        )
    figure.update_layout(layout("Symbols by grade of their volatility"))
    figure.update_layout(barmode="stack", bargap=0.1)
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=order, nticks=8, tickangle=0
    )
    return figure


def percentile_figure(ranks: pd.DataFrame) -> go.Figure:
    """Percentile of every symbol in its own history, one tile each, highest first.

    Parameters
    ----------
    ranks : pandas.DataFrame
        Columns symbol, day, atm_iv, percentile, window_sessions, sample, reason. Symbols without
        a percentile come last, grey and without a number.
    """
    import plotly.graph_objects as go

    rows = ranks.sort_values(["percentile", "symbol"], ascending=[False, True], na_position="last")
    across = min(_ACROSS, max(1, len(rows)))
    down = -(-len(rows) // across)
    shape, blank = (down, across), down * across - len(rows)
    values = np.append(rows["percentile"].to_numpy(float), np.full(blank, np.nan)).reshape(shape)
    texts = [
        f"{symbol}<br><b>{percentile:.0f}</b>" if not np.isnan(percentile) else f"{symbol}<br>–"
        for symbol, percentile in zip(rows["symbol"], rows["percentile"], strict=True)
    ]
    names = ["symbol", "percentile", "atm_iv", "window_sessions", "sample", "reason"]
    details = [
        f"{symbol}: {100 * atm_iv:.1f} %, {covered_sessions(sample, int(sessions))}"
        if not np.isnan(percentile)
        else f"{symbol}: {reason}"
        for symbol, percentile, atm_iv, sessions, sample, reason in zip(
            *(rows[name] for name in names), strict=True
        )
    ]
    padding = [""] * blank
    figure = go.Figure()
    figure.add_heatmap(
        z=[[None if np.isnan(v) else round(v, 1) for v in line] for line in values.tolist()],
        text=np.array(texts + padding, dtype=object).reshape(shape).tolist(),
        customdata=np.array(details + padding, dtype=object).reshape(shape).tolist(),
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=_COLOURS,
        zmin=0,
        zmax=100,
        xgap=2,
        ygap=2,
        colorbar={"title": "percentile", "thickness": 10},
    )
    figure.update_layout(
        annotations=[
            {"x": i % across, "y": i // across, "text": text, "showarrow": False,
             "font": {"size": 9, "color": INK}}
            for i, text in enumerate(texts)
        ]
    )  # fmt: skip
    absent = int(rows["percentile"].isna().sum())
    title = f"Percentile of {len(rows) - absent} symbols"
    if absent < len(rows):
        # what the windows really cover, which may be less than their length
        samples = rows.loc[rows["percentile"].notna(), "sample"].astype(int)
        title += f" over {' to '.join(map(str, sorted({samples.min(), samples.max()})))} sessions"
    title += f" on {rows['day'].iloc[0]:%d %b %Y}" if len(rows) else ""
    title += f", {absent} without one" if absent else ""
    figure.update_layout(layout(title, height=110 + 34 * down), plot_bgcolor=GRID)
    figure.update_layout(margin={"l": 5, "r": 5, "t": 50, "b": 10})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed")
    return figure


def movers_figure(history: pd.DataFrame, *, count: int = 12) -> go.Figure:
    """Largest changes of 30-day volatility since the day before, in points, both ways.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns symbol, day, atm_iv_30d, quality. Only symbols of grade A or B on both days are
        used: a carried volatility did not move by itself.
    """
    import plotly.graph_objects as go

    traded = history[history["quality"].isin(["A", "B"])]
    table = traded.pivot_table(index="day", columns="symbol", values="atm_iv_30d").iloc[-2:]
    change = (100 * table.diff().iloc[-1]).dropna().sort_values() if len(table) == 2 else None
    figure = go.Figure()
    if change is None or change.empty:
        figure.update_layout(layout("Movers: no earlier day to compare with"))
        return figure
    count = min(count, len(change) // 2) or 1
    shown = change.iloc[np.r_[:count, len(change) - count : len(change)]]
    now = 100 * table.iloc[-1]
    figure.add_bar(
        y=shown.index.tolist(),
        x=shown.round(2).tolist(),
        orientation="h",
        marker={"color": [LOSS if value > 0 else GAIN for value in shown]},
        text=[f"{value:+z.1f} to {now[name]:z.1f} %" for name, value in shown.items()],
        textposition="outside",
        cliponaxis=False,
    )
    before, after = (stamp.strftime("%d %b %Y") for stamp in table.index)
    up = int((change > 0).sum())
    title = f"Movers from {before} to {after}: {up} of {len(change)} symbols up"
    figure.update_layout(layout(title, height=120 + 22 * len(shown)))
    figure.update_layout(margin={"l": 110, "r": 20, "t": 50, "b": 50})
    low, high = min(0.0, float(shown.min())), max(0.0, float(shown.max()))
    margin = 0.18 * (high - low)  # for the labels beside the bars
    figure.update_xaxes(
        title="points of volatility 30 days ahead", range=[low - margin, high + margin]
    )
    return figure
