"""Placing, changing and ending super orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    TARGET,
    ConditionalKind,
    ConditionalLeg,
    ConditionalOrder,
    ConditionalState,
    LegState,
)
from strikeloom.exchange.conditional.transitions import with_leg
from strikeloom.exchange.conditional.validation import (
    SuperTerms,
    exits_refusal,
    raise_refusal,
    super_legs,
    super_refusal,
)
from strikeloom.exchange.engine.conditional import ConditionalOrders, ConditionalStatus
from strikeloom.exchange.orders.hours import is_open
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from strikeloom.exchange.orders.validation import MARKET_CLOSED, ORDER, input_refusal
from strikeloom.exchange.session.session import TradingSession


class SuperOrders:
    """Super orders of one account; errors as of ``ConditionalOrders``."""

    def __init__(self, session: TradingSession, conditional: ConditionalOrders) -> None:
        self._account = session.account
        self._market = session.market
        self._intake = session.intake
        self._closer = session.closer
        self._triggers = session.triggers
        self._conditional = conditional

    def number_of(self, order: int) -> int:
        """Number of the super order whose entry an order is."""
        with self._conditional.transaction():
            entry = self._account.orders.get(order)
            if entry is None or not entry.conditional or entry.leg != ENTRY:
                raise BrokerError(f"no super order has the entry E{order}", code=ORDER)
            return entry.conditional

    def place(self, entry: Placement, terms: SuperTerms) -> ConditionalStatus:
        """Place an entry whose fills are exited at a target or a stop."""
        with self._conditional.transaction() as now:
            raise_refusal(input_refusal(entry, now.date()) or super_refusal(entry, terms))
            item = self._account.conditional.add(
                ConditionalOrder(
                    0, ConditionalKind.SUPER, entry.correlation_id, super_legs(entry, terms),
                    now.date(), now, now,
                )
            )  # fmt: skip
            order = self._intake.place(entry, now, conditional=item.number, leg=ENTRY)
            item = self._account.conditional.save(replace(item, entry=order.number))
            if order.state.terminal and not order.filled:
                state = ConditionalState(order.state.value)
                self._closer.end_conditional(item, state, order.reason, now)
            self._triggers.evaluate(now)
            return self._status(item.number)

    def change_entry(self, number: int, change: Change, terms: SuperTerms) -> ConditionalStatus:
        """Change an entry that is open, and its exits; a price of 0 keeps an exit's."""
        with self._conditional.transaction() as now:
            item = self._changeable(number, now)
            entry = self._intake.order(item.entry)
            limit = entry.limit if change.limit is None else change.limit
            side, legs = entry.side, {leg.name: leg for leg in item.legs}
            for name, price in ((TARGET, terms.target), (STOP, terms.stop)):
                if price and name not in legs:
                    raise Rejected(f"the order has no {name}, and none can be added", code=ORDER)
            wanted = SuperTerms(
                terms.target or (legs[TARGET].trigger if TARGET in legs else 0),
                terms.stop or (legs[STOP].trigger if STOP in legs else 0),
                terms.jump,
            )
            whole = replace(
                item.legs[0].placement, side=side, units=change.units or entry.units,
                limit=limit, order_type=change.order_type or OrderType.LIMIT,
            )  # fmt: skip
            raise_refusal(super_refusal(whole, wanted))
            self._intake.change(entry.number, change, now)
            for leg in super_legs(whole, wanted):
                before = legs[leg.name]
                if before.state is LegState.PENDING:
                    item = with_leg(item, replace(leg, base=before.base), now)
            self._account.conditional.save(item)
            self._triggers.evaluate(now)
            return self._status(number)

    def change_target(self, number: int, price: int) -> ConditionalStatus:
        """Move a target; one that is at the exchange already is changed there."""
        with self._conditional.transaction() as now:
            item, leg = self._leg(number, TARGET, now)
            raise_refusal(exits_refusal(item, replace(leg, trigger=price)))
            after = replace(leg, trigger=price, placement=replace(leg.placement, limit=price))
            for order in self._account.orders.placed_by(number):
                if order.leg == TARGET and not order.state.terminal:
                    self._intake.change(order.number, Change(limit=price), now)
            self._account.conditional.save(with_leg(item, after, now))
            return self._status(number)

    def change_stop(self, number: int, price: int, jump: int) -> ConditionalStatus:
        """Move a stop, and follow by ``jump`` from now on; 0 stops following."""
        with self._conditional.transaction() as now:
            item, leg = self._leg(number, STOP, now)
            if leg.state is LegState.TRIGGERED:
                raise Rejected("the stop is triggered: its order is at the exchange", code=ORDER)
            quote = self._market.quote(leg.placement.instrument, now)
            base = quote.last if quote and quote.last is not None and leg.base else 0
            after = replace(leg, trigger=price, jump=jump, base=base)
            raise_refusal(exits_refusal(item, after))
            self._account.conditional.save(with_leg(item, after, now))
            return self._status(number)

    def cancel(self, number: int, leg: str) -> ConditionalStatus:
        """Cancel one exit for good, or with the entry everything that is open."""
        with self._conditional.transaction() as now:
            item = self._conditional.item(ConditionalKind.SUPER, number, active=True)
            why = "cancelled on request"
            if leg == ENTRY:
                self._closer.end_conditional(item, ConditionalState.CANCELLED, why, now)
                return self._status(number)
            item, exit_leg = self._leg(number, leg, now)
            placed = self._account.orders.placed_by(number)
            open_orders = [o.number for o in placed if o.leg == leg and not o.state.terminal]
            self._intake.cancel(open_orders, why, now)
            item = with_leg(item, replace(exit_leg, state=LegState.CANCELLED), now)
            return self._conditional.status(self._account.conditional.save(item))

    def _status(self, number: int) -> ConditionalStatus:
        return self._conditional.status(self._conditional.item(ConditionalKind.SUPER, number))

    def _changeable(self, number: int, now: datetime) -> ConditionalOrder:
        item = self._conditional.item(ConditionalKind.SUPER, number, active=True)
        if not is_open(now):
            raise Rejected(MARKET_CLOSED, code=ORDER)
        return item

    def _leg(
        self, number: int, name: str, now: datetime
    ) -> tuple[ConditionalOrder, ConditionalLeg]:
        item = self._changeable(number, now)
        leg = item.leg(name)
        if leg is None or leg.state is LegState.CANCELLED:
            raise Rejected(f"there is no {name} any more, and none can be added", code=ORDER)
        return item, leg
