"""``ports.broker.Broker`` over the in-process matching engine."""

from __future__ import annotations

from pathlib import Path

from strikeloom.exchange.account import Account
from strikeloom.exchange.engine import Engine
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed


class SimBroker(Engine):
    """The engine as a broker. Its order book is complete the moment it is asked.

    Parameters
    ----------
    path : pathlib.Path
        The account's own file; survives a restart.
    cash : int
        Paise a new account starts with.
    """

    name = "simulated"
    book_is_complete = True

    def __init__(self, path: Path, feed: MarketFeed, clock: Clock, cash: int) -> None:
        super().__init__(Account(path, cash), feed, clock)
