"""Instruments: options, futures and shares, and the underlyings they belong to.

What an instrument is called identifies it: the share its symbol, a future its underlying and
expiry, an option also its strike and right. Exchange and broker ids are reused over time and are
kept behind the instruments port; lot size and tick are dated facts that an instrument carries but
that are not part of its identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from strikeloom.domain.money import paise, rupees
from strikeloom.errors import DataError

#: How a key names a share and a future, and what a frame has as ``right`` of each.
SHARE, FUTURE, FUTURE_RIGHT, SHARE_RIGHT = "SHARE", "FUT", "XX", "EQ"


class Right(StrEnum):
    """The right an option gives: to buy (call) or to sell (put). NSE writes CE and PE."""

    CALL = "CE"
    PUT = "PE"


class InstrumentKind(StrEnum):
    """Kind of the underlying: contracts on an index settle in cash, on a stock in shares."""

    INDEX = "index"
    STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Underlying:
    """An index or a stock with listed options. Holds no lot size: that is dated."""

    symbol: str
    kind: InstrumentKind
    sector: str


@dataclass(frozen=True, slots=True, order=True)
class OptionContract:
    """One listed European option.

    Attributes
    ----------
    symbol : str
        Underlying's symbol; may contain ``-`` and ``&`` (BAJAJ-AUTO, M&M).
    expiry : datetime.date
        Expiry as the contract is listed now (the exchange may re-date a live contract).
    strike : int
        Paise.
    right : Right
        Call or put.
    kind : InstrumentKind
        Of the underlying; decides how it settles.
    lot_size : int
        Units per lot of this contract.
    tick : int
        Price step in paise.
    key : str
        Text identity used in every table: ``NIFTY:2026-02-24:2500000:CE`` (strike in paise).
    """

    symbol: str
    expiry: date
    strike: int
    right: Right
    kind: InstrumentKind = field(default=InstrumentKind.STOCK, compare=False)
    lot_size: int = field(default=1, compare=False)
    tick: int = field(default=5, compare=False)
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.strike <= 0 or self.lot_size <= 0 or self.tick <= 0:
            raise DataError(
                f"{self.symbol} {self.expiry}: strike {self.strike}, lot {self.lot_size} and "
                f"tick {self.tick} must be positive (paise, units, paise)",
                symbol=self.symbol,
            )
        key = f"{self.symbol}:{self.expiry.isoformat()}:{self.strike}:{self.right.value}"
        # stored, because it is read far more often than contracts are created
        object.__setattr__(self, "key", key)

    @property
    def label(self) -> str:
        """Text for display: ``NIFTY 24 Feb 25000 CE``."""
        strike = f"{rupees(self.strike):.2f}".rstrip("0").rstrip(".")
        return f"{self.symbol} {self.expiry:%d %b} {strike} {self.right.value}"


@dataclass(frozen=True, slots=True, order=True)
class FutureContract:
    """One listed future on an index or a stock.

    Attributes
    ----------
    symbol, expiry, kind, lot_size, tick
        As of ``OptionContract``.
    key : str
        ``NIFTY:2026-02-24:FUT``.
    """

    symbol: str
    expiry: date
    kind: InstrumentKind = field(default=InstrumentKind.STOCK, compare=False)
    lot_size: int = field(default=1, compare=False)
    tick: int = field(default=5, compare=False)
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_steps(self.symbol, self.lot_size, self.tick)
        object.__setattr__(self, "key", f"{self.symbol}:{self.expiry.isoformat()}:{FUTURE}")

    @property
    def label(self) -> str:
        """Text for display: ``NIFTY 24 Feb future``."""
        return f"{self.symbol} {self.expiry:%d %b} future"


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """The share of a company in the cash market; an index has none.

    Attributes
    ----------
    symbol : str
        The company's, as of the options on it.
    tick : int
        Price step in paise; the cash market's own.
    lot_size : int
        Shares are traded singly.
    key : str
        ``RELIANCE:SHARE``.
    """

    symbol: str
    tick: int = field(default=5, compare=False)
    lot_size: int = field(default=1, compare=False)
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_steps(self.symbol, self.lot_size, self.tick)
        object.__setattr__(self, "key", f"{self.symbol}:{SHARE}")

    @property
    def kind(self) -> InstrumentKind:
        """A share is its own underlying, a stock."""
        return InstrumentKind.STOCK

    @property
    def label(self) -> str:
        """Text for display: ``RELIANCE share``."""
        return f"{self.symbol} share"


#: What ends on a last day.
Contract: TypeAlias = OptionContract | FutureContract
#: What is quoted, ordered, held and settled.
Instrument: TypeAlias = OptionContract | FutureContract | Share


def order_of(instrument: Instrument) -> tuple[str, date, int, str]:
    """Sorting key: by symbol the share first, then by expiry the future before its options."""
    match instrument:
        case Share():
            return instrument.symbol, date.min, 0, ""
        case FutureContract():
            return instrument.symbol, instrument.expiry, 0, ""
        case OptionContract():
            return instrument.symbol, instrument.expiry, instrument.strike, instrument.right.value


def as_option(instrument: Instrument) -> OptionContract:
    """The instrument where only options are expected.

    Raises
    ------
    DataError
        When it is a share or a future.
    """
    if isinstance(instrument, OptionContract):
        return instrument
    raise DataError(f"{instrument.label} is no option, and only options are possible here")


def instrument_key(symbol: str, expiry: date, strike_rupees: float, right: str) -> str:
    """Key of an instrument from its parts in a frame: strike in rupees, 0 of a future or share."""
    if right == SHARE_RIGHT:
        return f"{symbol}:{SHARE}"
    if right == FUTURE_RIGHT:
        return f"{symbol}:{expiry.isoformat()}:{FUTURE}"
    return f"{symbol}:{expiry.isoformat()}:{paise(strike_rupees, what='strike')}:{right}"


def instrument_of(
    key: str,
    kind: InstrumentKind = InstrumentKind.STOCK,
    lot_size: int = 1,
    tick: int = 5,
) -> Instrument:
    """Instrument of a key and the facts stored with it.

    Raises
    ------
    DataError
        When the text is no key of an instrument.
    """
    try:
        parts = key.split(":")
        if len(parts) == 2 and parts[1] == SHARE and parts[0]:
            return Share(parts[0], tick, lot_size)
        symbol, expiry = parts[0], date.fromisoformat(parts[1])
        if not symbol:
            raise ValueError
        if parts[2:] == [FUTURE]:
            return FutureContract(symbol, expiry, kind, lot_size, tick)
        strike, right = parts[2:]
        return OptionContract(symbol, expiry, int(strike), Right(right), kind, lot_size, tick)
    except (ValueError, IndexError):
        raise DataError(
            f"{key!r} names no instrument; expected SYMBOL:SHARE, SYMBOL:YYYY-MM-DD:FUT or "
            "SYMBOL:YYYY-MM-DD:PAISE:CE|PE",
            key=key,
        ) from None


def symbol_of(key: str) -> str:
    """Underlying's symbol of a key.

    Raises
    ------
    DataError
        When the text is no key of an instrument.
    """
    symbol, found, _ = key.partition(":")
    return symbol if found and symbol else instrument_of(key).symbol


def _check_steps(symbol: str, lot_size: int, tick: int) -> None:
    if lot_size <= 0 or tick <= 0:
        raise DataError(
            f"{symbol}: lot {lot_size} and tick {tick} must be positive (units, paise)",
            symbol=symbol,
        )
