"""``ports.broker.Broker`` over the in-process matching engine."""

from __future__ import annotations

from pathlib import Path

from strikeloom.exchange.account import Account
from strikeloom.exchange.engine import Engine
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed
from strikeloom.ports.instruments import Instruments


class SimBroker(Engine):
    """The engine as a broker. Its order book is complete the moment it is asked.

    Parameters
    ----------
    path : pathlib.Path
        The account's own file; survives a restart.
    cash : int
        Paise a new account starts with.
    instruments : Instruments, optional
        The listed contracts; with them an order that does not fit its contract is refused.
    """

    name = "simulated"
    book_is_complete = True

    def __init__(
        self,
        path: Path,
        feed: MarketFeed,
        clock: Clock,
        cash: int,
        instruments: Instruments | None = None,
    ) -> None:
        super().__init__(Account(path, cash), feed, clock, instruments)

    def close(self) -> None:
        """Release the account's file."""
        self._account.close()
