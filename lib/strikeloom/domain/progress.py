"""How a long step shows its progress."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the pieces that are done, and the pieces in all.
Progress = Callable[[int, int], None]
