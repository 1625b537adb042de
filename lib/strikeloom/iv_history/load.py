"""Which days have to be computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from strikeloom.domain.market_names import is_synthetic
from strikeloom.errors import MissingHistory, WrongUsage
from strikeloom.iv_history.day import METHOD
from strikeloom.nse.edges import known_days
from strikeloom.nse.session_table import own_days
from strikeloom.ports.desk import Desk
from strikeloom.ports.history import History
from strikeloom.ports.partitions import Stamp
from strikeloom.settings.iv import IvSettings

#: Table of a day that makes it count as computed.
SUMMARY = "summary"
#: Calendar days of prices before a day that are used for it: 60 sessions and long holidays.
PRICE_DAYS = 130
_YEAR = timedelta(days=366)


@dataclass(frozen=True)
class Gaps:
    """Days from ``first`` to the desk's day that are not complete, by what is missing.

    Attributes
    ----------
    todo : tuple of datetime.date
        Stored days not computed yet, or computed by another method or from other contracts.
    repriced : tuple of datetime.date
        Computed from the same contracts, but from other prices of earlier days or other corporate
        actions: their smiles are kept, and what depends on prices is worked out again.
    ready : tuple of datetime.date
        Computed, but not in the store: a run was stopped in between.
    holes : tuple of datetime.date
        Trading days (weekend sessions included) without contracts.
    stamps : dict
        Stamp that each day's results must have.
    """

    first: date
    todo: tuple[date, ...]
    repriced: tuple[date, ...]
    ready: tuple[date, ...]
    holes: tuple[date, ...]
    stamps: dict[date, Stamp]


def find_gaps(desk: Desk, first: date | str | None = None) -> Gaps:
    """Days missing from the volatility history.

    Parameters
    ----------
    first : datetime.date or str, optional
        Default: the first stored day within a year of the desk's day.

    Raises
    ------
    MissingHistory
        When nothing is stored in the range.
    WrongUsage
        When ``first`` is not a date.
    """
    past = desk.history.as_of(desk.day)
    stored = past.days()
    begin = _day(first) or max([desk.day - _YEAR, *stored[:1]], default=desk.day)
    inside = [day for day in stored if day >= begin]
    if not inside:
        span = f"{stored[0]} to {stored[-1]}" if stored else "nothing"
        remedy = (
            f". Run strikeloom data fetch --from {begin} --to {desk.day}, or strikeloom data "
            "import PATH with the exchange's files"
        )
        if is_synthetic(desk.market):
            remedy = "; a synthetic market has no others"
        raise MissingHistory(
            f"market {desk.market} has no day from {begin} to {desk.day}; stored: {span}{remedy}"
        )
    wanted = dict(stamps(desk.history, inside, desk.settings.iv))
    computed = desk.partitions.stamps()
    known = desk.store.iv_history(desk.day, first=begin, columns=("day",))
    in_store = set(known.loc[known["method"] == METHOD, "day"].dt.date)
    with_contracts = set(inside)
    whole = [day for day in inside if computed.get(day) == wanted[day]]
    kept = {day for day in inside if day in computed and computed[day].same_day(wanted[day])}
    return Gaps(
        begin,
        tuple(day for day in inside if day not in kept),
        tuple(day for day in inside if day in kept and computed[day] != wanted[day]),
        tuple(day for day in whole if day not in in_store),
        tuple(day for day in known_days(begin, desk.day) if day not in with_contracts),
        wanted,
    )


def stamps(
    history: History, days: Sequence[date], settings: IvSettings
) -> Iterator[tuple[date, Stamp]]:
    """Stamp of each day: the method, and fingerprints of its contracts and of the prices.

    The user's lines of ``sessions.csv`` count where a day depends on them: those of earlier days
    for gaps in the prices, those from the day on for the time to its expiries.
    """
    # settings that only ranks use do not change a day
    chosen = settings.model_dump_json(exclude={"windows", "regimes"})
    given = own_days()
    timed = own_days(hours_only=settings.year_basis == "calendar")
    for day in days:
        past, first = history.as_of(day), day - timedelta(days=PRICE_DAYS)
        behind = "".join(f"{when}{own}" for when, own in given.items() if first <= when <= day)
        ahead = "".join(f"{when}{own}" for when, own in timed.items() if when >= day)
        prices = past.fingerprint(first, behind)
        yield day, Stamp(METHOD, past.day_fingerprint(chosen + ahead), prices)


def _day(given: date | str | None) -> date | None:
    if not given or isinstance(given, date):
        return given or None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise WrongUsage(f"first {given!r} is not a date; write YYYY-MM-DD") from None
