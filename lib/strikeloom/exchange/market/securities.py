"""What is listed on the exchange of a day, with the ids that a broker's wire needs."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from strikeloom.domain.instruments import FutureContract, Instrument, InstrumentKind, Right, Share
from strikeloom.domain.money import rupees
from strikeloom.nse.tables import rows

_WORDS = {Right.CALL: "CALL", Right.PUT: "PUT"}
#: Ids that are made lie here: above the exchange's own, below what four signed bytes hold.
_FIRST, _SPAN = 1_000_000_000, 1_000_000_000
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Listed:
    """One instrument of the day.

    Attributes
    ----------
    row : int
        Place in the columns of the day.
    security_id : int
        The exchange's own where it is known, else made from the contract: stable.
    """

    row: int
    instrument: Instrument
    security_id: int

    @property
    def trading_symbol(self) -> str:
        """As brokers name it: ``NIFTY-Nov2026-25000-CE`` (weeklies of a month look alike)."""
        c = self.instrument
        if isinstance(c, Share):
            return c.symbol
        if isinstance(c, FutureContract):
            return f"{c.symbol}-{c.expiry:%b%Y}-FUT"
        return f"{c.symbol}-{c.expiry:%b%Y}-{_plain(c.strike)}-{c.right.value}"

    @property
    def display(self) -> str:
        """As brokers show it: ``NIFTY 23 NOV 25000 CALL``."""
        c = self.instrument
        if isinstance(c, Share):
            return c.symbol
        if isinstance(c, FutureContract):
            return f"{c.symbol} {c.expiry:%b} FUT".upper()
        day = f"{c.expiry:%d %b}".upper()
        return f"{c.symbol} {day} {_plain(c.strike)} {_WORDS[c.right]}"


@dataclass(frozen=True, slots=True)
class ListedUnderlying:
    """An underlying; ``segment`` is ``IDX_I`` for an index and ``NSE_EQ`` for a stock."""

    symbol: str
    kind: InstrumentKind
    security_id: int

    @property
    def segment(self) -> str:
        """Segment of the broker's wire."""
        return "IDX_I" if self.kind is InstrumentKind.INDEX else "NSE_EQ"


def _plain(strike: int) -> str:
    return f"{rupees(strike):.2f}".rstrip("0").rstrip(".")


def made_ids(
    names: Iterable[str], known: Mapping[str, int], others: Iterable[int] = ()
) -> dict[str, int]:
    """Security ids: the known ones where they fit the wire, else one made from the name.

    None of them is one of ``others``.

    A name keeps its id from day to day unless two names fall on one id; then the later name
    in the alphabet moves on by one.
    """
    found: dict[str, int] = {}
    taken = set(others)
    names = sorted(names)
    for name in names:
        number = known.get(name, 0)
        if 0 < number <= _LARGEST and number not in taken:
            found[name] = number
            taken.add(number)
    for name in names:
        if name not in found:
            number = _FIRST + zlib.crc32(name.encode()) % _SPAN
            while number in taken:
                number += 1
            found[name] = number
            taken.add(number)
    return found


def listed_underlyings(kinds: Mapping[str, InstrumentKind]) -> tuple[ListedUnderlying, ...]:
    """Underlyings by symbol, with the broker's ids of the indices on record."""
    known = {row["symbol"]: int(row["security_id"]) for row in rows("security_ids")}
    ids = made_ids(kinds, known)
    return tuple(ListedUnderlying(symbol, kinds[symbol], ids[symbol]) for symbol in sorted(kinds))


def listed_instruments(
    instruments: Sequence[Instrument],
    underlyings: Iterable[ListedUnderlying],
    known: Mapping[str, int],
) -> tuple[Listed, ...]:
    """Instruments in their order, with ids; a share has that of the stock among the underlyings.

    Parameters
    ----------
    known : mapping of str to int
        The exchange's ids of contracts, by key.
    """
    stocks = {item.symbol: item.security_id for item in underlyings}
    shares = {it.key: stocks[it.symbol] for it in instruments if isinstance(it, Share)}
    contracts = (it.key for it in instruments if it.key not in shares)
    ids = shares | made_ids(contracts, known, shares.values())
    return tuple(Listed(n, it, ids[it.key]) for n, it in enumerate(instruments))
