"""Own research in a notebook cell: chains, structures and distributions in rupees and per cent.

The same functions as strategy creation's, for one underlying at a time. Money is rupees,
volatilities and probabilities are per cent, days are text (YYYY-MM-DD). What is not known is absent
with its reason; what is unlimited is infinite, and the word ``unlimited`` wherever it is shown.
"""

from strikeloom.research.chain import OptionChain, chain
from strikeloom.research.distribution import Chances, Distribution, distribution
from strikeloom.research.priced import PricedStructure
from strikeloom.research.structure import structure

__all__ = [
    "Chances",
    "Distribution",
    "OptionChain",
    "PricedStructure",
    "chain",
    "distribution",
    "structure",
]
