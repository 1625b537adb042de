"""Margin estimate of a whole book: each underlying separately, offsets between expiries by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from strikeloom.domain.instruments import (
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    as_option,
)
from strikeloom.domain.money import rupees
from strikeloom.errors import NoQuote
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.nse.settlement import deliveries
from strikeloom.quant.implied.solver import implied_vol
from strikeloom.risk.margin import MarginLegs, MarginParts, margin_parts
from strikeloom.risk.parameters import SpanParameters, delivery_share, span_parameters

Holdings = Mapping[Instrument, int]


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
        Net units by contract; 0 counts as absent.
    levels : mapping
        Level of each underlying in paise.
    marks : mapping
        Value of a unit of a contract in paise, by key; the model's value is used where it is
        absent.

    Raises
    ------
    NoQuote
        When the level of an underlying with a sold leg, or one near delivery, is unknown.
    """
    found = [BookMargin() for _ in books]
    for kind in InstrumentKind:
        for parameters, groups in _groups(books, kind, now).items():
            parts = _margins([legs for _, legs in groups], parameters, levels, marks, now)
            for row, (book, _) in enumerate(groups):
                found[book] = _added(found[book], parts, row)
    return found


_Leg = tuple[OptionContract, int]


def _groups(
    books: Sequence[Holdings], kind: InstrumentKind, now: datetime
) -> dict[SpanParameters, list[tuple[int, list[_Leg]]]]:
    """Legs by book and underlying, by their parameters, only where margin can be required."""
    groups: dict[tuple[int, str], list[_Leg]] = {}
    for number, book in enumerate(books):
        for instrument, net in book.items():
            if net and instrument.kind is kind:
                groups.setdefault((number, instrument.symbol), []).append(
                    (as_option(instrument), net)
                )
    day = now.date()
    found: dict[SpanParameters, list[tuple[int, list[_Leg]]]] = {}
    for (number, symbol), legs in groups.items():
        if any(net < 0 or delivery_share(kind, c.expiry, day) for c, net in legs):
            parameters = span_parameters(kind, symbol, day)
            found.setdefault(parameters, []).append((number, sorted(legs)))
    return found


def _margins(
    groups: list[list[_Leg]],
    parameters: SpanParameters,
    levels: Mapping[str, int],
    marks: Mapping[str, int],
    now: datetime,
) -> MarginParts:
    day, shape = now.date(), (len(groups), max(len(legs) for legs in groups))
    strikes, units, forward, years, value, delivery = np.zeros((6, *shape))
    calls = np.zeros(shape, dtype=bool)
    value[:] = np.nan
    for row, legs in enumerate(groups):
        symbol = legs[0][0].symbol
        if symbol not in levels:
            raise NoQuote(f"no level of {symbol} is known at {now:%Y-%m-%d %H:%M}", symbol=symbol)
        forward[row] = rupees(levels[symbol])
        delivered = _delivered(legs, levels[symbol])
        for at, (instrument, net) in enumerate(legs):
            strikes[row, at], units[row, at] = rupees(instrument.strike), net
            calls[row, at] = instrument.right is Right.CALL
            years[row, at] = _years(instrument, now)
            part = delivered.get(instrument, 0) / abs(net)
            delivery[row, at] = part * delivery_share(instrument.kind, instrument.expiry, day)
            mark = marks.get(instrument.key)
            value[row, at] = np.nan if mark is None else rupees(mark)
    known, _ = implied_vol(value, forward, np.where(units, strikes, 1.0), years, calls)
    vol = np.where(np.isfinite(known), known, parameters.base_vol)
    legs_of = MarginLegs(strikes, calls, units, forward, vol, years, value, delivery)
    # not from the legs: one more sold leg would change the margin of the others, even down
    return margin_parts(legs_of, np.full(shape[0], parameters.base_vol), parameters)


def _delivered(legs: list[_Leg], level: int) -> dict[OptionContract, int]:
    """Units of each option that would be delivered at a level in paise, after netting."""
    finals = {(instrument.symbol, instrument.expiry): level for instrument, _ in legs}
    found = deliveries(dict(legs), finals)
    return {as_option(c): n for one in found for c, n in one.units.items()}


def _years(instrument: OptionContract, now: datetime) -> float:
    """Years to expiry; 0 on the last day, whose rules do not depend on its hours."""
    return 0.0 if instrument.expiry <= now.date() else years_to_expiry(now, instrument.expiry)


def _added(book: BookMargin, parts: MarginParts, row: int) -> BookMargin:
    names = BookMargin.__dataclass_fields__
    return BookMargin(
        *(getattr(book, n) + round(float(getattr(parts, n)[row]) * 100) for n in names)
    )
