"""Intents of every marked strategy at the first prices after the day that chose it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from strikeloom.domain.frames import Schema
from strikeloom.domain.instruments import FutureContract, Instrument
from strikeloom.domain.money import rupees_text
from strikeloom.domain.orders import OrderIntent
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import GuardError, NoQuote
from strikeloom.execution.load import MarkedStrategies
from strikeloom.nse.charges import segment_of, trade_charges
from strikeloom.ports.desk import Desk
from strikeloom.risk.book import Item, book_margins
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.guard_context import guard_context
from strikeloom.trading.guards import check
from strikeloom.trading.prepare import prepare_entry, take_snapshot
from strikeloom.trading.reconcile import Reconciler

if TYPE_CHECKING:
    import pandas as pd

#: One row per order, limit in rupees.
PLAN = Schema(
    "plan",
    {
        "strategy_id": "text", "leg": "count", "contract": "text", "side": "text",
        "units": "count", "limit": "price", "why": "text",
    },
    ("strategy_id", "leg"),
)  # fmt: skip
#: One row per strategy, money in rupees; ``refused`` has the reason when it is not entered.
SUMMARY = Schema(
    "summary",
    {
        "symbol": "text", "template": "text", "lots": "count", "premium": "price",
        "margin": "price", "charges": "price", "refused": "text",
    },
    (),
)  # fmt: skip


@dataclass(frozen=True)
class PlannedEntry:
    """One strategy at present prices. Money in paise.

    Attributes
    ----------
    premium : int
        Received (+) or paid (-) for options and shares if every order trades at its limit, the
        worst allowed price; a future moves no money at its entry.
    margin : int
        Estimate for all lots at present prices, legs of all expiries and kinds together; that of
        the proposal where the underlying's level is unknown now.
    charges : int
        Charges of the orders at their limits.
    """

    proposal: Proposal
    lots: int
    intents: tuple[OrderIntent, ...]
    premium: int
    margin: int
    charges: int


@dataclass(frozen=True, slots=True)
class RefusedMark:
    """A marked strategy that no orders were planned for, and why."""

    symbol: str
    template: str
    reason: str


@dataclass(frozen=True)
class EntryPlan:
    """Strategies to enter, strategies entered already, and refused ones with the reason."""

    entries: tuple[PlannedEntry, ...]
    entered: list[str]
    refused: list[RefusedMark]
    upstream: str
    available: int

    @property
    def intents(self) -> dict[str, tuple[OrderIntent, ...]]:
        """Intents by strategy, in the order of the marks."""
        return {entry.proposal.strategy_id: entry.intents for entry in self.entries}

    @property
    def needed(self) -> int:
        """Paise needed for margins, premiums paid and charges together."""
        return sum(e.margin + max(0, -e.premium) + e.charges for e in self.entries)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know before anything is sent."""
        if self.needed <= self.available:
            return ()
        return (
            f"the plan needs {rupees_text(self.needed, decimals=0)} and "
            f"{rupees_text(self.available, decimals=0)} is available: "
            "the last orders may be refused",
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row per order, prices in rupees."""
        return PLAN.table(
            (
                intent.position_id,
                intent.leg,
                intent.instrument.label,
                intent.side.word,
                intent.units,
                intent.limit / 100,
                intent.why,
            )
            for entry in self.entries
            for intent in entry.intents
        )

    @property
    def summary(self) -> pd.DataFrame:
        """One row per strategy, money in rupees; refused ones with their reason."""
        rows: list[tuple[object, ...]] = [
            (
                e.proposal.symbol,
                e.proposal.template,
                e.lots,
                e.premium / 100,
                e.margin / 100,
                e.charges / 100,
                "",
            )
            for e in self.entries
        ]
        rows += [(row.symbol, row.template, 0, 0.0, 0.0, 0.0, row.reason) for row in self.refused]
        return SUMMARY.table(rows)


def plan_entries(desk: Desk, marked: MarkedStrategies) -> EntryPlan:
    """Price every leg now and check it against the guards. Nothing is recorded or sent yet.

    A strategy that a guard would refuse now is not begun: it can be planned again when the
    reason no longer applies.
    """
    state = Reconciler(desk).reload()
    entries: list[PlannedEntry] = []
    entered: list[str] = []
    refused: list[RefusedMark] = []
    for row in marked.rows:
        proposal = row.proposal
        if row.entered:
            entered.append(proposal.strategy_id)
            continue
        try:
            entries.append(_plan_entry(desk, state, proposal, row.lots))
        except (NoQuote, GuardError) as error:
            refused.append(RefusedMark(proposal.symbol, proposal.template, str(error)))
    return EntryPlan(
        tuple(entries), entered, refused, marked.upstream, desk.broker.funds().available
    )


def _plan_entry(desk: Desk, state: AccountState, proposal: Proposal, lots: int) -> PlannedEntry:
    instruments = [leg.instrument for leg in proposal.legs]
    snapshot = take_snapshot(desk, instruments, {it.symbol for it in instruments})
    intents = tuple(prepare_entry(desk, proposal, lots, snapshot))
    day = snapshot.at.date()
    for intent in intents:
        check(intent, guard_context(desk, state, snapshot))
    return PlannedEntry(
        proposal,
        lots,
        intents,
        premium=sum(_cash(intent) for intent in intents),
        margin=_margin(proposal, lots, snapshot),
        charges=sum(_charges(intent, day) for intent in intents),
    )


def _margin(proposal: Proposal, lots: int, snapshot: MarketSnapshot) -> int:
    """Paise that the strategy alone would block."""
    book: Counter[Instrument] = Counter()
    for leg in proposal.legs:
        book[leg.instrument] += leg.signed_units * lots
    levels = {it.symbol: snapshot.level(it.symbol) for it in book}
    known = {symbol: level for symbol, level in levels.items() if level is not None}
    quotes = (snapshot.fresh(it) for it in book)
    mids = {
        quote.key: (quote.bid + quote.ask) // 2
        for quote in quotes
        if quote.bid is not None and quote.ask is not None
    }
    held: dict[Item, int] = dict(book.items())
    try:
        (found,) = book_margins([held], known, mids, snapshot.at)
    except NoQuote:
        return proposal.risk.margin * lots
    return found.total


def _cash(intent: OrderIntent) -> int:
    """Paise received (+) or paid (-) at the limit."""
    if isinstance(intent.instrument, FutureContract):
        return 0
    return -int(intent.side) * intent.units * intent.limit


def _charges(intent: OrderIntent, day: date) -> int:
    segment = segment_of(intent.instrument)
    return trade_charges(intent.side, intent.units, intent.limit, day, segment=segment).total
