"""Costs of an option order: brokerage, STT, exchange and SEBI fees, stamp duty, GST.

An estimate to the paisa; the broker's contract note is authoritative and rounds STT and stamp
duty to whole rupees. Source: ``charges.csv``, ``brokerage.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from strikeloom.domain.instruments import Contract, InstrumentKind, OptionContract
from strikeloom.domain.legs import Side
from strikeloom.nse.settlement import delivery_price, receives
from strikeloom.nse.tables import in_force, rows


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


@lru_cache(maxsize=512)
def brokerage(day: date, broker: str = "dhan") -> int:
    """Flat brokerage of one executed order in paise."""
    known = [row for row in rows("brokerage") if row["broker"] == broker]
    return int(in_force(known, day, what=f"brokerage of {broker}")["paise_per_order"])


@cache
def first_charge_day(broker: str = "dhan") -> date:
    """First day on which every charge of a trade is on record."""
    begins: dict[str, str] = {}
    for row in rows("charges"):
        begins[row["item"]] = min(begins.get(row["item"], "9999"), row["effective_from"])
    flat = min(row["effective_from"] for row in rows("brokerage") if row["broker"] == broker)
    return date.fromisoformat(max(flat, *begins.values()))


def _share(amount: int, item: str, day: date) -> int:
    return round(amount * percent(item, day) / 100)


def trade_charges(
    side: Side, units: int, price: int, day: date, *, first_fill: bool = True
) -> Charges:
    """Charges of one executed option order, or of one fill of it.

    Parameters
    ----------
    units : int
        Filled units, positive.
    price : int
        Paise a unit.
    first_fill : bool, default True
        Brokerage is per order: its later fills pay none.
    """
    premium = units * price
    flat = brokerage(day) if first_fill else 0
    exchange = _share(premium, "exchange", day) + _share(premium, "ipft", day)
    sebi = _share(premium, "sebi", day)
    return Charges(
        brokerage=flat,
        stt=_share(premium, "stt_sale", day) if side is Side.SELL else 0,
        exchange=exchange,
        sebi=sebi,
        stamp=_share(premium, "stamp", day) if side is Side.BUY else 0,
        gst=round((flat + exchange + sebi) * percent("gst", day) / 100),
    )


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
    stt = stamp = 0
    option = isinstance(contract, OptionContract)
    if net > 0 and option:
        stt = _share(value * (net - delivered), "stt_exercise", day)
    if delivered:
        paid = delivery_price(contract, value) * delivered
        stt += _share(paid, "stt_delivery", day)
        if net > 0 and option:
            stt += _share(value * delivered, "stt_exercise_delivered", day)
        if receives(contract, net):
            stamp = _share(paid, "stamp_delivery", day)
    return Charges(0, stt, 0, 0, stamp, 0)
