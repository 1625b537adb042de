"""Taking, changing and ending standing orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from strikeloom.errors import Rejected
from strikeloom.exchange.conditional.condition import Condition
from strikeloom.exchange.conditional.records import (
    ProfitRule,
    Standing,
    StandingKind,
    StandingState,
)
from strikeloom.exchange.conditional.validation import alert_legs, forever_legs
from strikeloom.exchange.engine.conditional_queries import Stands
from strikeloom.exchange.engine.super_orders import SuperDesk
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.orders.validation import INPUT


class StandingDesk(SuperDesk):
    """Standing orders of one account.

    Methods raise ``Rejected`` (fact ``code``) when something is refused, and ``BrokerError``
    when there is no such standing order; nothing is changed then.
    """

    # forever orders

    def place_forever(self, waits: Sequence[tuple[Placement, int]]) -> Stands:
        """Place one order that waits for its trigger (paise), or two of which one goes out."""
        with self._now() as now:
            item = Standing(
                0, StandingKind.FOREVER, waits[0][0].correlation_id,
                forever_legs(waits, self._walk.last_known(waits[0][0].contract, now), now.date()),
                waits[0][0].contract.expiry, now, now,
            )  # fmt: skip
            return self._with_orders(self._account.add_standing(item))

    def change_forever(self, number: int, name: str, change: Placement, trigger: int) -> Stands:
        """Change one leg of a forever order that still waits."""
        with self._now() as now:
            item = self._known(StandingKind.FOREVER, number, active=True)
            if item.leg(name) is None:
                raise Rejected(f"the order has no {name}", code=INPUT)
            waits = [
                (change, trigger) if leg.name == name else (leg.placement, leg.trigger)
                for leg in item.legs
            ]
            last = self._walk.last_known(change.contract, now)
            legs = forever_legs(waits, last, now.date())
            after = self._account.save_standing(replace(item, legs=legs, updated_at=now))
            return self._with_orders(after)

    # alerts

    def place_alert(self, watch: Condition, orders: Sequence[Placement], last_day: date) -> Stands:
        """Place orders as soon as a condition is met."""
        with self._now() as now:
            item = Standing(
                0, StandingKind.ALERT, "", alert_legs(orders, now.date()), last_day, now, now,
                watch=watch,
            )  # fmt: skip
            added = self._account.add_standing(item)
            self._walk.tend(now)
            return self._with_orders(self._known(StandingKind.ALERT, added.number))

    def change_alert(
        self, number: int, watch: Condition, orders: Sequence[Placement] | None, last_day: date
    ) -> Stands:
        """Change what an alert waits for, and what it places unless ``None``."""
        with self._now() as now:
            item = self._known(StandingKind.ALERT, number, active=True)
            legs = item.legs if orders is None else alert_legs(orders, now.date())
            item = replace(item, watch=watch, legs=legs, last_day=last_day, updated_at=now)
            self._account.save_standing(item)
            self._walk.tend(now)
            return self._with_orders(self._known(StandingKind.ALERT, number))

    def cancel(self, kind: StandingKind, number: int) -> Stands:
        """End a forever order or an alert that still waits."""
        with self._now() as now:
            item = self._known(kind, number, active=True)
            why = "cancelled on request"
            return self._with_orders(
                self._walk.end_standing(item, StandingState.CANCELLED, why, now)
            )

    # leaving at a profit or a loss

    def set_profit(self, rule: ProfitRule) -> Standing:
        """Leave today at a profit or a loss; a rule set before ends."""
        with self._now() as now:
            if rule.profit <= 0 and rule.loss <= 0:
                raise Rejected("a profit or a loss above 0 is needed", code=INPUT)
            self._end_profit(now)
            item = self._account.add_standing(
                Standing(0, StandingKind.PROFIT, "", (), now.date(), now, now, watch=rule)
            )
            self._walk.tend(now)
            return self._known(StandingKind.PROFIT, item.number)

    def profit(self) -> Standing | None:
        """Rule of today that is in force."""
        return next(
            (found.item for found in self.all(StandingKind.PROFIT) if found.item.active), None
        )

    def stop_profit(self) -> bool:
        """End the rule in force; whether there was one."""
        with self._now() as now:
            return self._end_profit(now)

    def _end_profit(self, now: datetime) -> bool:
        found = [
            item
            for item in self._account.mirror.standing.active()
            if item.kind is StandingKind.PROFIT
        ]
        for item in found:
            self._walk.end_standing(item, StandingState.CANCELLED, "ended on request", now)
        return bool(found)
