"""A marked position in plain words, for the page and the terminal."""

from __future__ import annotations

from strikeloom.domain.counted import counted
from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import MarkedPosition


def days_left(marked: MarkedPosition) -> str:
    """Days to the last day of each open contract: ``7 and 42 days left``."""
    if marked.days_left is None:
        return "no expiry"
    if marked.days_left < 0:
        return "waits for its settlement"
    today = marked.at.date()
    ends = sorted({(day - today).days for day in marked.last_days.values()})
    ahead = [str(days) for days in ends if days >= marked.days_left]
    if len(ahead) < 2:
        return f"{counted(marked.days_left, 'day')} left"
    return f"{' and '.join(ahead)} days left"


def limits(marked: MarkedPosition) -> str:
    """What it can earn and lose, for which day, or why that is not known."""
    reason = marked.unknown.get("max_profit")
    if reason:
        return f"what it can earn and lose is not known: {reason}"
    best = rupees_text(marked.max_profit, decimals=0)
    worst = rupees_text(marked.max_loss, decimals=0)
    if marked.limits_on is None:
        return f"as entered: can earn {best}, can lose {worst}"
    day = f"{marked.limits_on:%d %b}"
    if any(last > marked.limits_on for last in marked.last_days.values()):
        day += ", estimated at present volatility"
    return f"by {day}: can earn {best}, can lose {worst}"
