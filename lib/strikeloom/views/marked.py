"""A marked position in plain words, for the page and the terminal."""

from __future__ import annotations

from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import MarkedPosition


def days_left(marked: MarkedPosition) -> str:
    """Days to the nearest last day and, where contracts end on different days, to the later ones.

    ``7 days left, others 14 and 42``.
    """
    if marked.days_left is None:
        return "no expiry"
    if marked.days_left < 0:
        return "waits for its settlement"
    today = marked.at.date()
    ends = sorted({(day - today).days for day in marked.last_days.values()})
    later = [str(days) for days in ends if days > marked.days_left]
    others = f", others {' and '.join(later)}" if later else ""
    return f"{marked.days_left} days left{others}"


def limits(marked: MarkedPosition) -> str:
    """What it can earn and lose, for which day, or why that is not known."""
    reason = marked.unknown.get("max_profit")
    if reason:
        return f"what it can earn and lose is not known: {reason}"
    best = rupees_text(marked.max_profit, decimals=0)
    worst = rupees_text(marked.max_loss, decimals=0)
    if marked.limits_on is None:
        return f"as entered: can earn {best}, can lose {worst}"
    about = f"{marked.limits_on:%d %b}, estimated at present volatility"
    return f"by {about}: can earn {best}, can lose {worst}"
