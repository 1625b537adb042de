"""Setting and ending the rule that closes everything at a day's profit or loss."""

from __future__ import annotations

from datetime import datetime

from strikeloom.errors import Rejected
from strikeloom.exchange.conditional.records import (
    ConditionalKind,
    ConditionalOrder,
    ConditionalState,
    ProfitRule,
)
from strikeloom.exchange.engine.conditional import ConditionalOrders
from strikeloom.exchange.orders.validation import INPUT
from strikeloom.exchange.session.session import TradingSession


class ProfitRules:
    """The profit and loss rule of one account; errors as of ``ConditionalOrders``."""

    def __init__(self, session: TradingSession, conditional: ConditionalOrders) -> None:
        self._session = session
        self._conditional = conditional

    def set(self, rule: ProfitRule) -> ConditionalOrder:
        """Close everything today at a profit or a loss; a rule set before ends."""
        with self._conditional.transaction() as now:
            if rule.profit <= 0 and rule.loss <= 0:
                raise Rejected("a profit or a loss above 0 is needed", code=INPUT)
            self._end_active(now)
            item = self._session.account.conditional.add(
                ConditionalOrder(
                    0, ConditionalKind.PROFIT, "", (), now.date(), now, now, watch=rule
                )
            )
            self._session.triggers.evaluate(now)
            return self._conditional.item(ConditionalKind.PROFIT, item.number)

    def active(self) -> ConditionalOrder | None:
        """Rule of today that is in force."""
        rules = self._conditional.all(ConditionalKind.PROFIT)
        return next((rule.item for rule in rules if rule.item.active), None)

    def stop(self) -> bool:
        """End the rule in force; returns whether there was one."""
        with self._conditional.transaction() as now:
            return self._end_active(now)

    def _end_active(self, now: datetime) -> bool:
        rules = [
            item
            for item in self._session.account.active.all()
            if item.kind is ConditionalKind.PROFIT
        ]
        for item in rules:
            self._session.closer.end_conditional(
                item, ConditionalState.CANCELLED, "ended on request", now
            )
        return bool(rules)
