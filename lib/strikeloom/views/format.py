"""Formatting of numbers and times, for the terminal and the page."""

from __future__ import annotations

MISSING = "no price"


def span(seconds: float) -> str:
    """Duration in its largest sensible unit: ``12 s``, ``4 min``, ``3 h``, ``2 days``."""
    seconds = max(0.0, seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def plain(name: str) -> str:
    """Identifier as words: ``bull_put_spread`` -> ``Bull put spread``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
