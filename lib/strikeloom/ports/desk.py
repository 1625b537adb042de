"""A desk: one market, one account, and the ports chosen for its mode."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from strikeloom.ports.alerts import Alerts
from strikeloom.ports.broker import Broker
from strikeloom.ports.chains import Chains
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed
from strikeloom.ports.history import History
from strikeloom.ports.instruments import Instruments
from strikeloom.ports.partitions import Partitions
from strikeloom.ports.quotes import QuoteCache
from strikeloom.ports.store import Store
from strikeloom.settings.all import Settings


class Mode(StrEnum):
    """Which clock, feed and broker a desk has; everything else is the same code."""

    REPLAY = "replay"
    SIMULATE = "simulate"
    PAPER = "paper"
    ALERT = "alert"
    LIVE = "live"


@dataclass(frozen=True)
class Desk:
    """Frozen bundle of ports and settings that the stages work with.

    Attributes
    ----------
    home : pathlib.Path
        Folder with everything the desk keeps (store, accounts, caches, history).
    day : datetime.date
        Trade date of the desk.
    partitions : Partitions
        Results of stage 01 by day, as the workers write them.
    chains : Chains or None
        A broker's option chains; ``None`` on a desk without one.
    closers : tuple of callable
        Close what the desk holds open: sockets and their threads, connections, files.
    """

    market: str
    account: str
    mode: Mode
    home: Path
    day: date
    settings: Settings
    clock: Clock
    feed: MarketFeed
    broker: Broker
    store: Store
    history: History
    instruments: Instruments
    quotes: QuoteCache
    alerts: Alerts
    partitions: Partitions
    chains: Chains | None = None
    closers: tuple[Callable[[], None], ...] = ()

    @property
    def quote_age_seconds(self) -> float:
        """Age in seconds of the desk's time above which a quote is too old for a decision.

        The setting is in real seconds: where the clock runs faster, quotes age faster.
        """
        ages = self.settings.desk.quote_age_seconds.model_dump()
        return float(ages[self.mode.value]) * max(1.0, self.clock.speed)

    def close(self) -> None:
        """Close the desk's sockets, threads and files. Closing twice has no further effect.

        Every closer is called, even when an earlier one raises.
        """
        with ExitStack() as ending:
            for closer in reversed(self.closers):
                ending.callback(closer)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
