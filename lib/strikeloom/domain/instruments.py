"""Instruments: underlyings and option contracts.

A contract is its underlying, expiry, strike and right. Exchange and broker ids are reused
over time and are kept behind the instruments port; lot size and tick are dated facts that a
contract carries but that are not part of its identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from strikeloom.domain.money import paise, rupees
from strikeloom.errors import DataError


class Right(StrEnum):
    """The right an option gives: to buy (call) or to sell (put). NSE writes CE and PE."""

    CALL = "CE"
    PUT = "PE"


class InstrumentKind(StrEnum):
    """Index options settle in cash, stock options in shares."""

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


def contract_key(symbol: str, expiry: date, strike_rupees: float, right: str) -> str:
    """Key of a contract from its parts in an exchange file (strike in rupees)."""
    return f"{symbol}:{expiry.isoformat()}:{paise(strike_rupees, what='strike')}:{right}"


def parse_key(key: str) -> tuple[str, date, int, Right]:
    """Split a contract key into symbol, expiry, strike in paise and right.

    Raises
    ------
    DataError
        When the text is not a contract key.
    """
    try:
        symbol, expiry, strike, right = key.rsplit(":", 3)
        return symbol, date.fromisoformat(expiry), int(strike), Right(right)
    except ValueError:
        raise DataError(
            f"{key!r} is not a contract key; expected SYMBOL:YYYY-MM-DD:PAISE:CE|PE", key=key
        ) from None
