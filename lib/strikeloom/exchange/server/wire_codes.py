"""Codes and numbers of the wire, and the exchange's values for them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from strikeloom.domain.instruments import Instrument, InstrumentKind, OptionContract, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Validity
from strikeloom.domain.products import Product
from strikeloom.exchange.orders.request import AmoTime, OrderType
from strikeloom.exchange.server.responses import BAD_INPUT, refused

#: Segments in which orders are taken: of shares, and of options and futures.
SHARES, CONTRACTS, INDICES = "NSE_EQ", "NSE_FNO", "IDX_I"
#: A security on the wire: its segment, and its number, unique within it.
WireSecurity = tuple[str, int]
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
ORDER_TYPES: Final = {kind.value: kind for kind in OrderType}
PRODUCTS: Final = {kind.value: kind for kind in Product}
VALIDITIES: Final = {kind.value: kind for kind in Validity}
AMO_TIMES: Final = {kind.value: kind for kind in AmoTime}
RIGHTS: Final = {Right.CALL: "CALL", Right.PUT: "PUT"}
NEVER: Final = "0001-01-01 00:00:00"

#: Order numbers on the wire are twelve digits.
_FIRST_ORDER: Final = 100_000_000_000
_FIRST_EXCHANGE_ORDER: Final = 1_100_000_000_000_000
_FIRST_TRADE: Final = 400_000_000
_FIRST_CONDITIONAL: Final = 500_000_000_000


def order_id(number: int) -> str:
    """Order number as the wire writes it."""
    return str(_FIRST_ORDER + number)


def order_number(text: str) -> int:
    """Order number of the wire's text.

    Raises
    ------
    ApiRefusal
        DH-905 when it is none.
    """
    return _number(text, _FIRST_ORDER)


def conditional_id(number: int) -> str:
    """Number of a forever order or an alert as the wire writes it."""
    return str(_FIRST_CONDITIONAL + number)


def conditional_number(text: str) -> int:
    """Number of a forever order or an alert of the wire's text.

    Raises
    ------
    ApiRefusal
        DH-905 when it is none.
    """
    return _number(text, _FIRST_CONDITIONAL)


def _number(text: str, first: int) -> int:
    if not text.isdecimal() or len(text) != 12 or int(text) <= first:
        raise refused("DH-905", BAD_INPUT)
    return int(text) - first


def exchange_order_id(number: int) -> str:
    """Order number given by the exchange."""
    return str(_FIRST_EXCHANGE_ORDER + number)


def trade_id(number: int) -> str:
    """Trade number as the wire writes it."""
    return str(_FIRST_TRADE + number)


def stamp(at: datetime | None) -> str:
    """``YYYY-MM-DD HH:MM:SS``, Indian time."""
    return NEVER if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def rupee(amount: float | None) -> float:
    """Rupees of paise; an unknown amount is 0, as the wire has no other value for it."""
    return 0.0 if amount is None else round(amount / 100, 6)


def is_id(text: str) -> bool:
    """Whether a text can be a security's number: digits that 32 bits hold."""
    return text.isascii() and text.isdecimal() and len(text) <= 10


def instrument_type(instrument: Instrument) -> str:
    """Name of the kind of instrument: OPTIDX, OPTSTK, FUTIDX, FUTSTK or EQUITY."""
    if isinstance(instrument, Share):
        return "EQUITY"
    group = "OPT" if isinstance(instrument, OptionContract) else "FUT"
    return group + ("IDX" if instrument.kind is InstrumentKind.INDEX else "STK")


def segment_of(instrument: Instrument) -> str:
    """Segment in which an instrument is traded."""
    return SHARES if isinstance(instrument, Share) else CONTRACTS


def derivative(instrument: Instrument) -> dict[str, object]:
    """Fields that identify the contract of a row; a share has none of them."""
    option = instrument if isinstance(instrument, OptionContract) else None
    return {
        "drvExpiryDate": NEVER[:10] if isinstance(instrument, Share) else f"{instrument.expiry}",
        "drvOptionType": RIGHTS[option.right] if option else None,
        "drvStrikePrice": option.strike / 100 if option else 0.0,
    }
