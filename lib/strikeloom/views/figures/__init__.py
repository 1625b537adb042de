"""One function a figure: ``<noun>_figure(frame, *, ...)`` gives a plotly figure."""

from strikeloom.views.figures.allocation import allocation_figure
from strikeloom.views.figures.coverage import coverage_figure
from strikeloom.views.figures.execution import fills_figure
from strikeloom.views.figures.strategies import payoff_figure, score_figure
from strikeloom.views.figures.volatility import percentile_figure, volatility_figure

__all__ = [
    "allocation_figure",
    "coverage_figure",
    "fills_figure",
    "payoff_figure",
    "percentile_figure",
    "score_figure",
    "volatility_figure",
]
