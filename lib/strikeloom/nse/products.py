"""Products of a broker: what an instrument may be held as, and what becomes of it at the day's end.

Cover and bracket orders are intraday products of their own kind and are not here. Source:
``products.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache

from strikeloom.domain.instruments import FutureContract, Instrument, Share
from strikeloom.domain.products import Product
from strikeloom.errors import DataError
from strikeloom.nse.charges import Segment
from strikeloom.nse.sessions import IST, regular_session, session
from strikeloom.nse.tables import Row, in_force, rows


@dataclass(frozen=True, slots=True)
class ProductRule:
    """A product in one segment.

    Attributes
    ----------
    name : str
        As the broker's interface writes it: CNC, INTRADAY, MARGIN, MTF.
    segment : Segment
        What its trades are charged as.
    overnight : bool
        Whether a position is carried to the next day.
    square_off : datetime.time or None
        When the broker closes what is open; ``None`` where it carries positions, and where the
        time is not on record.
    """

    name: str
    segment: Segment
    overnight: bool
    square_off: time | None


def product_rules(
    instrument: Instrument, day: date, broker: str = "dhan"
) -> tuple[ProductRule, ...]:
    """Products that an instrument may be held as on a day, in the table's order."""
    return _rules(_segments(instrument), day, broker)


def product_rule(
    instrument: Instrument, name: str, day: date, broker: str = "dhan"
) -> ProductRule | None:
    """Rule of one product for an instrument; ``None`` when the broker does not hold it so."""
    rules = product_rules(instrument, day, broker)
    return next((rule for rule in rules if rule.name == name), None)


def carried_product(instrument: Instrument, broker: str = "dhan") -> Product:
    """Product that carries an instrument over nights: the first of the table that does.

    Raises
    ------
    DataError
        When the broker has none.
    """
    for segment in _segments(instrument):
        for row in _rows(segment, broker):
            if row["overnight"] == "yes":
                return Product(row["product"])
    raise DataError(f"{broker} carries no {_segments(instrument)[0].value} over nights")


def charged_as(
    instrument: Instrument, product: Product, day: date, broker: str = "dhan"
) -> Segment:
    """Segment whose charges the trades of a product pay.

    Of shares what is left of them after the day decides: ``nse.contract_note``.

    Raises
    ------
    DataError
        When the broker does not hold the instrument so on that day; names what it offers.
    """
    rule = product_rule(instrument, product.value, day, broker)
    if rule is None:
        offered = ", ".join(rule.name for rule in product_rules(instrument, day, broker))
        raise DataError(
            f"{broker} holds no {instrument.label} as {product} on {day}; its products: "
            f"{offered or 'none on record'}",
            day=day.isoformat(),
        )
    return rule.segment


def square_off_moment(instrument: Instrument, day: date, broker: str = "dhan") -> datetime | None:
    """When the broker closes what is held of an instrument for the day only.

    ``None`` where that is not on record: as yet from 2026-08-03, and on days of other hours than
    the regular ones. ``products.csv`` has what was looked for.
    """
    rule = product_rule(instrument, Product.INTRADAY.value, day, broker)
    if rule is None or rule.square_off is None or session(day).close != regular_session(day).close:
        return None
    return datetime.combine(day, rule.square_off, IST)


@cache
def first_square_off(day: date, broker: str = "dhan") -> datetime | None:
    """Earliest moment of a day at which the broker squares anything off; ``None`` as above."""
    known = (
        rule.square_off
        for segment in Segment
        for rule in _rules((segment,), day, broker)
        if rule.name == Product.INTRADAY.value and rule.square_off is not None
    )
    first = min(known, default=None)
    if first is None or session(day).close != regular_session(day).close:
        return None
    return datetime.combine(day, first, IST)


def _segments(instrument: Instrument) -> tuple[Segment, ...]:
    match instrument:
        case Share():
            return Segment.DELIVERY, Segment.INTRADAY
        case FutureContract():
            return (Segment.FUTURE,)
        case _:
            return (Segment.OPTION,)


@cache
def _rules(segments: tuple[Segment, ...], day: date, broker: str) -> tuple[ProductRule, ...]:
    found = []
    for segment in segments:
        begun = [
            row
            for row in _rows(segment, broker)
            if date.fromisoformat(row["effective_from"]) <= day
        ]
        for name in dict.fromkeys(row["product"] for row in begun):
            named = [row for row in begun if row["product"] == name]
            row = in_force(named, day, what=f"product {name}")
            at = time.fromisoformat(row["square_off"]) if row["square_off"] else None
            found.append(ProductRule(name, segment, row["overnight"] == "yes", at))
    return tuple(found)


def _rows(segment: Segment, broker: str) -> list[Row]:
    return [
        row
        for row in rows("products")
        if row["broker"] == broker and row["segment"] == segment.value
    ]
