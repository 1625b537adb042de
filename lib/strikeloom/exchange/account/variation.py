"""Daily settlement of futures in cash, on record: one row for each position and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from strikeloom.domain.products import Product
from strikeloom.exchange.account.mirror import MirroredFile
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.account.rows import Fields

if TYPE_CHECKING:
    from strikeloom.exchange.account.ledger import AccountLedger


def settle_late(store: MirroredFile, held: NetPosition, units: int, value: int) -> int:
    """Add units of a future that came in after its day was settled, at the price of that day.

    The last moment has trades too; and what others became may be known after it.

    Parameters
    ----------
    units, value : int
        Signed units, and the paise that they are carried at or were traded for, signed alike.

    Returns
    -------
    int
        Paise that its holder receives (+) or pays.
    """
    amount = units * held.settled_price - value
    store.file.execute(
        "UPDATE variation SET units = units + ?, amount = amount + ?, price = ? "
        "WHERE contract = ? AND product = ? AND day = ?",
        (
            units, amount, held.settled_price, held.instrument.key, held.product.value,
            str(held.settled_on),
        ),
    )  # fmt: skip
    return amount


@dataclass(frozen=True, slots=True)
class Variation:
    """Cash of one future's settlement after a session.

    Attributes
    ----------
    units : int
        Settled to ``price`` and carried on, negative when short; 0 where all was closed.
    price, amount : int
        Paise a unit; paise received (+) or paid (-).
    """

    number: int
    day: date
    instrument_key: str
    product: Product
    units: int
    price: int
    amount: int


class VariationRecords:
    """Variation margin in one account's file, within the caller's transaction."""

    def __init__(self, store: MirroredFile, ledger: AccountLedger) -> None:
        self._store = store
        self._file = store.file
        self._ledger = ledger

    def settle(self, position: NetPosition, on: date, price: int, at: datetime) -> NetPosition:
        """Settle a future in cash to a day's price.

        A day can be settled once; the end of the contract adds to that of its last day, where all
        was closed, and more traded after it.

        What the day's trades and what was carried into it differ from the price moves as cash:
        ``sold - bought + net x price``, where carried units count at the price settled before.
        """
        late = on < position.day  # known on a later day, whose trades it does not concern
        after = position.settled(price, on)
        units = position.carried_units if late else position.net
        amount = after.value - position.value if late else after.unsettled - position.unsettled
        of = position.instrument.key, position.product.value
        if position.settled_on == on:
            self._file.execute(
                "UPDATE variation SET units = ?, price = ?, amount = amount + ? "
                "WHERE contract = ? AND product = ? AND day = ?",
                (units, price, amount, *of, on.isoformat()),
            )
        else:
            self._file.execute(
                "INSERT INTO variation (day, at, contract, product, units, price, amount) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (on.isoformat(), at.isoformat(), *of, units, price, amount),
            )
        money = self._store.mirror.money
        money.cash += amount
        if late:
            money.booked += amount
        self._ledger.save_money()
        self._ledger.save_position(after)
        return after

    def all(self, day: date | None = None) -> list[Variation]:
        """Settlements, oldest first: all, or those of one day."""
        where, values = ("day = ?", (day.isoformat(),)) if day else ("1", ())
        rows = self._file.rows(
            f"SELECT * FROM variation WHERE {where} ORDER BY number",  # noqa: S608
            values,
        )
        return [_variation(row) for row in rows]

    def total(self) -> int:
        """Paise of all of them."""
        return self._file.number("SELECT COALESCE(SUM(amount), 0) FROM variation")


def _variation(row: Fields) -> Variation:
    return Variation(
        row["number"], date.fromisoformat(row["day"]), row["contract"], Product(row["product"]),
        row["units"], row["price"], row["amount"],
    )  # fmt: skip
