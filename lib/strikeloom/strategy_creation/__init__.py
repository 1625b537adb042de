"""Stage 02: a view of each symbol, structures searched, chosen, valued and explained."""

from strikeloom.strategy_creation.build import build
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.choose import choose
from strikeloom.strategy_creation.families import families_table
from strikeloom.strategy_creation.load import load_chains
from strikeloom.strategy_creation.picture import picture
from strikeloom.strategy_creation.propose import best, propose, why_nothing
from strikeloom.strategy_creation.save import save
from strikeloom.strategy_creation.view import form_views

__all__ = [
    "TEMPLATES",
    "best",
    "build",
    "choose",
    "families_table",
    "form_views",
    "load_chains",
    "picture",
    "propose",
    "save",
    "why_nothing",
]
