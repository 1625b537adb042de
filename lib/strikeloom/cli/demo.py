"""``demo``: a whole synthetic day, then the page."""

from __future__ import annotations

COMMANDS = ()
