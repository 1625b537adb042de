"""Margin estimate of a whole book: each underlying separately, offsets between expiries by rule.

Options and futures of an underlying offset each other. Shares do not: they are paid in full, and
the clearing corporation gives no relief for a call sold against shares in the demat account
(pledged shares are collateral, which an estimate of the requirement leaves out). What is lacking
at a delivery needs its value and what the auction may add; what is sold for the day only, its value
and the rate of orders of the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil

import numpy as np

from strikeloom.domain.instruments import (
    Contract,
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
    order_of,
)
from strikeloom.domain.money import rupees
from strikeloom.errors import NoQuote
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.nse.settlement import deliveries
from strikeloom.nse.shortages import above_market
from strikeloom.quant.implied.solver import implied_vol
from strikeloom.risk.margin import MarginParts, margin_parts
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import SpanParameters, span_parameters
from strikeloom.risk.share_parameters import (
    base_sigma,
    delivery_share,
    intraday_margin_rate,
)


@dataclass(frozen=True, slots=True)
class DayShare:
    """A share traded for the day only: apart from the same share that is held for delivery."""

    share: Share


#: What a book holds.
Item = Instrument | DayShare
Holdings = Mapping[Item, int]


@dataclass(frozen=True, slots=True)
class BookMargin:
    """Estimate of a book in paise, by component."""

    scan: int = 0
    exposure: int = 0
    expiry_extra: int = 0
    calendar: int = 0
    delivery: int = 0

    @property
    def total(self) -> int:
        """Sum of the components."""
        return self.scan + self.exposure + self.expiry_extra + self.calendar + self.delivery


def book_margins(
    books: Sequence[Holdings],
    levels: Mapping[str, int],
    marks: Mapping[str, int],
    now: datetime,
) -> list[BookMargin]:
    """Margin estimates of many books at once, each on its own.

    The price scan does not follow the options' volatility: an index has the clearing
    corporation's dated scan, a stock that of the parameters' volatility. After a volatile period
    the real scan is wider, and these estimates are too low until the tables have a new row.

    Parameters
    ----------
    books : sequence of mapping
        Net units by instrument; 0 counts as absent.
    levels : mapping
        Level of each underlying in paise.
    marks : mapping
        Value of a unit of a contract in paise, by key; the model's value is used where it is
        absent. The value of a future is the forward of its expiry, else the level is.

    Raises
    ------
    NoQuote
        When the level of an underlying with a sold leg, a future, a lacking share or a leg near
        delivery is unknown.
    """
    found = [BookMargin(delivery=_short_shares(book, levels, now.date())) for book in books]
    for kind in InstrumentKind:
        for parameters, groups in _groups(books, kind, now).items():
            parts = _margins([legs for _, legs in groups], parameters, levels, marks, now)
            for row, (book, _) in enumerate(groups):
                found[book] = _added(found[book], parts, row)
    return found


_Leg = tuple[Contract, int]


def _groups(
    books: Sequence[Holdings], kind: InstrumentKind, now: datetime
) -> dict[SpanParameters, list[tuple[int, list[_Leg]]]]:
    """Legs by book and underlying, by their parameters, only where margin can be required."""
    groups: dict[tuple[int, str], list[_Leg]] = {}
    for number, book in enumerate(books):
        for instrument, net in book.items():
            if not net or isinstance(instrument, Share | DayShare):
                continue
            if instrument.kind is kind:
                groups.setdefault((number, instrument.symbol), []).append((instrument, net))
    day = now.date()
    found: dict[SpanParameters, list[tuple[int, list[_Leg]]]] = {}
    for (number, symbol), legs in groups.items():
        if any(_binds(contract, net, day) for contract, net in legs):
            parameters = span_parameters(kind, symbol, day)
            ordered = sorted(legs, key=lambda leg: order_of(leg[0]))
            found.setdefault(parameters, []).append((number, ordered))
    return found


def _binds(contract: Contract, net: int, day: date) -> bool:
    """Whether a holding can require margin: all but an option bought long before its delivery."""
    future = isinstance(contract, FutureContract)
    return net < 0 or future or delivery_share(contract.kind, contract.expiry, day) > 0


def _short_shares(book: Holdings, levels: Mapping[str, int], day: date) -> int:
    """Paise for shares that were sold or delivered and are not held.

    The price of a sale came in, so all of its value is bound beside the margin.
    """
    needed = 0
    for item, net in book.items():
        if net >= 0 or not isinstance(item, Share | DayShare):
            continue
        share = item.share if isinstance(item, DayShare) else item
        if share.symbol not in levels:
            raise NoQuote(f"no level of {share.symbol} is known", symbol=share.symbol)
        value = levels[share.symbol] * -net
        if isinstance(item, DayShare):
            needed += value + ceil(round(value * intraday_margin_rate(base_sigma(day), day), 6))
        else:
            needed += above_market(value)
    return needed


def _margins(
    groups: list[list[_Leg]],
    parameters: SpanParameters,
    levels: Mapping[str, int],
    marks: Mapping[str, int],
    now: datetime,
) -> MarginParts:
    day, shape = now.date(), (len(groups), max(len(legs) for legs in groups))
    strikes, units, forward, years, value, delivery = np.zeros((6, *shape))
    calls, futures = np.zeros((2, *shape), dtype=bool)
    value[:] = np.nan
    for row, legs in enumerate(groups):
        symbol = legs[0][0].symbol
        if symbol not in levels:
            raise NoQuote(f"no level of {symbol} is known at {now:%Y-%m-%d %H:%M}", symbol=symbol)
        forwards = _forwards(legs, levels[symbol], marks)
        delivered = _delivered(legs, levels[symbol])
        for at, (contract, net) in enumerate(legs):
            units[row, at], years[row, at] = net, _years(contract, now)
            forward[row, at] = forwards[contract.expiry]
            if not isinstance(contract, OptionContract):
                futures[row, at] = True
                continue
            mark = marks.get(contract.key)
            strikes[row, at] = rupees(contract.strike)
            calls[row, at] = contract.right is Right.CALL
            part = delivered.get(contract, 0) / abs(net)
            delivery[row, at] = part * delivery_share(contract.kind, contract.expiry, day)
            value[row, at] = np.nan if mark is None else rupees(mark)
    solid = np.where((units != 0) & ~futures, strikes, 1.0)
    known, _ = implied_vol(value, forward, solid, years, calls)
    vol = np.where(np.isfinite(known), known, parameters.base_vol)
    legs_of = MarginLegs(strikes, calls, units, forward, vol, years, value, delivery, futures)
    # not from the legs: one more sold leg would change the margin of the others, even down
    return margin_parts(legs_of, np.full(shape[0], parameters.base_vol), parameters)


def _forwards(legs: list[_Leg], level: int, marks: Mapping[str, int]) -> dict[date, float]:
    """Forward of each expiry in rupees: the future's mark where it is held, else the level."""
    found = {contract.expiry: rupees(level) for contract, _ in legs}
    for contract, _ in legs:
        if isinstance(contract, FutureContract) and contract.key in marks:
            found[contract.expiry] = rupees(marks[contract.key])
    return found


def _delivered(legs: list[_Leg], level: int) -> dict[Contract, int]:
    """Units of each contract that would be delivered at a level in paise, after netting."""
    finals = {(contract.symbol, contract.expiry): level for contract, _ in legs}
    return {c: n for one in deliveries(dict(legs), finals) for c, n in one.units.items()}


def _years(contract: Contract, now: datetime) -> float:
    """Years to expiry; 0 on the last day, whose rules do not depend on its hours."""
    return 0.0 if contract.expiry <= now.date() else years_to_expiry(now, contract.expiry)


def _added(book: BookMargin, parts: MarginParts, row: int) -> BookMargin:
    names = BookMargin.__dataclass_fields__
    return BookMargin(
        *(getattr(book, n) + round(float(getattr(parts, n)[row]) * 100) for n in names)
    )
