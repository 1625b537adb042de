"""An account's contract note of a day, from its stored fills, beside the charges booked with them.

The broker's own note has whole rupees of tax for each market; the charges booked with a fill are
to the paisa, by its product. What the two differ by is stated by reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import Instrument, Share, instrument_of
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, FillKind
from strikeloom.nse.charges import Charges, Segment, depository_charge, trade_charges
from strikeloom.nse.contract_note import CASH, DERIVATIVES, ExecutedOrder, market_notes, sum_of
from strikeloom.nse.products import carried_product, charged_as


@dataclass(frozen=True, slots=True)
class SegmentTotals:
    """Orders of one segment on a day; values in paise, of options their premium."""

    segment: Segment
    orders: int
    bought: int
    sold: int


@dataclass(frozen=True, slots=True)
class DayNote:
    """A day's note; paise.

    Attributes
    ----------
    segments : tuple of SegmentTotals
        What was traded; shares as ``delivery``, of which the note taxes what was bought and sold
        the same day as intraday.
    markets : mapping of str to Charges
        Charges as printed, by market.
    booked : int
        Charges booked with the fills of the orders.
    differences : tuple of tuple
        What note less booked consists of: reason and paise.
    besides : tuple of tuple
        Charges booked on the day that are on no note of orders: kind of the fill and paise.
    """

    day: date
    segments: tuple[SegmentTotals, ...]
    markets: dict[str, Charges]
    booked: int
    differences: tuple[tuple[str, int], ...]
    besides: tuple[tuple[str, int], ...]

    @property
    def charges(self) -> Charges:
        """Charges of all markets."""
        return sum_of(self.markets.values())

    @property
    def net_payable(self) -> int:
        """Paise to be paid for shares, premiums and charges; negative: received.

        Futures are settled in cash apart.
        """
        paid = [it for it in self.segments if it.segment is not Segment.FUTURE]
        return sum(it.bought - it.sold for it in paid) + self.charges.total


def day_note(fills: Iterable[Fill], day: date) -> DayNote:
    """Note of the fills of a day; all orders of a desk are carried over nights.

    Raises
    ------
    DataError
        When a rate is not on record for the day.
    """
    of_day = [fill for fill in fills if fill.at.date() == day]
    traded = [fill for fill in of_day if fill.kind is FillKind.TRADE]
    orders = _orders(traded, day)
    markets = market_notes(orders, day)
    besides: dict[str, int] = defaultdict(int)
    for fill in of_day:
        if fill.kind is not FillKind.TRADE:
            besides[fill.kind.value] += fill.charges
    return DayNote(
        day,
        _segments(orders),
        markets,
        sum(fill.charges for fill in traded),
        tuple((why, paise) for why, paise in _differences(traded, orders, markets, day) if paise),
        tuple((kind, paise) for kind, paise in sorted(besides.items()) if paise),
    )


def _orders(fills: Iterable[Fill], day: date) -> list[ExecutedOrder]:
    parts: dict[str, list[Fill]] = defaultdict(list)
    for fill in fills:
        parts[fill.order_id].append(fill)
    return [
        ExecutedOrder(
            mine[0].instrument_key,
            _segment(instrument_of(mine[0].instrument_key), day),
            mine[0].side,
            sum(fill.units for fill in mine),
            sum(fill.units * fill.price for fill in mine),
        )
        for mine in parts.values()
    ]


def _segment(instrument: Instrument, day: date) -> Segment:
    return charged_as(instrument, carried_product(instrument), day)


def _segments(orders: list[ExecutedOrder]) -> tuple[SegmentTotals, ...]:
    found = []
    for segment in Segment:
        mine = [order for order in orders if order.segment is segment]
        bought, sold = (
            sum(order.value for order in mine if order.side is side)
            for side in (Side.BUY, Side.SELL)
        )
        if mine:
            found.append(SegmentTotals(segment, len(mine), bought, sold))
    return tuple(found)


def _differences(
    fills: list[Fill], orders: list[ExecutedOrder], markets: dict[str, Charges], day: date
) -> list[tuple[str, int]]:
    """Note less booked, in parts that add up to it."""
    exact = market_notes(orders, day, whole=False)
    by_fill, fees = _charges_by_fill(fills, day)
    printed, paisa = sum_of(markets.values()), sum_of(exact.values())
    rupees = printed.stt + printed.stamp - paisa.stt - paisa.stamp
    both = sorted(_bought_and_sold(fills))
    taxes = {
        name: exact[name].stt + exact[name].stamp - by_fill[name].stt - by_fill[name].stamp
        for name in exact
    }
    same_day = taxes.get(CASH, 0) if both else 0
    rounding = paisa.total - sum_of(by_fill.values()).total - same_day
    booked = sum(fill.charges for fill in fills)
    other = sum_of(by_fill.values()).total + fees - booked
    return [
        ("STT and stamp duty are in whole rupees on the note, once a market", rupees),
        (f"bought and sold the same day, taxed as intraday: {', '.join(both)}", same_day),
        ("each fill is rounded to the paisa when it is booked, the note once", rounding),
        ("the depository's fee is on the ledger, not on the note", -fees),
        ("booked with the fills otherwise than by the rates on record", other),
    ]


def _charges_by_fill(fills: list[Fill], day: date) -> tuple[dict[str, Charges], int]:
    """Charges of each fill by its product, summed by market; and the depository's fees booked."""
    values: dict[str, int] = defaultdict(int)
    parts: dict[str, list[Charges]] = defaultdict(list)
    fees = 0
    for fill in fills:
        instrument = instrument_of(fill.instrument_key)
        found = trade_charges(
            fill.side,
            fill.units,
            fill.price,
            day,
            first_fill=not values[fill.order_id],
            segment=_segment(instrument, day),
            earlier=values[fill.order_id],
        )
        values[fill.order_id] += fill.units * fill.price
        shares = isinstance(instrument, Share)
        parts[CASH if shares else DERIVATIVES].append(found)
        above = fill.charges - found.total
        if shares and fill.side is Side.SELL and above and above == depository_charge(day):
            fees += above
    return {name: sum_of(charges) for name, charges in parts.items()}, fees


def _bought_and_sold(fills: list[Fill]) -> set[str]:
    """Symbols of the shares that were both bought and sold."""
    sides: dict[str, set[Side]] = defaultdict(set)
    for fill in fills:
        instrument = instrument_of(fill.instrument_key)
        if isinstance(instrument, Share):
            sides[instrument.symbol].add(fill.side)
    return {symbol for symbol, traded in sides.items() if len(traded) > 1}
