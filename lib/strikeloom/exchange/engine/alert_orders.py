"""Placing and changing alerts that place orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from strikeloom.exchange.conditional.condition import Condition
from strikeloom.exchange.conditional.records import ConditionalKind, ConditionalOrder
from strikeloom.exchange.conditional.validation import alert_legs
from strikeloom.exchange.engine.conditional import ConditionalOrders, ConditionalStatus
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.session.session import TradingSession


class AlertOrders:
    """Alerts of one account; errors as of ``ConditionalOrders``."""

    def __init__(self, session: TradingSession, conditional: ConditionalOrders) -> None:
        self._triggers = session.triggers
        self._records = session.account.conditional
        self._conditional = conditional

    def place(
        self, watch: Condition, orders: Sequence[Placement], last_day: date
    ) -> ConditionalStatus:
        """Place orders as soon as a condition is met."""
        with self._conditional.transaction() as now:
            item = ConditionalOrder(
                0, ConditionalKind.ALERT, "", alert_legs(orders, now.date()), last_day, now, now,
                watch=watch,
            )  # fmt: skip
            number = self._records.add(item).number
            self._triggers.evaluate(now)
            return self._conditional.status(self._conditional.item(ConditionalKind.ALERT, number))

    def change(
        self, number: int, watch: Condition, orders: Sequence[Placement] | None, last_day: date
    ) -> ConditionalStatus:
        """Change what an alert waits for, and what it places unless ``None``."""
        with self._conditional.transaction() as now:
            item = self._conditional.item(ConditionalKind.ALERT, number, active=True)
            legs = item.legs if orders is None else alert_legs(orders, now.date())
            self._records.save(
                replace(item, watch=watch, legs=legs, last_day=last_day, updated_at=now)
            )
            self._triggers.evaluate(now)
            return self._conditional.status(self._conditional.item(ConditionalKind.ALERT, number))
