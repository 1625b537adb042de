"""Orders, trades, positions, holdings and funds of Dhan's rows as our records.

Money is exact, in whole paise. A row that cannot be read is an error that shows it; no row of a
share or contract on NSE is skipped silently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from strikeloom.adapters.dhan.day_list import CONTRACTS, SHARES, SecurityId
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.row_reading import (
    NEVER_YEAR,
    Row,
    RowReading,
    count_of,
    moment_of,
    signed_count_of,
)
from strikeloom.domain.instruments import (
    Instrument,
    OptionContract,
    Right,
    Share,
    instrument_of,
)
from strikeloom.domain.legs import Side
from strikeloom.domain.money import paise
from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import DataError, StaleData, UnknownOutcome
from strikeloom.nse.charges import trade_charges
from strikeloom.nse.products import carried_product, charged_as

_STATES = {state.value: state for state in OrderState}
_SEGMENTS = (CONTRACTS, SHARES)
#: Exchanges of a holding: shares of companies listed on both are on ``ALL``.
_HELD_ON = ("ALL", "NSE")
#: Products of contracts and shares that the broker closes at the end of the day; cover and bracket
#: orders (CO, BO) are of their own kind, and never ours.
_OF_THE_DAY = frozenset({Product.INTRADAY.value, "CO", "BO"})
_NO_TAG = frozenset({"", "NA", "null", "None"})


def placed_as(body: Any, tag: str) -> tuple[str, str]:
    """Number and status of an accepted order; ``UnknownOutcome`` when the response names none."""
    number = body.get("orderId") if isinstance(body, dict) else None
    if not number:
        raise UnknownOutcome(f"order {tag}: Dhan's response names no order; it may exist")
    return str(number), str(body.get("orderStatus") or "").upper()


def order_of(row: Row, instruments: DhanInstruments, now: datetime) -> Order | None:
    """Order of a row of the order book; ``None`` if it is no share or contract on NSE."""
    with RowReading("an order", row):
        if row["exchangeSegment"] not in _SEGMENTS:
            return None
        key = _key_of(row, instruments, now.date())
        if key is None:
            return None
        units = count_of(row["quantity"])
        state = _STATES.get(str(row["orderStatus"]).upper(), OrderState.UNKNOWN)
        return Order(
            order_id=str(row["orderId"]),
            correlation_id=tag_of(row),
            instrument_key=key,
            side=Side[str(row["transactionType"]).upper()],
            units=units,
            filled_units=count_of(row.get("filledQty") or 0),
            limit=paise(row["price"], what="price"),
            state=state,
            reason=str(row.get("omsErrorDescription") or ""),
            updated_at=moment_of(row.get("updateTime")) or now,
        )


def fill_of(
    row: Row, order: Order, instruments: DhanInstruments, now: datetime, *, earlier: int
) -> Fill:
    """Fill of a row of the trade book, with the charges computed for it.

    Parameters
    ----------
    earlier : int
        Paise for which its order was filled before; with 0 it is the order's first fill.
    """
    with RowReading("a trade", row):
        key = _key_of(row, instruments, now.date())
        if key != order.instrument_key:
            raise DataError(f"its order {order.order_id} is in {order.instrument_key}")
        return _fill(row, order, now, earlier)


def past_fill_of(row: Row, order: Order, *, earlier: int) -> Fill:
    """Fill of a row of an earlier day's statement, whose id is not in today's list."""
    with RowReading("a past trade", row):
        held = instrument_of(order.instrument_key)
        if not isinstance(held, Share) and _stated(row) != _identity(held):
            raise DataError(f"its order {order.order_id} is in {order.instrument_key}")
        return _fill(row, order, order.updated_at, earlier)


def by_trade_number(row: Row) -> tuple[int, str]:
    """Sort key of trades by number, so that the first trade of an order stays the first."""
    number = str(row.get("exchangeTradeId"))
    return len(number), number


def _fill(row: Row, order: Order, default_at: datetime, earlier: int) -> Fill:
    at = moment_of(row.get("exchangeTime")) or moment_of(row.get("createTime")) or default_at
    side = Side[str(row["transactionType"]).upper()]
    units, price = count_of(row["tradedQuantity"]), paise(row["tradedPrice"], what="price")
    held = instrument_of(order.instrument_key)
    segment = charged_as(held, _product_of(row, held), at.date())
    charges = trade_charges(
        side,
        units,
        price,
        at.date(),
        first_fill=not earlier,
        segment=segment,
        earlier=earlier,
    )
    return Fill(
        fill_id=f"{order.order_id}-{row['exchangeTradeId']}",
        order_id=order.order_id,
        correlation_id=order.correlation_id,
        instrument_key=order.instrument_key,
        side=side,
        units=units,
        price=price,
        charges=charges.total,
        at=at,
    )


def _product_of(row: Row, held: Instrument) -> Product:
    """Product of a row: of the day only, or carried; a row without one is carried."""
    name = str(row.get("productType") or "").upper()
    return Product.INTRADAY if name in _OF_THE_DAY else carried_product(held)


def position_of(row: Row, instruments: DhanInstruments, day: date) -> BrokerPosition | None:
    """Position of a row; ``None`` if it is flat, or no share or contract on NSE.

    Of shares for delivery only the trades of the day count, as earlier ones are holdings, and what
    is short from before: shares that a delivery lacked.
    """
    with RowReading("a position", row):
        segment = row["exchangeSegment"]
        if segment not in _SEGMENTS:
            return None
        net = signed_count_of(row["netQty"])
        intraday = str(row.get("productType") or "").upper() in _OF_THE_DAY
        if segment == SHARES and not intraday:
            before = (count_of(row.get(f"carryForward{side}Qty") or 0) for side in ("Buy", "Sell"))
            short = min(0, next(before) - next(before))
            net = count_of(row["dayBuyQty"]) - count_of(row["daySellQty"]) + short
        if not net:
            return None  # it may be of an expired contract, which is in no list any more
        key = _key_of(row, instruments, day)
        return None if key is None else BrokerPosition(key, net, intraday)


def holding_of(row: Row, instruments: DhanInstruments, day: date) -> BrokerPosition | None:
    """Shares bought on earlier days, delivered or not yet; ``None`` if there are none on NSE."""
    with RowReading("a holding", row):
        units = count_of(row["totalQty"])
        if not units or str(row["exchange"]).upper() not in _HELD_ON:
            return None
        key = _share_key(row, instruments, day)
        return None if key is None else BrokerPosition(key, units)


def held_units(
    positions: Iterable[Row], holdings: Iterable[Row], instruments: DhanInstruments, day: date
) -> list[BrokerPosition]:
    """Net units by instrument over both lists, those of the day apart; flat ones are absent."""
    net = Counter[tuple[str, bool]]()
    held = [position_of(row, instruments, day) for row in positions]
    held += [holding_of(row, instruments, day) for row in holdings]
    for one in held:
        if one is not None:
            net[one.instrument_key, one.intraday] += one.net_units
    return [BrokerPosition(key, units, day_only) for (key, day_only), units in net.items() if units]


def funds_of(row: Row) -> Funds:
    """Money; the key of the balance is misspelled by the broker."""
    with RowReading("the funds", row):
        available = paise(row["availabelBalance"], what="available balance")
        used = paise(row["utilizedAmount"], what="utilized amount")
        return Funds(available + used, used, available)


def tag_of(row: Row) -> str:
    """Correlation id; empty when the order has none."""
    text = str(row.get("correlationId") or "")
    return "" if text in _NO_TAG else text


def _key_of(row: Row, instruments: DhanInstruments, day: date) -> str | None:
    """Key of the instrument that a row is about; ``None`` for what is no company's share.

    Segment and id identify it; expiry, strike and right of the row itself must agree, where it
    has them: ids are reused.
    """
    if row["exchangeSegment"] == SHARES:
        return _share_key(row, instruments, day)
    found = instruments.instrument_of(SecurityId(CONTRACTS, int(row["securityId"])), day)
    expiry, strike, right = _stated(row)
    if isinstance(found, OptionContract) and right is None and (strike or not expiry):
        return found.key  # the row does not name it
    if expiry and (expiry, strike, right) != _identity(found):
        raise DataError(
            f"id {row['securityId']} is {found.key} in the instrument list and {expiry} "
            f"{strike / 100:g} {right} at the broker; run strikeloom data instruments --fetch"
        )
    return found.key


def _share_key(row: Row, instruments: DhanInstruments, day: date) -> str | None:
    """Key of a share; ``None`` for bonds and funds, which the list has no share of."""
    try:
        return instruments.instrument_of(SecurityId(SHARES, int(row["securityId"])), day).key
    except StaleData:
        raise
    except DataError:
        return None


_Identity = tuple[str, int, Right | None]


def _stated(row: Row) -> _Identity:
    """Expiry, strike (paise; 0 for none) and right as a row states them; empty where it does not.

    A future has no right, and a strike of 0 or below.
    """
    right = {"CALL": Right.CALL, "PUT": Right.PUT}.get(str(row.get("drvOptionType") or "").upper())
    strike = int(Decimal(str(row.get("drvStrikePrice") or 0)) * 100)
    expiry = str(row.get("drvExpiryDate") or "")[:10]
    return expiry if expiry[:4] > str(NEVER_YEAR) else "", max(0, strike), right


def _identity(contract: Instrument) -> _Identity:
    if isinstance(contract, OptionContract):
        return contract.expiry.isoformat(), contract.strike, contract.right
    return "" if isinstance(contract, Share) else contract.expiry.isoformat(), 0, None
