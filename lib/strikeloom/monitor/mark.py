"""Value positions at fresh quotes. A missing price is named, never read as zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache, partial

from strikeloom.domain.instruments import Instrument, Share
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.domain.quotes import Mark, MarkHow
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import DataError, NoQuote
from strikeloom.monitor.extremes import extremes
from strikeloom.monitor.greeks import GreeksInput, position_greeks
from strikeloom.nse.edges import ending
from strikeloom.nse.sessions import trading_days


def mark_contract(instrument: Instrument, snapshot: MarketSnapshot) -> Mark | None:
    """Mid of a fresh two-sided quote, else its last price; ``None`` when neither is usable.

    A settlement price goes before both: made sides are no evidence of value, and the last trade
    of a thin contract may be hours old. Where one side alone is quoted it bounds the last price:
    an earlier trade is no value at which the market of now would not trade.
    """
    try:
        quote = snapshot.fresh(instrument)
    except NoQuote:
        return None
    age = snapshot.age(quote.at)
    if quote.settlement is not None:
        price = quote.settlement
        return Mark(quote.key, price, MarkHow.SETTLEMENT, quote.at, age, quote.source)
    if quote.two_sided and quote.bid is not None and quote.ask is not None:
        mid = (quote.bid + quote.ask) // 2
        return Mark(quote.key, mid, MarkHow.MID, quote.at, age, quote.source)
    if quote.last is None:
        return None
    price = quote.last
    if quote.ask is None and quote.bid is not None:
        price = max(price, quote.bid)
    if quote.bid is None and quote.ask is not None:
        price = min(price, quote.ask)
    return Mark(quote.key, price, MarkHow.LAST, quote.at, age, quote.source)


def mark_position(
    position: Position,
    snapshot: MarketSnapshot,
    *,
    last_days: Mapping[int, date],
    peak: int | None,
) -> MarkedPosition:
    """Position with its marks, P&L after charges, and everything its exit rules read.

    Parameters
    ----------
    last_days : mapping of int to date
        Last day of each open contract, by leg.
    peak : int or None
        Highest P&L seen so far, in paise.
    """
    legs = _marked_legs(position, snapshot, last_days)
    settled = sum(leg.realised - leg.charges for leg in position.legs)
    unknown: dict[str, str] = {}
    level = snapshot.level(position.symbol)
    if level is None:
        unknown["level"] = _no_level(position.symbol, snapshot)
    limits = extremes(position, legs.marks, level, snapshot.at, last_days)
    if limits.missing:
        unknown |= dict.fromkeys(("max_profit", "max_loss"), limits.missing)
    today = snapshot.at.date()
    last_day = _first(last_days, snapshot.at)
    held = _sessions("sessions_held", position.opened_at.date(), today, unknown)
    left = _sessions("sessions_left", today, last_day, unknown)
    if last_day is None and position.holds_shares:
        unknown["sessions_left"] = "shares have no last day"
    return MarkedPosition(
        position=position,
        marks=legs.marks,
        missing=tuple(legs.missing),
        pnl=None if legs.missing else settled + legs.value,
        entry_premium=sum(leg.entry_cash for leg in position.legs),
        max_profit=limits.max_profit,
        max_loss=limits.max_loss,
        at=snapshot.at,
        last_day=last_day,
        peak_pnl=peak,
        level=level,
        sessions_held=held,
        sessions_left=left,
        unknown=unknown,
        last_days=last_days,
        limits_on=limits.on,
        days_to_first_end=_days_to_first_end(position, last_days, today),
        unsettled=tuple(legs.unsettled),
        compute_greeks=partial(
            position_greeks,
            GreeksInput(position, legs.marks, level, snapshot.at, last_days, unknown),
        ),
    )


@dataclass
class _MarkedLegs:
    """Marks of open legs by key, what is missing or waits, and paise gained on what is open."""

    marks: dict[str, Mark] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    value: int = 0


def _marked_legs(
    position: Position, snapshot: MarketSnapshot, last_days: Mapping[int, date]
) -> _MarkedLegs:
    found = _MarkedLegs()
    for leg in position.legs:
        if not leg.net_units:
            continue
        ended = _ended(last_days.get(leg.leg), snapshot.at)
        # after the last day a quote of this name is that of another series
        gone = ended is not None and ended < snapshot.at.date()
        mark = None if gone else mark_contract(leg.instrument, snapshot)
        if mark is None:
            why = f" expired on {ended}, waits for the file of {ended}" if ended else ""
            text = leg.instrument.label + (why or _staleness(leg.instrument, snapshot))
            found.missing.append(text)
            found.unsettled += [text] if gone else []
            continue
        found.marks[leg.instrument.key] = mark
        found.value += leg.net_units * mark.price - leg.open_value
    return found


def _ended(last: date | None, at: datetime) -> date | None:
    """Last day of a contract, once its session is over; ``None`` before, and of shares."""
    return last if last and last <= at.date() and at >= ending(last) else None


def _first(last_days: Mapping[int, date], at: datetime) -> date | None:
    """First last day whose session is not over; where all are over the first of them."""
    ahead = [day for day in last_days.values() if not _ended(day, at)]
    return min(ahead or last_days.values(), default=None)


def _days_to_first_end(
    position: Position, last_days: Mapping[int, date], today: date
) -> int | None:
    """Calendar days to the first end among the contracts entered, where something goes on."""
    ends = [
        last_days.get(leg.leg, it.expiry)
        for leg in position.legs
        if leg.first_units and not isinstance(it := leg.instrument, Share)
    ]
    first = min(ends, default=None)
    if first is None or not (position.holds_shares or any(d > first for d in last_days.values())):
        return None
    return (first - today).days


def _staleness(instrument: Instrument, snapshot: MarketSnapshot) -> str:
    quote = snapshot.quotes.get(instrument.key)
    if quote is None or not snapshot.is_stale(quote.at):
        return ""
    return f" (older than {snapshot.max_age_seconds:.0f} s)"


def _no_level(symbol: str, snapshot: MarketSnapshot) -> str:
    if symbol not in snapshot.levels:
        return f"the level of {symbol} is unknown"
    return f"the level of {symbol} is older than {snapshot.max_age_seconds:.0f} s"


def _sessions(name: str, after: date, until: date | None, unknown: dict[str, str]) -> int | None:
    """Sessions after a day, up to another inclusive; the reason is noted when it is unknown."""
    if until is None:
        unknown[name] = "nothing is open"
        return None
    try:
        return _count_sessions(after, until)
    except DataError as error:
        unknown[name] = str(error)
        return None


@lru_cache(maxsize=1024)
def _count_sessions(after: date, until: date) -> int:
    return sum(day > after for day in trading_days(after, until))
