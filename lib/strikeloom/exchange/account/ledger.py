"""Trades, positions and money of an account: what its file keeps, mirrored in memory.

What is open is mirrored; a change made by another process is noticed, and the mirror read anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Side
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.account.file import AccountFile
from strikeloom.exchange.account.position import Position
from strikeloom.exchange.account.rows import (
    POSITION_COLUMNS,
    order_of,
    position_of,
    position_values,
    trade_of,
)
from strikeloom.exchange.conditional.active import StandingBook
from strikeloom.exchange.conditional.rows import standing_of
from strikeloom.exchange.orders.book import Book
from strikeloom.exchange.orders.request import Product
from strikeloom.exchange.orders.trade import Trade

_POSITION = (
    f"INSERT OR REPLACE INTO positions ({', '.join(POSITION_COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(POSITION_COLUMNS))})"
)
OPEN = "state IN ('TRANSIT', 'PENDING', 'PART_TRADED')"


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
    """What is open, as the file has it."""

    book: Book
    positions: dict[tuple[str, Product], Position]
    money: Money
    matched_to: datetime | None
    seen: int
    standing: StandingBook
    quotes: dict[str, Quote] = field(default_factory=dict)  # last one matched, by contract


class Ledger:
    """One account's file.

    Parameters
    ----------
    path : pathlib.Path
        Created with ``cash`` (paise) when it does not exist.
    """

    def __init__(self, path: Path, cash: int) -> None:
        self._file = AccountFile(path, cash)
        self.lock = self._file.lock  # held by whoever reads or changes what is open
        self._mirror: Mirror | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group changes: all or none."""
        with self._file.lock:
            try:
                with self._file.transaction():
                    self.sync()
                    yield
            except BaseException:
                self._mirror = None  # the file went back: read it anew
                raise

    def sync(self) -> Mirror:
        """What is open, read anew when another process has changed it."""
        with self._file.lock:
            seen = self._file.foreign_changes()
            if self._mirror is None or self._mirror.seen != seen:
                self._mirror = self._load()
            return self._mirror

    def _load(self) -> Mirror:
        with self._file.reading():
            seen = self._file.foreign_changes()
            orders = self._file.rows(f"SELECT * FROM orders WHERE {OPEN} ORDER BY number")  # noqa: S608
            held = [position_of(row) for row in self._file.rows("SELECT * FROM positions")]
            (money,) = self._file.rows("SELECT * FROM money")
            progress = self._file.rows("SELECT matched_to FROM progress")
            stands = self._file.rows("SELECT number, body FROM standing WHERE active > 0")
            children = self._file.rows(
                "SELECT * FROM orders WHERE standing > 0 AND standing IN "
                "(SELECT number FROM standing WHERE active > 0)"
            )
        return Mirror(
            Book(order_of(row) for row in orders),
            {(p.contract.key, p.product): p for p in held},
            Money(*(money[n] for n in Money.__dataclass_fields__)),
            datetime.fromisoformat(progress[0]["matched_to"]) if progress else None,
            seen,
            StandingBook(
                (standing_of(row["number"], row["body"]) for row in stands),
                (order_of(row) for row in children),
            ),
        )

    @property
    def mirror(self) -> Mirror:
        """What is open, as last read: within a transaction that is how it is."""
        return self._mirror or self.sync()

    @property
    def book(self) -> Book:
        """Open orders."""
        return self.mirror.book

    @property
    def money(self) -> Money:
        """Running money."""
        return self.mirror.money

    def add_settlement(self, position: Position, price: int, charges: int, at: datetime) -> None:
        """Close a holding at its settlement value."""
        side = Side.SELL if position.net > 0 else Side.BUY
        self._record(
            (0, "", position.contract, side, position.product),
            (abs(position.net), price, charges, at, at, "settlement"),
        )

    def _record(
        self,
        of: tuple[int, str, OptionContract, Side, Product],
        what: tuple[int, int, int, datetime, datetime, str],
    ) -> int:
        order_number, tag, contract, side, product = of
        units, price, charges, at, quote_at, kind = what
        number = self._file.execute(
            "INSERT INTO fills (order_number, correlation_id, contract, kind, lot_size, tick, "
            "side, units, price, charges, at, quote_at, what, product) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                order_number, tag, contract.key, contract.kind.value, contract.lot_size,
                contract.tick, int(side), units, price, charges, at.isoformat(),
                quote_at.isoformat(), kind, product.value,
            ),
        )  # fmt: skip
        money = self.money
        money.cash -= int(side) * units * price + charges
        money.day_charges += charges
        self._keep_money()
        held = self.mirror.positions.get((contract.key, product))
        held = held or Position(contract, product, at.date())
        self.keep_position(held.traded(side, units, units * price))
        return number

    def taken(self, key: str, side: Side, quote_at: datetime) -> int:
        """Units already taken from one side of one quote."""
        return self._file.number(
            "SELECT COALESCE(SUM(units), 0) FROM fills WHERE contract = ? AND side = ? "
            "AND quote_at = ? AND what = 'trade'",
            (key, int(side), quote_at.isoformat()),
        )

    def change_count(self) -> tuple[int, int]:
        """Two numbers of which one differs once anything of the account has changed."""
        return self._file.change_count()

    def trades(
        self, day: date | None = None, order: int | None = None, *, after: int = 0
    ) -> list[Trade]:
        """Trades and settlements, oldest first: all, of one day, of one order, or later ones.

        Parameters
        ----------
        after : int
            Number of a trade; it and what came before it are left out.
        """
        where, values = "1", []
        if day is not None:
            where, values = "at >= ? AND at < ?", [f"{day}T", f"{day}U"]
        if order is not None:
            where, values = f"{where} AND order_number = ?", [*values, order]  # type: ignore[list-item]
        if after:
            where, values = f"{where} AND number > ?", [*values, after]  # type: ignore[list-item]
        rows = self._file.rows(
            f"SELECT * FROM fills WHERE {where} ORDER BY number",  # noqa: S608
            tuple(values),
        )
        return [trade_of(row) for row in rows]

    def positions(self) -> list[Position]:
        """Positions of the day, those closed today included, by contract."""
        with self.lock:
            held = self.mirror.positions
            return [held[key] for key in sorted(held)]

    def position(self, key: str, product: Product) -> Position | None:
        """One position."""
        return self.mirror.positions.get((key, product))

    def keep_position(self, position: Position) -> None:
        """Keep a position as it is now."""
        self._file.execute(_POSITION, position_values(position))
        self.mirror.positions[position.contract.key, position.product] = position

    def drop_position(self, position: Position) -> None:
        """Forget a flat position of an earlier day."""
        self._file.execute(
            "DELETE FROM positions WHERE contract = ? AND product = ?",
            (position.contract.key, position.product.value),
        )
        self.mirror.positions.pop((position.contract.key, position.product), None)

    def note_conversion(self, position: Position, after: Product, units: int, at: datetime) -> None:
        """Keep that units moved to another product."""
        self._file.execute(
            "INSERT INTO conversions (contract, before, after, units, at) VALUES (?, ?, ?, ?, ?)",
            (position.contract.key, position.product, after, units, at.isoformat()),
        )

    def holdings(self) -> dict[OptionContract, int]:
        """Net units by contract over all products; flat ones are absent."""
        net: dict[OptionContract, int] = {}
        with self.lock:
            held = list(self.mirror.positions.values())
        for position in held:
            if position.net:
                net[position.contract] = net.get(position.contract, 0) + position.net
        return {contract: units for contract, units in net.items() if units}

    def begin_day(self, day: date) -> None:
        """Carry what is open into a later day, and book what was realised before."""
        money = self.money
        for position in self.positions():
            if position.day < day:
                money.booked += position.realised
                carried = position.carried(day)
                if carried.net:
                    self.keep_position(carried)
                else:
                    self.drop_position(position)
        money.day, money.day_start, money.day_charges = day.isoformat(), money.cash, 0
        self._keep_money()

    def kill(self, day: date | None) -> None:
        """Refuse new orders for a day; ``None`` takes them again."""
        self.money.killed_on = day.isoformat() if day else ""
        self._keep_money()

    def _keep_money(self) -> None:
        money = self.money
        self._file.execute(
            "UPDATE money SET cash = ?, day = ?, day_start = ?, booked = ?, day_charges = ?, "
            "killed_on = ?",
            (
                money.cash, money.day, money.day_start, money.booked, money.day_charges,
                money.killed_on,
            ),
        )  # fmt: skip

    def start_cash(self) -> int:
        """Paise that were paid in."""
        return self._file.number("SELECT start FROM money")

    def conversions(self) -> int:
        """How often units moved between products."""
        return self._file.number("SELECT COUNT(*) FROM conversions")

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def matched_to(self) -> datetime | None:
        """Moment up to which open orders were matched."""
        return self.mirror.matched_to

    def note_matched(self, at: datetime) -> None:
        """Keep the moment up to which open orders were matched."""
        self._file.execute(
            "INSERT INTO progress (one, matched_to) VALUES (1, ?) "
            "ON CONFLICT (one) DO UPDATE SET matched_to = excluded.matched_to",
            (at.isoformat(),),
        )
        self.mirror.matched_to = at
