"""Conversion between Dhan's rows and our records; money is exact, in whole paise.

A row that cannot be read is an error that shows it; no row is skipped silently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from strikeloom.adapters.dhan.day_list import OPTIONS
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.packets import FullTick, best
from strikeloom.domain.instruments import (
    Instrument,
    OptionContract,
    Right,
    Share,
    as_option,
    instrument_of,
)
from strikeloom.domain.legs import Side
from strikeloom.domain.money import paise
from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderState
from strikeloom.domain.quotes import Quote
from strikeloom.errors import BrokerError, DataError, Rejected
from strikeloom.nse.charges import trade_charges
from strikeloom.nse.sessions import IST

Row = Mapping[str, Any]

_STATES = {state.value: state for state in OrderState}
_NEVER_TRADED_YEAR = 1980
#: The feed counts seconds of the Indian wall clock as if they were of UTC.
_WALL_CLOCK = 19_800
_NO_TAG = frozenset({"", "NA", "null", "None"})
#: Relative precision of a price on the wire, a float32: this near to a tick it is that tick.
_FLOAT32 = 2.0**-23


def rupees_on_tick(limit: int, instrument: Instrument) -> float:
    """Limit in rupees as it is sent, exact to the paisa.

    Raises
    ------
    Rejected
        When it is not a positive multiple of the contract's tick; nothing was sent.
    """
    if limit <= 0 or limit % instrument.tick:
        raise Rejected(
            f"{instrument.label}: a limit of {limit} paise is not on its tick of {instrument.tick}",
            limit=limit,
        )
    return float(Decimal(limit) / 100)


def price_on_tick(price: float, tick: int) -> int | None:
    """Price of the feed in paise; ``None`` when there is none.

    A float32 is read as the nearest tick when that is within its own precision, else as the
    nearest paisa.
    """
    if not math.isfinite(price) or price <= 0:
        return None
    exact = price * 100  # a float32 times 100 is exact enough in a double
    steps = round(exact / tick) * tick
    if abs(exact - steps) <= exact * _FLOAT32 + 0.01:
        return steps
    return round(exact)


def order_of(row: Row, instruments: DhanInstruments, now: datetime) -> Order | None:
    """Order of a row of the order book; ``None`` if it is not an option on NSE."""
    if row.get("exchangeSegment") != OPTIONS:
        return None
    with _Reading("an order", row):
        key = _contract_key(row, instruments, now.date())
        if key is None:
            return None
        units = _count(row["quantity"])
        state = _STATES.get(str(row["orderStatus"]).upper(), OrderState.UNKNOWN)
        return Order(
            order_id=str(row["orderId"]),
            correlation_id=tag_of(row),
            instrument_key=key,
            side=Side[str(row["transactionType"]).upper()],
            units=units,
            filled_units=_count(row.get("filledQty") or 0),
            limit=paise(row["price"], what="price"),
            state=state,
            reason=str(row.get("omsErrorDescription") or ""),
            updated_at=_moment(row.get("updateTime")) or now,
        )


def fill_of(
    row: Row, order: Order, instruments: DhanInstruments, now: datetime, *, first: bool
) -> Fill:
    """Fill of a row of the trade book, with the charges computed for it.

    Parameters
    ----------
    first : bool
        Whether it is the first fill of its order, which bears the brokerage.
    """
    with _Reading("a trade", row):
        key = _contract_key(row, instruments, now.date())
        if key != order.instrument_key:
            raise DataError(f"its order {order.order_id} is in {order.instrument_key}")
        return _fill(row, order, now, first=first)


def past_fill_of(row: Row, order: Order, *, first: bool) -> Fill:
    """Fill of a row of an earlier day's statement, whose id is not in today's list."""
    with _Reading("a past trade", row):
        held = instrument_of(order.instrument_key)
        stated = str(row["drvExpiryDate"])[:10], int(Decimal(str(row["drvStrikePrice"])) * 100)
        known = ("", 0) if isinstance(held, Share) else (held.expiry.isoformat(), 0)
        if isinstance(held, OptionContract):
            known = known[0], held.strike
        if not isinstance(held, Share) and stated != known:
            raise DataError(f"its order {order.order_id} is in {order.instrument_key}")
        return _fill(row, order, order.updated_at, first=first)


def by_trade_number(row: Row) -> tuple[int, str]:
    """Sort key of trades by number, so that the first trade of an order stays the first."""
    number = str(row.get("exchangeTradeId"))
    return len(number), number


def _fill(row: Row, order: Order, default_at: datetime, *, first: bool) -> Fill:
    at = _moment(row.get("exchangeTime")) or _moment(row.get("createTime")) or default_at
    side = Side[str(row["transactionType"]).upper()]
    units, price = _count(row["tradedQuantity"]), paise(row["tradedPrice"], what="price")
    return Fill(
        fill_id=f"{order.order_id}-{row['exchangeTradeId']}",
        order_id=order.order_id,
        correlation_id=order.correlation_id,
        instrument_key=order.instrument_key,
        side=side,
        units=units,
        price=price,
        charges=trade_charges(side, units, price, at.date(), first_fill=first).total,
        at=at,
    )


def position_of(row: Row, instruments: DhanInstruments, day: date) -> BrokerPosition | None:
    """Position of a row; ``None`` if it is flat or not an option on NSE."""
    if row.get("exchangeSegment") != OPTIONS:
        return None
    with _Reading("a position", row):
        net = int(Decimal(str(row["netQty"])))
        if not net:
            return None  # it may be of an expired contract, which is in no list any more
        key = _contract_key(row, instruments, day)
        return None if key is None else BrokerPosition(key, net)


def funds_of(row: Row) -> Funds:
    """Money; the key of the balance is misspelled by the broker."""
    with _Reading("the funds", row):
        available = paise(row["availabelBalance"], what="available balance")
        used = paise(row["utilizedAmount"], what="utilized amount")
        return Funds(available + used, used, available)


def quote_of(row: Row, instrument: Instrument, at: datetime) -> Quote:
    """Quote of a row of the market-quote call; an empty side is absent, never zero."""
    with _Reading(f"a quote of {instrument.label}", row):
        depth = row.get("depth") or {}
        bid, ask = _best(depth.get("buy")), _best(depth.get("sell"))
        tick = instrument.tick
        return Quote(
            instrument.key,
            bid=price_on_tick(bid[0], tick),
            ask=price_on_tick(ask[0], tick),
            last=price_on_tick(float(row.get("last_price") or 0.0), tick),
            bid_size=bid[1] if bid[0] > 0 else 0,
            ask_size=ask[1] if ask[0] > 0 else 0,
            volume=_count(row.get("volume") or 0),
            open_interest=_count(row.get("oi") or 0),
            at=at,
        )


def tag_of(row: Row) -> str:
    """Correlation id; empty when the order has none."""
    text = str(row.get("correlationId") or "")
    return "" if text in _NO_TAG else text


def _best(levels: Any) -> tuple[float, int]:
    if not levels:
        return 0.0, 0
    return float(levels[0].get("price") or 0.0), _count(levels[0].get("quantity") or 0)


def _contract_key(row: Row, instruments: DhanInstruments, day: date) -> str | None:
    """Key of the contract that a row is about; ``None`` for a future.

    The id identifies it; expiry, strike and right of the row itself must agree, where it has
    them: ids are reused.
    """
    strike = Decimal(str(row.get("drvStrikePrice") or 0))
    right = {"CALL": Right.CALL, "PUT": Right.PUT}.get(str(row.get("drvOptionType") or "").upper())
    if right is None and strike <= 0 and str(row.get("drvExpiryDate") or "")[:4] > "1980":
        return None
    found = instruments.contract_of(int(row["securityId"]), day)
    expiry = str(row.get("drvExpiryDate") or "")[:10]
    stated = (expiry, int(strike * 100), right)
    option = as_option(found)
    if right is not None and stated != (option.expiry.isoformat(), option.strike, option.right):
        raise DataError(
            f"id {row['securityId']} is {found.key} in the instrument list and {expiry} {strike} "
            f"{right} at the broker; run strikeloom data instruments --fetch"
        )
    return found.key


def full_quote(packet: FullTick, instrument: Instrument, at: datetime) -> Quote:
    """Quote of a full packet; an empty side is absent, never zero."""
    top, tick = best(packet.depth), instrument.tick
    bid, ask = price_on_tick(top.bid, tick), price_on_tick(top.ask, tick)
    return Quote(
        instrument.key,
        bid,
        ask,
        price_on_tick(packet.last, tick),
        top.bid_units if bid is not None else 0,
        top.ask_units if ask is not None else 0,
        packet.volume,
        packet.open_interest,
        at,
    )


def traded_moment(seconds: int) -> datetime | None:
    """Time of a last trade: the wire counts the Indian wall clock as if it were UTC."""
    return datetime.fromtimestamp(seconds - _WALL_CLOCK, IST) if seconds > _WALL_CLOCK else None


def _count(value: Any) -> int:
    exact = Decimal(str(value))
    if exact != exact.to_integral_value() or exact < 0:
        raise DataError(f"{value!r} is not a count of units")
    return int(exact)


def _moment(text: Any) -> datetime | None:
    """Time of a text in Indian time; ``None`` for none and for year 1."""
    try:
        at = datetime.fromisoformat(str(text)).replace(tzinfo=IST)
    except ValueError:
        return None
    return at if at.year > _NEVER_TRADED_YEAR else None


class _Reading:
    """Turn any error in a row into one that names the row."""

    def __init__(self, what: str, row: Row) -> None:
        self._what = what
        self._row = row

    def __enter__(self) -> None:
        if not isinstance(self._row, Mapping):
            raise BrokerError(f"Dhan's response contains {self._row!r} for {self._what}")

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, KeyError):
            shown = {name: self._row[name] for name in list(self._row)[:8] if "lient" not in name}
            raise BrokerError(f"{self._what} lacks {error}: {shown}") from None
        if isinstance(error, DataError | TypeError | ValueError | InvalidOperation):
            number = self._row.get("orderId") or self._row.get("securityId") or ""
            raise BrokerError(f"{self._what} {number} cannot be read: {error}") from None
