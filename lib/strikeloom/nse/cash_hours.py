"""End of a stock's continuous trading in the cash market, and its closing auction.

The cash market is open on the days of derivatives: the exchange's holidays are one list for equity,
equity derivatives and lending (``nse.sessions``), and special sessions so far were of both.
"""

from __future__ import annotations

from datetime import date, datetime, time

from strikeloom.nse.sessions import IST, regular_session, session
from strikeloom.nse.tables import in_force, rows


def continuous_until(day: date) -> datetime:
    """End of continuous trading in stocks with derivatives. Source: ``cash_hours.csv``.

    A session of other hours than the regular ones (Muhurat, prolonged, cut) has no closing
    auction: stocks trade as long as their options.

    Since 2026-08-03 a closing auction follows while the options still trade: a spot of that time
    is not a price at which anyone can trade.
    """
    close = session(day).close
    if close != regular_session(day).close:
        return close
    row = in_force(rows("cash_hours"), day, what="hours of the cash market")
    return datetime.combine(day, time.fromisoformat(row["continuous_until"]), IST)


def closing_auction_until(day: date) -> datetime | None:
    """End of the closing auction of stocks with derivatives; ``None`` on days without.

    It begins when continuous trading ends. Source: ``cash_hours.csv``.
    """
    row = in_force(rows("cash_hours"), day, what="hours of the cash market")
    if not row["auction_until"] or session(day).close != regular_session(day).close:
        return None
    return datetime.combine(day, time.fromisoformat(row["auction_until"]), IST)


def shares_closed_text(now: datetime) -> str:
    """Why shares do not trade at a time of the day after their continuous session."""
    text = f"shares trade until {continuous_until(now.date()):%H:%M}; it is {now:%H:%M}"
    auction = closing_auction_until(now.date())
    if auction is not None and now <= auction:
        return f"{text}, and their closing auction until {auction:%H:%M} is not used"
    return text


def spot_is_old(day: date) -> bool:
    """Whether options still trade when their stock's continuous session has ended."""
    return continuous_until(day) < session(day).close
