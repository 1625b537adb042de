"""Evaluating conditional orders each time the market is read, and placing what they trigger.

In the caller's transaction: a trigger, the cancelled other leg and the new order are stored
together or not at all, so a process that dies has placed an order once or not yet.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.alerts import alert_step
from strikeloom.exchange.conditional.condition import Condition
from strikeloom.exchange.conditional.daily_candles import DailyCandles
from strikeloom.exchange.conditional.records import (
    ENTRY,
    ConditionalKind,
    ConditionalOrder,
    ConditionalState,
    ProfitRule,
)
from strikeloom.exchange.conditional.transitions import (
    OrderToSend,
    Transition,
    forever_step,
    super_step,
)
from strikeloom.exchange.orders.hours import is_open
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.orders.validation import ORDER
from strikeloom.exchange.session.closing import Closer
from strikeloom.exchange.session.intake import OrderIntake
from strikeloom.exchange.session.market_reader import MarketReader
from strikeloom.exchange.session.profit_exit import ProfitExit
from strikeloom.nse.edges import beginning

#: Most transitions of one conditional order in a row: what it just placed may have filled.
_MOST_STEPS = 4


class TriggerEvaluator:
    """An account's conditional orders.

    Prices of options are those of the moment, also while the account catches up. Underlyings
    and profits are read as of the clock only.

    Parameters
    ----------
    candles : DailyCandles, optional
        Candles of whole days, of which alerts take indicators.
    """

    def __init__(
        self,
        account: Account,
        market: MarketReader,
        intake: OrderIntake,
        closer: Closer,
        candles: DailyCandles | None = None,
    ) -> None:
        self._account = account
        self._market = market
        self._intake = intake
        self._closer = closer
        self._candles = candles
        self._profit_exit = ProfitExit(account, market.feed, closer)

    def evaluate(self, at: datetime, *, recorded: bool = False) -> None:
        """Let conditional orders lapse or act at a moment."""
        active = self._account.active
        if not len(active):
            return
        for item in active.all():
            if item.lapsed(at):
                self._closer.end_conditional(
                    item, ConditionalState.EXPIRED, "its last session is over", at
                )
        if not len(active) or not is_open(at):
            return
        lasts = self._last_trades(at, recorded)
        for number in [item.number for item in active.all() if item.created_at <= at]:
            for _ in range(_MOST_STEPS):
                current = active.get(number)
                if current is None or not self._advance(current, lasts, at, recorded):
                    break

    def changeable(self, number: int) -> BookOrder:
        """An order that may be changed by itself.

        Raises
        ------
        Rejected
            When it is the exit of a super order, whose size follows the entry.
        BrokerError
            When the account has no such order.
        """
        order = self._intake.order(number)
        item = self._account.active.get(order.conditional)
        if item is not None and item.kind is ConditionalKind.SUPER and order.leg != ENTRY:
            raise Rejected(
                f"{order.order_id} is the {order.leg} of a super order: change that leg",
                code=ORDER,
                order_id=order.order_id,
            )
        return order

    def _last_trades(self, at: datetime, recorded: bool) -> dict[str, int]:
        """Last trades of this session, of the options that conditional orders wait for."""
        waits = {
            leg.placement.instrument.key: leg.placement.instrument
            for item in self._account.active.all()
            if item.kind in (ConditionalKind.SUPER, ConditionalKind.FOREVER)
            for leg in item.legs
        }
        if not waits:
            return {}
        shown = self._market.quotes(list(waits.values()), at, recorded)
        opened = beginning(at.date())
        return {k: q.last for k, q in shown.items() if q.last is not None and q.at >= opened}

    def _advance(
        self, item: ConditionalOrder, lasts: dict[str, int], at: datetime, recorded: bool
    ) -> bool:
        """Do what a conditional order requires now; returns whether anything was done."""
        if isinstance(item.watch, ProfitRule):
            return not recorded and self._profit_exit.advance(item, item.watch, at)
        if isinstance(item.watch, Condition):
            feed, candles = self._market.feed, self._candles
            step = None if recorded else alert_step(item, item.watch, feed, candles, at)
        else:
            last = lasts.get(item.legs[0].placement.instrument.key) if item.legs else None
            step = (
                super_step(item, self._account.active.placed_by(item.number), last, at)
                if item.kind is ConditionalKind.SUPER
                else forever_step(item, last, at)
            )
        if step is None or step == Transition(item):
            return False
        return self._carry_out(item, step, at, recorded)

    def _carry_out(
        self, before: ConditionalOrder, step: Transition, at: datetime, recorded: bool
    ) -> bool:
        self._intake.cancel(step.cancel, "another leg took over", at)
        item = step.item
        orders = [order for wanted in step.send for order in self._limited_to_position(wanted)]
        if step.send and not orders and all(self._has_nothing_to_close(w) for w in step.send):
            self._closer.end_conditional(
                item, ConditionalState.CANCELLED, "no position is left to close", at
            )
            return True
        if item != before:
            self._account.conditional.save(item)
        for wanted in orders:
            self._intake.place(
                wanted.placement, at, conditional=item.number, leg=wanted.leg, recorded=recorded
            )
        return bool(orders or step.cancel) or item != before

    def _limited_to_position(self, wanted: OrderToSend) -> list[OrderToSend]:
        """The order; when it reduces, for no more than is held and not yet offered."""
        what = wanted.placement
        if not wanted.reduces:
            return [wanted]
        offered = sum(
            order.remaining
            for order in self._account.book
            if order.instrument.key == what.instrument.key
            and order.side is what.side
            and order.product is what.product
        )
        room = self._open_units(what) - offered
        units = min(what.units, room)
        return [replace(wanted, placement=replace(what, units=units))] if units > 0 else []

    def _open_units(self, what: Placement) -> int:
        """Units held that an order of this side closes."""
        held = self._account.ledger.position(what.instrument.key, what.product)
        return -held.net * int(what.side) if held else 0

    def _has_nothing_to_close(self, wanted: OrderToSend) -> bool:
        return wanted.reduces and self._open_units(wanted.placement) <= 0
