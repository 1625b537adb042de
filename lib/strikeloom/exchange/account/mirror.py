"""What is open in an account, mirrored in memory in step with the account's file.

A change made by another process is noticed, and the mirror is read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from strikeloom.domain.products import Product
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.account.file import AccountFile
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.account.rows import (
    CONDITIONAL,
    OPEN,
    order_of,
    position_of,
    short_delivery_of,
)
from strikeloom.exchange.account.short_delivery import ShortDelivery
from strikeloom.exchange.conditional.active import ActiveConditionalOrders
from strikeloom.exchange.conditional.rows import conditional_of
from strikeloom.exchange.orders.book import OrderBook


@dataclass
class Money:
    """Paise, kept running; ``booked`` is the profit realised on days before ``day``."""

    cash: int
    day: str
    day_start: int
    booked: int
    day_charges: int
    killed_on: str


@dataclass
class Mirror:
    """What is open, as the file has it; ``version`` is the file's state that was read."""

    book: OrderBook
    positions: dict[tuple[str, Product], NetPosition]
    money: Money
    matched_to: datetime | None
    version: int
    conditional: ActiveConditionalOrders
    owed: dict[int, ShortDelivery]  # shares not delivered and not bought in yet, by number
    quotes: dict[str, Quote] = field(default_factory=dict)  # last one matched, by contract


class MirroredFile:
    """An account's file, and the mirror of what is open in it.

    Parameters
    ----------
    path : pathlib.Path
        Created with ``cash`` (paise) when it does not exist.
    """

    def __init__(self, path: Path, cash: int) -> None:
        self.file = AccountFile(path, cash)
        self.lock = self.file.lock  # held by whoever reads or changes what is open
        self._mirror: Mirror | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group changes: all or none."""
        with self.file.lock:
            try:
                with self.file.transaction():
                    self.sync()
                    yield
            except BaseException:
                self._mirror = None  # the file was rolled back: read it again
                raise

    def sync(self) -> Mirror:
        """What is open, read again when another process has changed it."""
        with self.file.lock:
            version = self.file.foreign_changes()
            if self._mirror is None or self._mirror.version != version:
                self._mirror = self._load()
            return self._mirror

    @property
    def mirror(self) -> Mirror:
        """What is open, as last read; within a transaction this is the file's own state."""
        return self._mirror or self.sync()

    def _load(self) -> Mirror:
        with self.file.reading():
            version = self.file.foreign_changes()
            orders = self.file.rows(f"SELECT * FROM orders WHERE {OPEN} ORDER BY number")  # noqa: S608
            held = [position_of(row) for row in self.file.rows("SELECT * FROM positions")]
            (money,) = self.file.rows("SELECT * FROM money")
            progress = self.file.rows("SELECT matched_to FROM progress")
            active = self.file.rows(f"SELECT number, body FROM {CONDITIONAL} WHERE active > 0")  # noqa: S608
            owed = self.file.rows("SELECT * FROM short_deliveries WHERE bought_in = ''")
            placed = self.file.rows(
                f"SELECT * FROM orders WHERE {CONDITIONAL} > 0 AND {CONDITIONAL} IN "  # noqa: S608
                f"(SELECT number FROM {CONDITIONAL} WHERE active > 0)"
            )
        return Mirror(
            OrderBook(order_of(row) for row in orders),
            {(p.instrument.key, p.product): p for p in held},
            Money(*(money[n] for n in Money.__dataclass_fields__)),
            datetime.fromisoformat(progress[0]["matched_to"]) if progress else None,
            version,
            ActiveConditionalOrders(
                (conditional_of(row["number"], row["body"]) for row in active),
                (order_of(row) for row in placed),
            ),
            {row["number"]: short_delivery_of(row) for row in owed},
        )
