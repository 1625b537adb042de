"""Expiry dates by rule: the weekday in force, moved back over holidays.

Real contracts carry their expiry; never derive it. The rule is for the synthetic market and
for checks. It is the rule of NIFTY and stocks: until January 2025 other indices had their own
weekdays.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from strikeloom.nse.sessions import is_trading_day
from strikeloom.nse.tables import in_force, rows


def expiry_weekday(day: date) -> int:
    """Monday is 0. Source: ``expiry_weekday.csv``."""
    return int(in_force(rows("expiry_weekday"), day, what="expiry weekday")["weekday"])


def _back_to_trading(day: date) -> date:
    while not is_trading_day(day):
        day -= timedelta(days=1)
    return day


def monthly_expiry(year: int, month: int) -> date:
    """Last expiry weekday of the month, or the trading day before it."""
    last = date(year, month, monthrange(year, month)[1])
    return _back_to_trading(last - timedelta(days=(last.weekday() - expiry_weekday(last)) % 7))


def monthly_expiries(day: date, count: int) -> list[date]:
    """Next ``count`` monthly expiries on or after ``day``."""
    found: list[date] = []
    year, month = day.year, day.month
    while len(found) < count:
        expiry = monthly_expiry(year, month)
        if expiry >= day:
            found.append(expiry)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def weekly_expiries(day: date, count: int) -> list[date]:
    """Next ``count`` weekly expiries on or after ``day``."""
    found: list[date] = []
    sunday = day + timedelta(days=6 - day.weekday())
    while len(found) < count:
        # a new weekday applies from its first week
        expiry = _back_to_trading(sunday - timedelta(days=6 - expiry_weekday(sunday)))
        if expiry >= day and expiry not in found:
            found.append(expiry)
        sunday += timedelta(days=7)
    return found
