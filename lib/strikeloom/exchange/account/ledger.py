"""Trades, positions and money of an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import FutureContract, Instrument, OptionContract, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import FillKind
from strikeloom.domain.products import Product
from strikeloom.exchange.account.mirror import MirroredFile
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.account.rows import POSITION_COLUMNS, position_values, trade_of
from strikeloom.exchange.account.variation import settle_late
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.trade import Trade

_POSITION = (
    f"INSERT OR REPLACE INTO positions ({', '.join(POSITION_COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(POSITION_COLUMNS))})"
)


class AccountLedger:
    """Trades, positions and money in one account's file, within the caller's transaction."""

    def __init__(self, store: MirroredFile) -> None:
        self._store = store
        self._file = store.file

    def add_trade(
        self,
        order: BookOrder,
        units: int,
        price: int,
        charges: int,
        at: datetime,
        quote_at: datetime,
    ) -> int:
        """Record a trade of an order, with its position and money; returns its number."""
        return self._record(
            (order.number, order.correlation_id, order.instrument, order.side, order.product),
            (units, price, charges, at, quote_at, FillKind.TRADE),
        )

    def add_settlement(self, position: NetPosition, price: int, charges: int, at: datetime) -> None:
        """Close a position at its settlement value."""
        side = Side.SELL if position.net > 0 else Side.BUY
        self._record(
            (0, "", position.instrument, side, position.product),
            (abs(position.net), price, charges, at, at, FillKind.SETTLEMENT),
        )

    def add_shares(
        self, share: Share, units: int, price: int, charges: int, at: datetime, kind: FillKind
    ) -> None:
        """Record shares that came in (+) or went out (-) by a delivery or buy-in, at paise each."""
        self._record(
            (0, "", share, Side.BUY if units > 0 else Side.SELL, Product.CNC),
            (abs(units), price, charges, at, at, kind),
        )

    def _record(
        self,
        of: tuple[int, str, Instrument, Side, Product],
        what: tuple[int, int, int, datetime, datetime, str],
    ) -> int:
        order_number, tag, instrument, side, product = of
        units, price, charges, at, quote_at, kind = what
        value = units * price
        number = self._file.execute(
            "INSERT INTO fills (order_number, correlation_id, contract, kind, lot_size, tick, "
            "side, units, price, charges, at, quote_at, what, product) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                order_number, tag, instrument.key, instrument.kind.value, instrument.lot_size,
                instrument.tick, int(side), units, price, charges, at.isoformat(),
                quote_at.isoformat(), kind, product.value,
            ),
        )  # fmt: skip
        money = self._store.mirror.money
        held = self.position(instrument.key, product) or NetPosition(instrument, product, at.date())
        late = at.date().isoformat() < money.day and isinstance(instrument, Share)
        if late:
            money.cash -= int(side) * value + charges
            money.day_charges += charges
            self._save_late(held, side, units, value, at.date())
            return number
        if held.day < at.date() and not isinstance(instrument, OptionContract):
            money.booked += held.booked  # the trades of each day settle apart
            held = held.carried(at.date())
        if not isinstance(instrument, FutureContract):
            money.cash -= int(side) * value
        elif held.is_settled:
            # all was closed: without a price of its day, it is settled at this one, and goes on
            held = replace(held, settled_price=held.settled_price or price)
            money.cash += settle_late(self._store, held, int(side) * units, int(side) * value)
        money.cash -= charges
        money.day_charges += charges
        self.save_money()
        self.save_position(held.traded(side, units, value))
        return number

    def _save_late(self, held: NetPosition, side: Side, units: int, value: int, day: date) -> None:
        """Add shares that changed hands on an earlier day to what was carried into this one."""
        money = self._store.mirror.money
        today = date.fromisoformat(money.day)
        carried, traded = held.parted(today)
        before = replace(carried, day=day).traded(side, units, value)
        money.booked += before.booked
        after = before.carried(today)
        self.save_money()
        self.save_position(after.joined(traded) if traded else after)

    def taken(self, key: str, side: Side, quote_at: datetime) -> int:
        """Units already taken from one side of one quote."""
        return self._file.number(
            "SELECT COALESCE(SUM(units), 0) FROM fills WHERE contract = ? AND side = ? "
            "AND quote_at = ? AND what = 'trade'",
            (key, int(side), quote_at.isoformat()),
        )

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

    # positions

    def positions(self) -> list[NetPosition]:
        """Positions of the day, those closed today included, by contract."""
        with self._store.lock:
            held = self._store.mirror.positions
            return [held[key] for key in sorted(held)]

    def position(self, key: str, product: Product) -> NetPosition | None:
        """One position."""
        return self._store.mirror.positions.get((key, product))

    def save_position(self, position: NetPosition) -> None:
        """Store a position as it is now."""
        self._file.execute(_POSITION, position_values(position))
        self._store.mirror.positions[position.instrument.key, position.product] = position

    def _drop_position(self, position: NetPosition) -> None:
        """Forget a flat position of an earlier day."""
        self._file.execute(
            "DELETE FROM positions WHERE contract = ? AND product = ?",
            (position.instrument.key, position.product.value),
        )
        self._store.mirror.positions.pop((position.instrument.key, position.product), None)

    def holdings(self) -> dict[Instrument, int]:
        """Net units by instrument over all products; flat ones are absent."""
        return _net((p.instrument, p.net) for p in self._held())

    def open_positions(self) -> list[NetPosition]:
        """Each product's apart, without shares that are held for delivery since earlier days."""
        return [position for position in self._held() if position.exit_units]

    def _held(self) -> list[NetPosition]:
        with self._store.lock:
            return list(self._store.mirror.positions.values())

    def adjust(
        self, found: Mapping[NetPosition, Sequence[ContractAdjustment]], at: datetime
    ) -> None:
        """Move positions to the contracts that theirs have become, all at once, at their cost.

        At a dividend the name of one contract passes to another: no position may be moved before
        each has left its former name. Trades of the day stay: they were made by the names of then.
        """
        moved, stay = [], []
        for position, changes in found.items():
            self._drop_position(position)
            held_before, traded = position.parted(at.date())
            self._store.mirror.money.booked += held_before.booked
            after = held_before.carried(position.day)
            stay += [traded] if traded else []
            for change in changes:
                before, after = after, after.adjusted(change)
                self._file.execute(
                    "INSERT INTO adjustments (day, at, product, old_contract, contract, "
                    "units_before, units_after, cause, lowered) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        change.day.isoformat(), at.isoformat(), position.product.value,
                        change.old, change.new.key, before.net, after.net, change.cause,
                        before.value - after.value,
                    ),
                )  # fmt: skip
            moved.append(after)
        # only what others join: one that has ended meanwhile settles first, as held until then
        joined = [(it.instrument.key, it.product) for it in moved]
        self._carry(at.date(), [held for key in joined if (held := self.position(*key))])
        for position in moved:
            held = self.position(position.instrument.key, position.product)
            now = replace(held, instrument=position.instrument) if held else None
            if now and now.is_settled:
                late = settle_late(self._store, now, position.net, position.value)
                self._store.mirror.money.cash += late
            self.save_position(now.carried_with(position) if now else position)
        for position in stay:
            held = self.position(position.instrument.key, position.product)
            self.save_position(held.joined(position) if held else position)
        self.save_money()

    def adjusted_days(self) -> dict[tuple[str, Product], date]:
        """Last day on which others became a contract, by contract and product."""
        rows = self._file.rows(
            "SELECT contract, product, MAX(day) AS day FROM adjustments GROUP BY contract, product"
        )
        return {
            (row["contract"], Product(row["product"])): date.fromisoformat(row["day"])
            for row in rows
        }

    def adjusted_units(self) -> list[tuple[str, int]]:
        """Signed units that every adjustment took from a contract, or gave to one, by key."""
        rows = self._file.rows(
            "SELECT old_contract AS contract, -units_before AS units FROM adjustments "
            "UNION ALL SELECT contract, units_after FROM adjustments"
        )
        return [(row["contract"], row["units"]) for row in rows]

    def lowered(self) -> int:
        """Paise by which what futures are carried at was lowered for dividends, signed."""
        return self._file.number("SELECT COALESCE(SUM(lowered), 0) FROM adjustments")

    # money and days

    def begin_day(self, day: date) -> None:
        """Carry open positions into a later day, and book the profit realised before it."""
        money = self._store.mirror.money
        self._carry(day, self.positions())
        money.day, money.day_start, money.day_charges = day.isoformat(), money.cash, 0
        self.save_money()

    def _carry(self, day: date, positions: Iterable[NetPosition]) -> None:
        """Carry those of earlier days among the positions, booking what they realised."""
        money = self._store.mirror.money
        for position in positions:
            if position.day < day:
                money.booked += position.booked
                carried = position.carried(day)
                if carried.net:
                    self.save_position(carried)
                else:
                    self._drop_position(position)

    def set_kill_switch(self, day: date | None) -> None:
        """Refuse new orders for a day; ``None`` accepts them again."""
        self._store.mirror.money.killed_on = day.isoformat() if day else ""
        self.save_money()

    def save_money(self) -> None:
        """Store the money as it runs."""
        money = self._store.mirror.money
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


def _net(held: Iterable[tuple[Instrument, int]]) -> dict[Instrument, int]:
    net: dict[Instrument, int] = {}
    for instrument, units in held:
        if units:
            net[instrument] = net.get(instrument, 0) + units
    return {instrument: units for instrument, units in net.items() if units}
