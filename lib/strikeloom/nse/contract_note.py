"""Charges of a day's orders as a contract note totals them.

Shares are taxed by what is left of them at the end of the day, not by the product of an order:
what a client both buys and sells of a share that day is intraday, the rest is delivery, each at the
average price of all its trades (NSE/CMO/0146/2004). Futures and options are taxed order by order.
STT and stamp duty of the cash market, and of derivatives, are rounded to whole rupees, half up; the
other charges to the paisa.

The exchange's figures are final. That STT is rounded once a market, rather than for each share, is
how one broker's note prints it ("STT-RND"); rounding for each share would differ by half a rupee a
share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from math import floor

from strikeloom.domain.legs import Side
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.errors import DataError
from strikeloom.nse.charges import Charges, Segment, order_brokerage, percent, rates

#: Markets, each with a note of its own.
CASH, DERIVATIVES = "cash", "derivatives"
_SHARES = (Segment.DELIVERY, Segment.INTRADAY)
_NAMES = tuple(field.name for field in fields(Charges))


@dataclass(frozen=True, slots=True)
class ExecutedOrder:
    """An order of the day with all its fills.

    Attributes
    ----------
    name : str
        The share, or the contract.
    units : int
        Filled, positive.
    value : int
        Paise of all its fills; of an option the premium.
    brokerage : int, optional
        Paise; default: by the broker's list.
    """

    name: str
    segment: Segment
    side: Side
    units: int
    value: int
    brokerage: int | None = None


@dataclass(frozen=True, slots=True)
class _Traded:
    """Units and paise of a share, bought and sold, in a day."""

    bought: int
    paid: int
    sold: int
    received: int

    @property
    def intraday(self) -> int:
        """Units both bought and sold."""
        return min(self.bought, self.sold)

    def stt(self, day: date) -> float:
        """Paise, not rounded."""
        average = (self.paid + self.received) / (self.bought + self.sold)
        delivered = abs(self.bought - self.sold)
        tax = 0.0
        if self.intraday:
            tax += self.intraday * average * percent("stt_intraday", day) / 100
        if delivered:
            tax += delivered * average * percent("stt_delivery", day) / 100
        return tax

    def stamp(self, day: date) -> float:
        """Paise, not rounded: of what is bought, at the average price paid."""
        if not self.bought:
            return 0.0
        kept = self.bought - self.intraday
        duty = self.intraday * percent("stamp_intraday", day)
        duty += kept * percent("stamp_delivery", day)
        return duty * self.paid / self.bought / 100


def whole_rupees(paise: float) -> int:
    """Paise of the nearest rupee; half a rupee counts as one."""
    # a float of half a rupee may be a millionth of a paisa below it
    return floor(paise / PAISE_PER_RUPEE + 0.5 + 1e-8) * PAISE_PER_RUPEE


def share_stt(orders: Iterable[ExecutedOrder], day: date) -> float:
    """STT of a day's orders in shares in paise, not rounded: the note has whole rupees."""
    return sum(traded.stt(day) for traded in _by_share(orders).values())


def contract_note(orders: Iterable[ExecutedOrder], day: date, broker: str = "dhan") -> Charges:
    """Total of each charge over a day's orders, the depository's fee excepted.

    Raises
    ------
    DataError
        When an order has no units or no value, or a rate is not on record for the day.
    """
    return sum_of(market_notes(orders, day, broker).values())


def sum_of(notes: Iterable[Charges]) -> Charges:
    """Sum of some charges, each by itself."""
    parts = list(notes)
    return Charges(*(sum(getattr(part, name) for part in parts) for name in _NAMES))


def market_notes(
    orders: Iterable[ExecutedOrder], day: date, broker: str = "dhan", *, whole: bool = True
) -> dict[str, Charges]:
    """Charges of a day's orders by market (``CASH``, ``DERIVATIVES``), as each has its own note.

    Parameters
    ----------
    whole : bool, default True
        Taxes in whole rupees, as printed; without it to the paisa, as they were before.

    Raises
    ------
    DataError
        As ``contract_note``.
    """
    found = list(orders)
    for order in found:
        if order.units <= 0 or order.value <= 0:
            raise DataError(
                f"order in {order.name}: {order.units} units for {order.value} paise; a contract "
                "note has executed orders only",
                name=order.name,
            )
    shares = [order for order in found if order.segment in _SHARES]
    contracts = [order for order in found if order.segment not in _SHARES]
    parts = {CASH: shares, DERIVATIVES: contracts}
    return {name: _note(part, day, broker, whole) for name, part in parts.items() if part}


def _note(orders: list[ExecutedOrder], day: date, broker: str, whole: bool) -> Charges:
    """Charges of one market's orders."""
    brokerage = sum(
        order_brokerage(order.value, day, order.segment, broker)
        if order.brokerage is None
        else order.brokerage
        for order in orders
    )
    exchange = round(sum(_fee(order, day) for order in orders))
    sebi = round(sum(order.value * rates(order.segment, day).sebi / 100 for order in orders))
    if orders[0].segment in _SHARES:
        stt = share_stt(orders, day)
        stamp = sum(traded.stamp(day) for traded in _by_share(orders).values())
    else:
        stt = sum(_contract_stt(order, day) for order in orders)
        stamp = sum(_contract_stamp(order, day) for order in orders)
    gst = round((brokerage + exchange + sebi) * percent("gst", day) / 100)
    rounded = whole_rupees if whole else round
    return Charges(brokerage, rounded(stt), exchange, sebi, rounded(stamp), gst)


def _fee(order: ExecutedOrder, day: date) -> float:
    found = rates(order.segment, day)
    return order.value * (found.exchange + found.ipft) / 100


def _contract_stt(order: ExecutedOrder, day: date) -> float:
    found = rates(order.segment, day)
    return order.value * (found.stt_buy if order.side is Side.BUY else found.stt_sale) / 100


def _contract_stamp(order: ExecutedOrder, day: date) -> float:
    return order.value * rates(order.segment, day).stamp / 100 if order.side is Side.BUY else 0.0


def _by_share(orders: Iterable[ExecutedOrder]) -> dict[str, _Traded]:
    found: dict[str, _Traded] = {}
    for order in orders:
        before = found.get(order.name, _Traded(0, 0, 0, 0))
        buys = order.side is Side.BUY
        found[order.name] = _Traded(
            bought=before.bought + (order.units if buys else 0),
            paid=before.paid + (order.value if buys else 0),
            sold=before.sold + (0 if buys else order.units),
            received=before.received + (0 if buys else order.value),
        )
    return found
