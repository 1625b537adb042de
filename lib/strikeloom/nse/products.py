"""Products of a broker: what an order may be placed as, and what becomes of it at the day's end.

Cover and bracket orders are intraday products of their own kind and are not here. Source:
``products.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache

from strikeloom.errors import DataError
from strikeloom.nse.charges import Segment
from strikeloom.nse.sessions import IST
from strikeloom.nse.tables import Row, in_force, rows


@dataclass(frozen=True, slots=True)
class ProductRule:
    """A product in one segment.

    Attributes
    ----------
    name : str
        As the broker's interface writes it: CNC, INTRADAY, MARGIN, MTF.
    segment : Segment
        What it may trade.
    overnight : bool
        Whether a position is carried to the next day.
    brokerage : Segment
        Whose brokerage it pays: of shares on margin that of intraday orders.
    """

    name: str
    segment: Segment
    overnight: bool
    brokerage: Segment


@cache
def products(segment: Segment, day: date, broker: str = "dhan") -> tuple[ProductRule, ...]:
    """Products that may trade a segment on a day, in the table's order."""
    names = dict.fromkeys(row["product"] for row in _rows(segment, broker) if _begun(row, day))
    return tuple(product(name, segment, day, broker) for name in names)


@cache
def product(name: str, segment: Segment, day: date, broker: str = "dhan") -> ProductRule:
    """A product in a segment.

    Raises
    ------
    DataError
        When the broker has no such product in that segment on that day; names those it has.
    """
    row = _row(name, segment, day, broker)
    return ProductRule(name, segment, row["overnight"] == "yes", Segment(row["brokerage"]))


def square_off(name: str, segment: Segment, day: date, broker: str = "dhan") -> datetime | None:
    """Time from which the broker closes open positions of a product; ``None`` when it carries them.

    Raises
    ------
    DataError
        When the product is closed at a time that is not on record, or there is no such product.
    """
    row = _row(name, segment, day, broker)
    if row["overnight"] == "yes":
        return None
    if not row["square_off"]:
        raise DataError(
            f"the time at which {broker} closes {name} positions of {segment.value} is not on "
            f"record for {day} ({row['source']}); add a dated row with its source to "
            "nse/data/products.csv",
            day=day.isoformat(),
        )
    return datetime.combine(day, time.fromisoformat(row["square_off"]), IST)


def _rows(segment: Segment, broker: str) -> list[Row]:
    return [
        row
        for row in rows("products")
        if row["broker"] == broker and row["segment"] == segment.value
    ]


def _begun(row: Row, day: date) -> bool:
    return date.fromisoformat(row["effective_from"]) <= day


def _row(name: str, segment: Segment, day: date, broker: str) -> Row:
    known = [row for row in _rows(segment, broker) if _begun(row, day)]
    named = [row for row in known if row["product"] == name]
    if not named:
        offered = ", ".join(dict.fromkeys(row["product"] for row in known)) or "none on record"
        raise DataError(
            f"{broker} trades no {segment.value} as {name} on {day}; its products: {offered}",
            day=day.isoformat(),
        )
    return in_force(named, day, what=f"product {name}")
