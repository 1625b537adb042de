"""Costs of an order: brokerage, STT, exchange and SEBI fees, stamp duty, GST.

An estimate to the paisa; the broker's contract note is authoritative and rounds STT and stamp
duty to whole rupees (``nse.contract_note``). Source: ``charges.csv``, ``brokerage.csv``,
``depository.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple

from strikeloom.domain.instruments import (
    Contract,
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Share,
)
from strikeloom.domain.legs import Side
from strikeloom.errors import DataError
from strikeloom.nse.settlement import delivery_price, receives
from strikeloom.nse.tables import Row, in_force, rows


class Segment(StrEnum):
    """What an executed order is charged as; shares by whether they are held overnight."""

    OPTION = "option"
    FUTURE = "future"
    DELIVERY = "delivery"
    INTRADAY = "intraday"


def segment_of(instrument: Instrument) -> Segment:
    """Segment of an order that opens a position; shares are bought to be held overnight."""
    match instrument:
        case Share():
            return Segment.DELIVERY
        case FutureContract():
            return Segment.FUTURE
        case OptionContract():
            return Segment.OPTION


#: Items of ``charges.csv``: STT of a buy and of a sale, exchange, protection fund, stamp duty.
_ITEMS = {
    Segment.OPTION: (None, "stt_sale", "exchange", "ipft", "stamp"),
    Segment.FUTURE: (None, "stt_future", "exchange_future", "ipft_future", "stamp_future"),
    Segment.DELIVERY: (
        "stt_delivery", "stt_delivery", "exchange_share", "ipft_share", "stamp_delivery",
    ),
    Segment.INTRADAY: (None, "stt_intraday", "exchange_share", "ipft_share", "stamp_intraday"),
}  # fmt: skip


class Rates(NamedTuple):
    """Percent of the traded value; of an option its premium. GST is of what bears it."""

    stt_buy: float
    stt_sale: float
    exchange: float
    ipft: float
    stamp: float
    sebi: float
    gst: float


@dataclass(frozen=True, slots=True)
class Charges:
    """Paise of one executed order."""

    brokerage: int
    stt: int
    exchange: int
    sebi: int
    stamp: int
    gst: int

    @property
    def total(self) -> int:
        """Sum of all charges."""
        return self.brokerage + self.stt + self.exchange + self.sebi + self.stamp + self.gst


@lru_cache(maxsize=4096)
def percent(item: str, day: date) -> float:
    """Rate in force, in percent of its base."""
    known = [row for row in rows("charges") if row["item"] == item]
    return float(in_force(known, day, what=f"rate of {item}")["percent"])


@lru_cache(maxsize=4096)
def rates(segment: Segment, day: date) -> Rates:
    """All rates of a segment in force on a day."""
    items = (*_ITEMS[segment], "sebi", "gst")
    return Rates(*(percent(item, day) if item else 0.0 for item in items))


def _listed(broker: str, segment: Segment) -> list[Row]:
    return [
        row
        for row in rows("brokerage")
        if row["broker"] == broker and row["segment"] == segment.value
    ]


@lru_cache(maxsize=512)
def listed_brokerage(day: date, broker: str, segment: Segment) -> tuple[int, float | None]:
    """Paise of an executed order, and the percent of its value that may be less."""
    what = f"brokerage of {broker} for {segment.value}"
    row = in_force(_listed(broker, segment), day, what=what)
    return int(row["paise_per_order"]), float(row["percent"]) if row["percent"] else None


def brokerage(day: date, broker: str = "dhan", segment: Segment = Segment.OPTION) -> int:
    """Most that the broker takes for one executed order, in paise; flat for an option."""
    return listed_brokerage(day, broker, segment)[0]


def order_brokerage(value: int, day: date, segment: Segment, broker: str = "dhan") -> int:
    """Brokerage of one executed order in paise: flat, or a percent of its value if less."""
    most, share = listed_brokerage(day, broker, segment)
    return most if share is None else min(most, round(value * share / 100))


@cache
def first_charge_day(broker: str = "dhan") -> date:
    """First day on which every charge of a trade is on record."""
    begins: dict[str, str] = {}
    for row in rows("charges"):
        begins[row["item"]] = min(begins.get(row["item"], "9999"), row["effective_from"])
    for row in rows("brokerage"):
        if row["broker"] == broker:
            name = f"brokerage {row['segment']}"
            begins[name] = min(begins.get(name, "9999"), row["effective_from"])
    return date.fromisoformat(max(begins.values()))


def _share(amount: int, item: str, day: date) -> int:
    return _part(amount, percent(item, day))


def _part(amount: int, rate: float) -> int:
    return round(amount * rate / 100)


def trade_charges(
    side: Side,
    units: int,
    price: int,
    day: date,
    *,
    first_fill: bool = True,
    segment: Segment = Segment.OPTION,
    earlier: int = 0,
    broker: str = "dhan",
) -> Charges:
    """Charges of one executed order, or of one fill of it.

    Parameters
    ----------
    units : int
        Filled units, positive.
    price : int
        Paise a unit.
    first_fill : bool, default True
        Brokerage is per order: later fills of an order with a flat brokerage pay none.
    segment : Segment, default Segment.OPTION
        What is traded. Shares are taxed by whether they are held overnight, whatever the product
        of the order: ``nse.contract_note`` has the day's truth.
    earlier : int, default 0
        Paise of the order's earlier fills, where brokerage is a percent of its value.

    Raises
    ------
    DataError
        When a later fill of an order with such a brokerage is without what went before it.
    """
    value = units * price
    found = rates(segment, day)
    flat = _fill_brokerage(value, earlier, first_fill, listed_brokerage(day, broker, segment))
    exchange = _part(value, found.exchange) + _part(value, found.ipft)
    sebi = _part(value, found.sebi)
    buys = side is Side.BUY
    return Charges(
        brokerage=flat,
        stt=_part(value, found.stt_buy if buys else found.stt_sale),
        exchange=exchange,
        sebi=sebi,
        stamp=_part(value, found.stamp) if buys else 0,
        gst=_part(flat + exchange + sebi, found.gst),
    )


def _fill_brokerage(
    value: int, earlier: int, first_fill: bool, listed: tuple[int, float | None]
) -> int:
    most, share = listed
    if share is None:
        return most if first_fill and not earlier else 0
    if not first_fill and not earlier:
        raise DataError(
            f"brokerage is {share} % of an order's value, at most {most} paise: the value of its "
            "earlier fills is missing; pass it as earlier"
        )
    whole, before = (
        min(most, round(amount * share / 100)) for amount in (value + earlier, earlier)
    )
    return whole - before


@lru_cache(maxsize=512)
def depository_charge(day: date, broker: str = "dhan") -> int:
    """Fee with its GST, in paise, for each scrip and day that shares leave the account.

    It is on the ledger, not on the contract note. Source: ``depository.csv``.
    """
    known = [row for row in rows("depository") if row["broker"] == broker]
    fee = int(in_force(known, day, what=f"depository fee of {broker}")["paise_per_scrip"])
    return fee + _share(fee, "gst", day)


def delivery_charges(paid: int, day: date, *, receives_shares: bool) -> Charges:
    """Charges of shares that a derivative delivers, of the amount paid for them in paise.

    Both sides are taxed like a trade in shares for delivery; who receives them pays the stamps.
    The broker's own fee for it is not included.
    """
    stamp = _share(paid, "stamp_delivery", day) if receives_shares else 0
    return Charges(0, _share(paid, "stt_delivery", day), 0, 0, stamp, 0)


def settlement_charges(
    contract: Contract, net: int, value: int, day: date, delivered: int | None = None
) -> Charges:
    """Charges of an option or future held to its expiry; none when it ends valueless.

    What ends in cash costs its buyer STT on the intrinsic value. What ends in a delivery of
    shares at the strike is taxed on both sides like a trade in shares, at present without the
    tax on intrinsic value (``stt_exercise_delivered``). The broker's delivery fee and the cost of
    selling the shares are not included.

    Parameters
    ----------
    net : int
        Units held; negative when short.
    value : int
        Paise a unit at the end (``nse.settlement.settled_value``).
    delivered : int, optional
        Units that end in a delivery after netting (``nse.settlement.deliveries``); default: all
        of a stock option.
    """
    if value <= 0:
        return Charges(0, 0, 0, 0, 0, 0)
    if delivered is None:
        delivered = abs(net) if contract.kind is InstrumentKind.STOCK else 0
    bought_option = net > 0 and isinstance(contract, OptionContract)
    stt = _share(value * (net - delivered), "stt_exercise", day) if bought_option else 0
    if not delivered:
        return Charges(0, stt, 0, 0, 0, 0)
    if bought_option:
        stt += _share(value * delivered, "stt_exercise_delivered", day)
    paid = delivery_price(contract, value) * delivered
    shares = delivery_charges(paid, day, receives_shares=receives(contract, net))
    return replace(shares, stt=shares.stt + stt)
