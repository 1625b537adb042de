"""Intents of every marked strategy at the first prices after the day that chose it."""

from __future__ import annotations

from dataclasses import dataclass

from strikeloom.domain.orders import OrderIntent
from strikeloom.errors import GuardError, NoQuote
from strikeloom.execution.load import MarkedList
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection
from strikeloom.trading.intents import entry_intents


@dataclass(frozen=True)
class EntryPlan:
    """Intents by strategy, what is entered already, and what cannot be, with the reason."""

    intents: dict[str, list[OrderIntent]]
    entered: list[str]
    refused: list[Rejection]
    upstream: str

    @property
    def table(self) -> object:
        """One row an order, prices in rupees."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "strategy_id": i.position_id,
                    "leg": i.leg,
                    "contract": i.contract.label,
                    "side": i.side.word,
                    "units": i.units,
                    "limit": i.limit / 100,
                    "why": i.why,
                }
                for intents in self.intents.values()
                for i in intents
            ],
            columns=["strategy_id", "leg", "contract", "side", "units", "limit", "why"],
        )


def plan_entries(desk: Desk, marked: MarkedList) -> EntryPlan:
    """Price every leg at the desk's moment. Nothing is recorded or sent yet."""
    intents: dict[str, list[OrderIntent]] = {}
    entered: list[str] = []
    refused: list[Rejection] = []
    for row in marked.rows:
        proposal = row.proposal
        if row.entered:
            entered.append(proposal.strategy_id)
            continue
        try:
            intents[proposal.strategy_id] = entry_intents(desk, proposal, row.lots)
        except (NoQuote, GuardError) as error:
            refused.append(Rejection(proposal.symbol, proposal.template, str(error)))
    return EntryPlan(intents, entered, refused, marked.upstream)
