"""What one leg of a position holds, paid and earned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import FutureContract, Instrument, Share


@dataclass(frozen=True, slots=True)
class PositionLeg:
    """Net holding of one instrument within one position.

    Attributes
    ----------
    leg : int
        Number of the leg in its strategy, from 0; shares that come in by a delivery are a new
        leg after those of the strategy.
    net_units : int
        Units, negative when short.
    first_units : int
        Signed units first filled on entry, or first delivered: percentages of an exit are of
        these.
    open_value : int
        Paise of the units still open at their average entry price, signed like ``net_units``.
    realised : int
        Paise earned (+) on units already closed, before charges.
    charges : int
        Paise paid so far.
    entry_value : int
        Signed paise of the entry fills: side x units x price, whatever was closed since; 0 of
        shares that a delivery brought.
    since : datetime.date or None
        First day on which the contract has its present name, where the exchange adjusted it while
        it was held; of delivered shares, the day of the delivery. Units are those of the contract
        as it is now.
    dividends : int
        Paise that its shares paid in dividends as far as these are known: to the holder's bank
        account, in no P&L and no cash of the trading account.
    """

    leg: int
    instrument: Instrument
    net_units: int
    first_units: int
    open_value: int
    realised: int
    charges: int
    entry_value: int = 0
    since: date | None = None
    dividends: int = 0

    @property
    def net_lots(self) -> int:
        """Signed lots still open."""
        return int(self.net_units / self.instrument.lot_size)

    @property
    def odd_units(self) -> int:
        """Signed units that make no whole lot: the exchange takes no order for them."""
        return self.net_units - self.net_lots * self.instrument.lot_size

    @property
    def first_lots(self) -> int:
        """Signed lots first filled."""
        return int(self.first_units / self.instrument.lot_size)

    def is_held_as(self, instrument: Instrument, day: date) -> bool:
        """Whether what the leg holds is still the instrument of an order made on a day."""
        same = self.instrument.key == instrument.key
        same = same and self.instrument.lot_size == instrument.lot_size
        return same and (self.since is None or self.since <= day)

    @property
    def is_owed(self) -> bool:
        """Shares that were to be delivered and are lacking: the exchange buys them in itself."""
        return self.net_units < 0 and isinstance(self.instrument, Share)

    @property
    def order_lots(self) -> int:
        """Signed lots that an order may close."""
        return 0 if self.is_owed else self.net_lots

    def has_ended(self, day: date) -> bool:
        """Whether it is a contract whose expiry is before a day: it settles, no order closes it."""
        return not isinstance(self.instrument, Share) and self.instrument.expiry < day

    @property
    def entry_cash(self) -> int:
        """Paise received (+) or paid (-) when it was entered; a future moves none."""
        return 0 if isinstance(self.instrument, FutureContract) else -self.entry_value

    @property
    def delivered(self) -> bool:
        """Whether a delivery opened it, no order."""
        return not self.entry_value and isinstance(self.instrument, Share) and bool(self.since)
