"""Stage 01: a volatility history from prices that traded, and where today stands in it."""

from strikeloom.iv_history.collect import collect
from strikeloom.iv_history.load import SUMMARY, Gaps, find_gaps
from strikeloom.iv_history.rank import rank_days
from strikeloom.iv_history.save import save
from strikeloom.iv_history.summarise import METHOD

__all__ = ["METHOD", "SUMMARY", "Gaps", "collect", "find_gaps", "rank_days", "save"]
