"""Chooses the market, account, clock, feed and broker of a desk; nothing else does."""

from strikeloom.desk.dhan import wake_on_ticks
from strikeloom.desk.marks import mark, older_marks
from strikeloom.desk.modes import MODE
from strikeloom.desk.open import assemble_desk, open_desk
from strikeloom.desk.places import Places, desk_home, notebooks_folder, places
from strikeloom.desk.replay import to_day_end, to_day_start, to_next_session
from strikeloom.desk.workers import open_workers

__all__ = [
    "MODE",
    "Places",
    "assemble_desk",
    "desk_home",
    "mark",
    "notebooks_folder",
    "older_marks",
    "open_desk",
    "open_workers",
    "places",
    "to_day_end",
    "to_day_start",
    "to_next_session",
    "wake_on_ticks",
]
