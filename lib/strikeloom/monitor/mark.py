"""Value positions at fresh quotes. A missing price is named, never read as zero."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache, partial

import numpy as np

from strikeloom.domain.instruments import Instrument, OptionContract, Right, Share
from strikeloom.domain.money import PAISE_PER_RUPEE, rupees
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.domain.quotes import Mark, MarkHow
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import DataError, NoQuote
from strikeloom.monitor.greeks import GreeksInput, position_greeks
from strikeloom.nse.edges import ending
from strikeloom.nse.sessions import trading_days
from strikeloom.quant.payoff import Legs, payoffs


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
    position: Position, snapshot: MarketSnapshot, *, last_day: date | None, peak: int | None
) -> MarkedPosition:
    """Position with its marks, P&L after charges, and everything its exit rules read.

    Parameters
    ----------
    last_day : date or None
        First last day among the open legs; ``None`` when nothing is open.
    peak : int or None
        Highest P&L seen so far, in paise.

    Raises
    ------
    DataError
        When the legs expire on different days: no single payoff has their extremes.
    """
    marks: dict[str, Mark] = {}
    missing: list[str] = []
    value = 0
    for leg in position.legs:
        if not leg.net_units:
            continue
        ended = _ended(position, leg, last_day, snapshot.at)
        # after the last day a quote of this name is that of another series
        gone = ended is not None and ended < snapshot.at.date()
        mark = None if gone else mark_contract(leg.instrument, snapshot)
        if mark is None:
            why = f" expired on {ended}, waits for the file of {ended}" if ended else ""
            missing.append(leg.instrument.label + (why or _staleness(leg.instrument, snapshot)))
            continue
        marks[leg.instrument.key] = mark
        value += leg.net_units * mark.price - leg.open_value
    settled = sum(leg.realised - leg.charges for leg in position.legs)
    profit, loss = _extremes(position)
    unknown: dict[str, str] = {}
    level = snapshot.level(position.symbol)
    if level is None:
        unknown["level"] = _no_level(position.symbol, snapshot)
    today = snapshot.at.date()
    held = _sessions("sessions_held", position.opened_at.date(), today, unknown)
    left = _sessions("sessions_left", today, last_day, unknown)
    if last_day is None and position.holds_shares:
        unknown["sessions_left"] = "shares have no last day"
    return MarkedPosition(
        position=position,
        marks=marks,
        missing=tuple(missing),
        pnl=None if missing else settled + value,
        entry_premium=sum(leg.entry_cash for leg in position.legs),
        max_profit=profit,
        max_loss=loss,
        at=snapshot.at,
        last_day=last_day,
        peak_pnl=peak,
        level=level,
        sessions_held=held,
        sessions_left=left,
        unknown=unknown,
        compute_greeks=partial(
            position_greeks, GreeksInput(position, marks, level, snapshot.at, last_day, unknown)
        ),
    )


def _ended(
    position: Position, leg: PositionLeg, last_day: date | None, at: datetime
) -> date | None:
    """Last day of an open leg, once its session is over; ``None`` before."""
    if isinstance(leg.instrument, Share):
        return None
    held = (it.instrument for it in position.legs if it.net_units)
    expiries = {it.expiry for it in held if not isinstance(it, Share)}
    # the first last day among the legs is that of each only where they expire together
    day = last_day if last_day and len(expiries) == 1 else leg.instrument.expiry
    return day if day <= at.date() and at >= ending(day) else None


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


def _extremes(position: Position) -> tuple[int | None, int | None]:
    """Most that the quantity first filled can earn and lose at expiry; ``None`` is unlimited.

    From what was really filled and paid, not from what was proposed. What a delivery brought was
    not entered: it is part of how the contracts ended.

    Raises
    ------
    DataError
        When the legs expire on different days: no single payoff has their extremes.
    """
    legs = [leg for leg in position.legs if leg.first_units and not leg.delivered]
    contracts = (it for leg in legs if not isinstance(it := leg.instrument, Share))
    expiries = {contract.expiry for contract in contracts}
    if len(expiries) > 1:
        raise DataError(
            f"{position.position_id} has legs of {len(expiries)} expiries; what it can earn and "
            "lose is known for one",
            position_id=position.position_id,
        )
    entered = ((*_strike_and_right(leg.instrument), leg.first_units) for leg in legs)
    return _payoff_extremes(tuple(entered), -sum(leg.entry_value for leg in legs))


def _strike_and_right(instrument: Instrument) -> tuple[int, Right]:
    """Strike and right with the same payoff: a share and a future are calls with strike 0."""
    if isinstance(instrument, OptionContract):
        return instrument.strike, instrument.right
    return 0, Right.CALL


@lru_cache(maxsize=1024)
def _payoff_extremes(
    legs: tuple[tuple[int, Right, int], ...], premium: int
) -> tuple[int | None, int | None]:
    """Extremes in paise of legs of one expiry; kept, because entries do not change."""
    strikes, rights, units = zip(*legs, strict=True)
    payoff = payoffs(
        Legs(
            np.array([[rupees(strike) for strike in strikes]]),
            np.array([[right is Right.CALL for right in rights]]),
            np.array([units], dtype=np.float64),
            np.array([rupees(premium)]),
        )
    )
    return _paise(payoff.max_profit[0]), _paise(payoff.max_loss[0])


def _paise(amount: float) -> int | None:
    return round(float(amount) * PAISE_PER_RUPEE) if np.isfinite(amount) else None
