"""One function per figure: ``<noun>_figure(frame, *, ...)`` returns a plotly figure."""

from strikeloom.views.figures.allocation import allocation_figure
from strikeloom.views.figures.coverage import coverage_figure
from strikeloom.views.figures.execution import fills_figure
from strikeloom.views.figures.payoff import payoff_figure
from strikeloom.views.figures.strategies import (
    front_figure,
    funnel_figure,
    refusals_figure,
    score_figure,
)
from strikeloom.views.figures.universe import grades_figure, movers_figure, percentile_figure
from strikeloom.views.figures.volatility import cone_figure, smile_figure, term_figure

__all__ = [
    "allocation_figure",
    "cone_figure",
    "coverage_figure",
    "fills_figure",
    "front_figure",
    "funnel_figure",
    "grades_figure",
    "movers_figure",
    "payoff_figure",
    "percentile_figure",
    "refusals_figure",
    "score_figure",
    "smile_figure",
    "term_figure",
]
