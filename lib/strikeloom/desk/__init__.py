"""Choosing clock, feed, broker and store for a mode: once, here, and nowhere else."""

from strikeloom.desk.open import desk_home, open_desk
from strikeloom.desk.replay import to_day_end, to_next_session

__all__ = ["desk_home", "open_desk", "to_day_end", "to_next_session"]
