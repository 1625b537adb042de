"""Which days have to be worked out."""

from __future__ import annotations

from datetime import date, timedelta

from strikeloom.errors import MissingHistory
from strikeloom.iv_history.summarise import METHOD
from strikeloom.nse.sessions import trading_days
from strikeloom.ports.desk import Desk


def missing_days(desk: Desk, first: date | None = None) -> tuple[list[date], list[date]]:
    """Days from ``first`` to the desk's day that are stored but not yet summarised.

    A day summarised by another version of the method counts as missing.

    Parameters
    ----------
    first : datetime.date, optional
        Default: the first stored day within a year of the desk's day.

    Returns
    -------
    missing, holes : list of datetime.date
        Days to work out; trading days without any file.

    Raises
    ------
    MissingHistory
        When nothing is stored in the range.
    """
    stored = desk.history.days()
    begin = first or max([desk.day - timedelta(days=366), *stored[:1]], default=desk.day)
    inside = [day for day in stored if begin <= day <= desk.day]
    if not inside:
        span = f"{stored[0]} to {stored[-1]}" if stored else "nothing"
        raise MissingHistory(
            f"market {desk.market} has no day from {begin} to {desk.day}; stored: {span}. Run "
            "strikeloom data import PATH with the exchange's files"
        )
    known = desk.store.iv_history(desk.day, first=begin)
    done = set(known.loc[known["method"] == METHOD, "day"].dt.date)
    held = set(inside)
    holes = [day for day in trading_days(begin, desk.day) if day not in held]
    return [day for day in inside if day not in done], holes
