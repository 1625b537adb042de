"""A desk: one market, one account, and the ports chosen for its mode."""

from __future__ import annotations

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
        Trade date the desk works on.
    partitions : Partitions
        Results of stage 01 by day, as the workers write them.
    chains : Chains or None
        A broker's option chains; ``None`` on a desk without one.
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
