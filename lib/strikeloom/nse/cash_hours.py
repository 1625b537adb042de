"""Until when a stock trades continuously in the cash market."""

from __future__ import annotations

from datetime import date, datetime, time

from strikeloom.nse.sessions import IST, session
from strikeloom.nse.tables import in_force, rows


def continuous_until(day: date) -> datetime:
    """Last moment of continuous trading of stocks with derivatives. Source: ``cash_hours.csv``.

    Since 2026-08-03 a closing auction follows, while the options go on trading: a spot seen
    then is no price anybody deals at.
    """
    row = in_force(rows("cash_hours"), day, what="hours of the cash market")
    return datetime.combine(day, time.fromisoformat(row["continuous_until"]), IST)


def spot_is_old(day: date) -> bool:
    """Whether options still trade when their stock's continuous session has ended."""
    return continuous_until(day) < session(day).close
