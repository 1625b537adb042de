"""Settlement prices of futures by day, from the stored files of contracts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeAlias

from strikeloom.domain.instruments import FUTURE_RIGHT, FutureContract
from strikeloom.domain.money import paise
from strikeloom.ports.history import History

#: Settlement price in paise of a future on a day; ``None`` where it is not known.
SettledOn: TypeAlias = Callable[[FutureContract, date], int | None]


def settlement_price(history: History, future: FutureContract, day: date) -> int | None:
    """Settlement price in paise of a future on a day; ``None`` if no file has it."""
    if day not in history.days():
        return None
    names = ("expiry", "right", "settle")
    frame = history.contracts(day, symbols=[future.symbol], columns=names)
    mine = (frame["right"] == FUTURE_RIGHT) & (frame["expiry"].dt.date == future.expiry)
    price = frame.loc[mine, "settle"].dropna()
    return paise(price.iloc[0], what="settlement price") if len(price) else None
