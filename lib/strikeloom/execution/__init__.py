"""Stage 04: marked strategies become multi-leg orders."""

from strikeloom.execution.load import load_marked
from strikeloom.execution.place import place
from strikeloom.execution.plan import plan_entries
from strikeloom.execution.save import save

__all__ = ["load_marked", "place", "plan_entries", "save"]
