"""A desk for tests: real store and matching engine; the test sets the clock and the quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from strikeloom.adapters.parquet.day_tables import DayTables
from strikeloom.adapters.sim import SimBroker
from strikeloom.adapters.sqlite.quote_cache import SqliteQuoteCache
from strikeloom.adapters.sqlite.store import open_store
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.folders import config_folder
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.orders import OrderIntent
from strikeloom.domain.positions import Position
from strikeloom.domain.proposals import Proposal, RiskSummary, Score, strategy_id
from strikeloom.domain.templates import Stance, Tier
from strikeloom.errors import DataError, StoreError
from strikeloom.nse.freeze import freeze_units
from strikeloom.ports.desk import Desk, Mode
from strikeloom.settings.all import load_settings
from strikeloom.trading.guard_context import guard_context
from strikeloom.trading.guards import check
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, take_snapshot
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.fakes import CASH, EXPIRY, ManualClock, ShownFeed, ist, option

MARKET, ACCOUNT, DAY = "made", "replay:made", date(2026, 2, 10)
START = ist("2026-02-11 10:00")
_settings = lru_cache(load_settings)  # they are frozen: every desk may have the same


@dataclass
class Listed:
    """``ports.instruments.Instruments`` with the contracts it is given."""

    contracts: dict[str, OptionContract] = field(default_factory=dict)
    changes: dict[str, list[ContractAdjustment]] = field(default_factory=dict)
    step: int = 5
    steps: dict[str, int] = field(default_factory=dict)

    def instrument(self, key: str, day: date) -> OptionContract:  # noqa: ARG002
        if key not in self.contracts:
            raise DataError(f"{key} is not listed")
        return self.contracts[key]

    def adjustments(
        self, instrument: OptionContract, held_since: date, until: date
    ) -> list[ContractAdjustment]:
        changes = self.changes.get(instrument.key, [])
        return [change for change in changes if held_since < change.day <= until]

    def order_limit(self, instrument: OptionContract, day: date) -> int | None:
        return freeze_units(instrument.symbol, day)

    def tick(self, symbol: str, kind: InstrumentKind, day: date, right: str = "") -> int:  # noqa: ARG002
        return self.steps.get(right, self.step)


@dataclass
class SentAlerts:
    """``ports.alerts.Alerts`` that keeps what was sent."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def send(self, level: str, text: str) -> None:
        self.texts.append((level, text))


class Bans:
    """The ban lists of a history; every day has one unless a test sets ``symbols`` to None."""

    def __init__(self) -> None:
        self.symbols: frozenset[str] | None = frozenset()
        self.damaged = False

    def banned(self, day: date) -> frozenset[str] | None:
        if self.damaged:
            raise StoreError(f"the ban list of {day} is damaged")
        return self.symbols


class MadeDesk:
    """A desk that a test makes for itself; fixtures and variables call it ``made``.

    Store, broker and account are real; clock, quotes, listed contracts and sent alerts are
    attributes that the test sets or reads. Its market is named ``made`` too.
    """

    def __init__(self, home: Path, **changes: Any) -> None:
        self.home = home
        self.clock = ManualClock(START)
        self.feed = ShownFeed(self.clock)
        self.feed.spots["NIFTY"] = 25_000_00
        self.listed = Listed()
        self.alerts = SentAlerts()
        self.bans = Bans()
        self.store = open_store(home / "store.db", MARKET, ACCOUNT)
        self.broker = SimBroker(home / "accounts" / "made.db", self.feed, self.clock, CASH)
        self.desk = Desk(
            market=MARKET,
            account=ACCOUNT,
            mode=Mode.REPLAY,
            home=home,
            day=DAY,
            settings=_settings(config_folder()),
            clock=self.clock,
            feed=self.feed,
            broker=self.broker,
            store=self.store,
            history=cast("Any", self.bans),
            instruments=cast("Any", self.listed),
            quotes=SqliteQuoteCache(home / "quotes.db", MARKET),
            alerts=self.alerts,
            partitions=DayTables(home / "volatility" / MARKET, "summary"),
        )
        self.desk = replace(self.desk, **changes)

    def show(
        self, instrument: OptionContract, bid: int | None, ask: int | None, **kw: Any
    ) -> OptionContract:
        """List a contract and show its quote; prices in paise."""
        self.listed.contracts[instrument.key] = instrument
        self.feed.show(instrument, bid, ask, **kw)
        return instrument

    def propose(self, legs: Sequence[Leg], template: str = "bull_put_spread") -> Proposal:
        """Store a proposal with these legs."""
        name = strategy_id(MARKET, DAY, "NIFTY", template, legs)
        risk = RiskSummary(0, 0, 0, (), 0.5, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
        made = Proposal(
            name, MARKET, DAY, "NIFTY", "Index", template, Tier.INCOME, Stance.LONG, "credit",
            tuple(legs), risk, Score(0.5, ()), (), "made", 25_000_00, 25_000.0, 0.12, None,
            Outlook.BULLISH,
        )  # fmt: skip
        self.store.save_proposals("made", [made], [])
        return made

    def spread(self) -> Proposal:
        """Bull put spread 24800/24600: sold at 120.00, bought at 70.00, with spreads of 1.00."""
        sold = self.show(option(24_800, Right.PUT), 119_50, 120_50)
        bought = self.show(option(24_600, Right.PUT), 69_50, 70_50)
        return self.propose([Leg(sold, Side.SELL, 1, 120_00), Leg(bought, Side.BUY, 1, 70_00)])

    def enter(self, proposal: Proposal, lots: int) -> Position:
        """Open a position with intents and orders, as the desk does."""
        self.store.record_intents(prepare_entry(self.desk, proposal, lots))
        with Lease(self.home, self.store) as lease:
            work(self.desk, lease, OrderRateLimiter(1e6))
        return self.store.position(proposal.strategy_id)

    def step(self, seconds: float = 60) -> None:
        """Let time pass; the same quotes are shown again with the new time."""
        self.clock.wait(seconds)
        for key, quote in self.feed.shown.items():
            self.feed.shown[key] = replace(quote, at=self.clock.now())

    def close(self) -> None:
        """Release the files."""
        self.broker.close()
        self.store.close()


def check_now(desk: Desk, intent: OrderIntent) -> None:
    """Check an intent against the guards at the desk's present time."""
    state = Reconciler(desk).reload()
    check(intent, guard_context(desk, state, take_snapshot(desk, [intent.instrument])))


__all__ = [
    "ACCOUNT",
    "DAY",
    "EXPIRY",
    "MARKET",
    "START",
    "Listed",
    "MadeDesk",
    "SentAlerts",
    "check_now",
]
