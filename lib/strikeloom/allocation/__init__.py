"""Stage 03: divide capital among strategies, in whole lots, within every limit."""

from strikeloom.allocation.candidates import load_candidates
from strikeloom.allocation.divide import allocate
from strikeloom.allocation.save import plan_table, save

__all__ = ["allocate", "load_candidates", "plan_table", "save"]
