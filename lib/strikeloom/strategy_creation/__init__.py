"""Stage 02: a view of each symbol, structures built, priced, scored and explained."""

from strikeloom.strategy_creation.build import build
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.load import load_chains
from strikeloom.strategy_creation.save import save
from strikeloom.strategy_creation.score import best, score
from strikeloom.strategy_creation.view import form_views

__all__ = ["TEMPLATES", "best", "build", "evaluate", "form_views", "load_chains", "save", "score"]
