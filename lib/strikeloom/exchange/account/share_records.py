"""Shares in the depository: what is held, what may be sold, and what is owed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Share
from strikeloom.domain.legs import Side
from strikeloom.domain.products import Product
from strikeloom.exchange.account.ledger import AccountLedger
from strikeloom.exchange.account.mirror import MirroredFile
from strikeloom.exchange.account.short_delivery import ShortDelivery
from strikeloom.exchange.orders.order import BookOrder


@dataclass(frozen=True, slots=True)
class ShareHolding:
    """Shares held for delivery when the day began.

    Attributes
    ----------
    total, settled, t1 : int
        All of them; those in the depository; those that come in with the day's settlement.
    available : int
        What is left to sell: less today's sales, and less what open orders offer.
    cost : int
        Paise paid for ``total``.
    """

    share: Share
    total: int
    settled: int
    t1: int
    available: int
    cost: int


class ShareRecords:
    """Shares of one account, within the caller's transaction."""

    def __init__(self, store: MirroredFile, ledger: AccountLedger) -> None:
        self._store = store
        self._file = store.file
        self._ledger = ledger

    def holdings(self) -> list[ShareHolding]:
        """Shares carried into the day, sold ones included until it ends; by symbol."""
        found = []
        for position in self._ledger.positions():
            share, total = position.instrument, position.carried_units
            if isinstance(share, Share) and position.product is Product.CNC and total > 0:
                t1 = min(total, position.received)
                left = min(total, self.sellable(share))
                value = position.carried_buy_value
                found.append(ShareHolding(share, total, total - t1, t1, left, value))
        return found

    def sellable(self, share: Share, without: BookOrder | None = None) -> int:
        """Shares that a sale for delivery may be of: held or bought today, and not offered yet."""
        held = self._ledger.position(share.key, Product.CNC)
        offered = sum(
            order.remaining
            for order in self._store.mirror.book
            if order.instrument == share
            and order.side is Side.SELL
            and order.product is Product.CNC
            and (without is None or order.number != without.number)
        )
        return max(0, (held.net if held else 0) - offered)

    def takes_first(self, share: Share, units: int, day: date) -> bool:
        """Whether shares that leave for delivery are the first of a day that were held before it.

        What was bought on the day leaves first, and never reaches the depository.
        """
        held = self._ledger.position(share.key, Product.CNC)
        if held is None or held.day > day:
            return held is not None  # booked late: what that day left is not known any more
        carried = held.carried_units if held.day == day else held.net
        if held.net - units >= carried:
            return False
        left = carried
        for fill in self._file.rows(
            "SELECT side, units FROM fills WHERE contract = ? AND product = ? AND at >= ? "
            "AND at < ? ORDER BY number",
            (share.key, Product.CNC.value, f"{day}T", f"{day}U"),
        ):
            left += fill["side"] * fill["units"]
            if left < carried:
                return False
        return True

    def owe(self, share: Share, units: int, price: int, day: date) -> ShortDelivery:
        """Record shares that had to be delivered and were not there."""
        number = self._file.execute(
            "INSERT INTO short_deliveries (contract, tick, units, price, day) "
            "VALUES (?, ?, ?, ?, ?)",
            (share.key, share.tick, units, price, day.isoformat()),
        )
        short = ShortDelivery(number, share, units, price, day)
        self._store.mirror.owed[number] = short
        return short

    def adjust_owed(self, change: ContractAdjustment) -> None:
        """Owe what the shares owed since before a day have become, at the same sum."""
        for short in self.owed():
            concerned = short.share.key == change.old and short.day < change.day
            if not concerned or not isinstance(change.new, Share):
                continue
            units = change.units(short.units)
            price = -(-short.price * short.units // units)
            self._file.execute(
                "UPDATE short_deliveries SET contract = ?, tick = ?, units = ?, price = ? "
                "WHERE number = ?",
                (change.new.key, change.new.tick, units, price, short.number),
            )
            self._store.mirror.owed[short.number] = replace(
                short, share=change.new, units=units, price=price
            )

    def bought_in(self, short: ShortDelivery, at: datetime) -> None:
        """Record that owed shares were bought in."""
        self._file.execute(
            "UPDATE short_deliveries SET bought_in = ? WHERE number = ?",
            (at.isoformat(), short.number),
        )
        self._store.mirror.owed.pop(short.number, None)

    def owed(self) -> list[ShortDelivery]:
        """Shares not delivered and not bought in yet, oldest first."""
        return list(self._store.mirror.owed.values())
