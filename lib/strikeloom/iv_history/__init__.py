"""Stage 01: a volatility history from prices that traded, and where today stands in it."""

from strikeloom.iv_history.load import missing_days
from strikeloom.iv_history.rank import rank_days
from strikeloom.iv_history.save import save
from strikeloom.iv_history.summarise import METHOD, summarise_days

__all__ = ["METHOD", "missing_days", "rank_days", "save", "summarise_days"]
