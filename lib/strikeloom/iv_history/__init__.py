"""Stage 01: volatility history from traded prices, and today's percentile in it."""

from strikeloom.iv_history.collect import collect
from strikeloom.iv_history.day import METHOD, DaySummary, summarise_day
from strikeloom.iv_history.latest import read_chains
from strikeloom.iv_history.load import SUMMARY, Gaps, find_gaps
from strikeloom.iv_history.pairs import moves_of, pair_changes
from strikeloom.iv_history.price_steps import price_steps
from strikeloom.iv_history.rank import rank_days
from strikeloom.iv_history.save import save
from strikeloom.iv_history.series import read_history, read_ranks
from strikeloom.iv_history.smiles import find_symbol, smile_points, smiles

__all__ = [
    "METHOD",
    "SUMMARY",
    "DaySummary",
    "Gaps",
    "collect",
    "find_gaps",
    "find_symbol",
    "moves_of",
    "pair_changes",
    "price_steps",
    "rank_days",
    "read_chains",
    "read_history",
    "read_ranks",
    "save",
    "smile_points",
    "smiles",
    "summarise_day",
]
