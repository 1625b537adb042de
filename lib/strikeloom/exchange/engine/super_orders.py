"""Taking, changing and ending super orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.errors import Rejected
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    TARGET,
    Leg,
    LegState,
    Standing,
    StandingKind,
    StandingState,
)
from strikeloom.exchange.conditional.transitions import with_leg
from strikeloom.exchange.conditional.validation import (
    SuperTerms,
    exits_refusal,
    refuse,
    super_legs,
    super_refusal,
)
from strikeloom.exchange.engine.conditional_queries import StandingLooks, Stands
from strikeloom.exchange.orders.hours import is_open
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from strikeloom.exchange.orders.validation import MARKET_CLOSED, ORDER, input_refusal


class SuperDesk(StandingLooks):
    """Super orders of one account.

    Methods raise ``Rejected`` (fact ``code``) when something is refused, and ``BrokerError``
    when there is no such order; nothing is changed then.
    """

    def place_super(self, entry: Placement, terms: SuperTerms) -> Stands:
        """Place an entry whose fills are exited at a target or a stop."""
        with self._now() as now:
            refuse(input_refusal(entry, now.date()) or super_refusal(entry, terms))
            item = self._account.add_standing(
                Standing(
                    0, StandingKind.SUPER, entry.correlation_id, super_legs(entry, terms),
                    now.date(), now, now,
                )
            )  # fmt: skip
            order = self._walk.take(entry, now, standing=item.number, leg=ENTRY)
            item = self._account.save_standing(replace(item, entry=order.number))
            if order.state.terminal and not order.filled:
                state = StandingState(order.state.value)
                self._walk.end_standing(item, state, order.reason, now)
            self._walk.tend(now)
            return self._with_orders(self._known(StandingKind.SUPER, item.number))

    def change_entry(self, number: int, change: Change, terms: SuperTerms) -> Stands:
        """Change an entry that is open, and its exits; a price of 0 keeps an exit's."""
        with self._now() as now:
            item = self._open_super(number, now)
            entry = self._walk.known(item.entry)
            limit = entry.limit if change.limit is None else change.limit
            side, found = entry.side, {leg.name: leg for leg in item.legs}
            for name, price in ((TARGET, terms.target), (STOP, terms.stop)):
                if price and name not in found:
                    raise Rejected(f"the order has no {name}, and none can be added", code=ORDER)
            wanted = SuperTerms(
                terms.target or (found[TARGET].trigger if TARGET in found else 0),
                terms.stop or (found[STOP].trigger if STOP in found else 0),
                terms.jump,
            )
            whole = replace(
                item.legs[0].placement, side=side, units=change.units or entry.units,
                limit=limit, order_type=change.order_type or OrderType.LIMIT,
            )  # fmt: skip
            refuse(super_refusal(whole, wanted))
            self._walk.change(entry.number, change, now)
            for leg in super_legs(whole, wanted):
                before = found[leg.name]
                if before.state is LegState.PENDING:
                    item = with_leg(item, replace(leg, base=before.base), now)
            self._account.save_standing(item)
            self._walk.tend(now)
            return self._with_orders(self._known(StandingKind.SUPER, number))

    def change_target(self, number: int, price: int) -> Stands:
        """Move a target; one that is at the exchange already is changed there."""
        with self._now() as now:
            item, leg = self._leg(number, TARGET, now)
            refuse(exits_refusal(item, replace(leg, trigger=price)))
            after = replace(leg, trigger=price, placement=replace(leg.placement, limit=price))
            for order in self._account.children(number):
                if order.leg == TARGET and not order.state.terminal:
                    self._walk.change(order.number, Change(limit=price), now)
            self._account.save_standing(with_leg(item, after, now))
            return self._with_orders(self._known(StandingKind.SUPER, number))

    def change_stop(self, number: int, price: int, jump: int) -> Stands:
        """Move a stop, and follow by ``jump`` from now on; 0 stops following."""
        with self._now() as now:
            item, leg = self._leg(number, STOP, now)
            if leg.state is LegState.TRIGGERED:
                raise Rejected("the stop is triggered: its order is at the exchange", code=ORDER)
            quote = self._walk.quote(leg.placement.contract, now)
            base = quote.last if quote and quote.last is not None and leg.base else 0
            after = replace(leg, trigger=price, jump=jump, base=base)
            refuse(exits_refusal(item, after))
            self._account.save_standing(with_leg(item, after, now))
            return self._with_orders(self._known(StandingKind.SUPER, number))

    def cancel_super(self, number: int, leg: str) -> Stands:
        """Cancel one exit for good, or with the entry everything that is open."""
        with self._now() as now:
            item = self._known(StandingKind.SUPER, number, active=True)
            if leg == ENTRY:
                self._walk.end_standing(item, StandingState.CANCELLED, "cancelled on request", now)
                return self._with_orders(self._known(StandingKind.SUPER, number))
            item, found = self._leg(number, leg, now)
            self._walk.withdraw(
                [
                    order.number
                    for order in self._account.children(number)
                    if order.leg == leg and not order.state.terminal
                ],
                "cancelled on request",
                now,
            )
            item = with_leg(item, replace(found, state=LegState.CANCELLED), now)
            return self._with_orders(self._account.save_standing(item))

    def _open_super(self, number: int, now: datetime) -> Standing:
        item = self._known(StandingKind.SUPER, number, active=True)
        if not is_open(now):
            raise Rejected(MARKET_CLOSED, code=ORDER)
        return item

    def _leg(self, number: int, name: str, now: datetime) -> tuple[Standing, Leg]:
        item = self._open_super(number, now)
        leg = item.leg(name)
        if leg is None or leg.state is LegState.CANCELLED:
            raise Rejected(f"there is no {name} any more, and none can be added", code=ORDER)
        return item, leg
