"""The engine's own durable record of one account.

A separate SQLite file, never the desk's tables, so that reconciliation compares two
independent records. Every change is committed before it is answered.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.conditional import ConditionalRecords
from strikeloom.exchange.account.ledger import AccountLedger
from strikeloom.exchange.account.mirror import Mirror, MirroredFile, Money
from strikeloom.exchange.account.orders import OrderRecords
from strikeloom.exchange.account.share_records import ShareRecords
from strikeloom.exchange.account.variation import VariationRecords
from strikeloom.exchange.conditional.active import ActiveConditionalOrders
from strikeloom.exchange.orders.book import OrderBook
from strikeloom.exchange.orders.order import BookOrder


class Account:
    """One account's file: orders, ledger, conditional orders, and the mirror of what is open.

    Parameters
    ----------
    path : pathlib.Path
        Created with ``cash`` (paise) when it does not exist.
    """

    def __init__(self, path: Path, cash: int) -> None:
        self._store = MirroredFile(path, cash)
        self.file = self._store.file
        self.lock = self._store.lock
        self.orders = OrderRecords(self._store)
        self.ledger = AccountLedger(self._store)
        self.variation = VariationRecords(self._store, self.ledger)
        self.shares = ShareRecords(self._store, self.ledger)
        self.conditional = ConditionalRecords(self._store)

    def transaction(self) -> AbstractContextManager[None]:
        """Group changes: all or none."""
        return self._store.transaction()

    def sync(self) -> Mirror:
        """What is open, read again when another process has changed it."""
        return self._store.sync()

    @property
    def mirror(self) -> Mirror:
        """What is open, as last read; within a transaction this is the file's own state."""
        return self._store.mirror

    @property
    def book(self) -> OrderBook:
        """Open orders."""
        return self._store.mirror.book

    @property
    def active(self) -> ActiveConditionalOrders:
        """Active conditional orders."""
        return self._store.mirror.conditional

    @property
    def money(self) -> Money:
        """Running money."""
        return self._store.mirror.money

    def add_fill(
        self,
        order: BookOrder,
        units: int,
        price: int,
        charges: int,
        at: datetime,
        quote_at: datetime,
    ) -> BookOrder:
        """Record a trade of an order: order, position and money change together."""
        number = self.ledger.add_trade(order, units, price, charges, at, quote_at)
        done = order.filled + units >= order.units
        return self.orders.save(
            replace(
                order,
                filled=order.filled + units,
                filled_value=order.filled_value + units * price,
                state=OrderState.TRADED if done else OrderState.PART_TRADED,
                updated_at=at,
                exchange_at=at,
            ),
            fill=number,
        )

    def matched_to(self) -> datetime | None:
        """Moment up to which open orders were matched."""
        return self._store.mirror.matched_to

    def set_matched_to(self, at: datetime) -> None:
        """Store the moment up to which open orders were matched."""
        self.file.execute(
            "INSERT INTO progress (one, matched_to) VALUES (1, ?) "
            "ON CONFLICT (one) DO UPDATE SET matched_to = excluded.matched_to",
            (at.isoformat(),),
        )
        self._store.mirror.matched_to = at

    def change_count(self) -> tuple[int, int]:
        """Two numbers of which one differs once anything of the account has changed."""
        return self.file.change_count()

    def close(self) -> None:
        """Release the file."""
        self.file.close()
