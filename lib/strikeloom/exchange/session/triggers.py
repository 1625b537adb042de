"""Looking after standing orders: with each look at the market, what each of them wants is done.

In the caller's transaction: a trigger, the cancelled other leg and the new order are kept
together or not at all, so that a process that dies has placed a child once or not yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.errors import DataError, NoQuote, Rejected
from strikeloom.exchange.account.position import Position
from strikeloom.exchange.conditional.condition import Condition, holds, sign
from strikeloom.exchange.conditional.daily_candles import PastDays
from strikeloom.exchange.conditional.indicators import figures
from strikeloom.exchange.conditional.records import (
    ENTRY,
    ProfitRule,
    Standing,
    StandingKind,
    StandingState,
)
from strikeloom.exchange.conditional.transitions import Send, Step, forever_step, super_step
from strikeloom.exchange.orders.hours import is_open
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import OrderType, Placement, Product
from strikeloom.exchange.orders.validation import ORDER, Refusal, reference_price
from strikeloom.exchange.session.intake import Intake
from strikeloom.nse.freeze import freeze_units, slices
from strikeloom.nse.sessions import session

#: Looks at one standing order in a row: what was just placed may have filled.
_LOOKS = 4


class StandingWatch(Intake):
    """An account's standing orders.

    Prices of options are those of the moment, also while the account catches up. Underlyings
    and profits are looked at as of the clock only.
    """

    days: PastDays | None = None

    def tend(self, at: datetime, *, recorded: bool = False) -> None:
        """Let standing orders lapse or act at a moment."""
        book = self._account.mirror.standing
        if not len(book):
            return
        for item in book.active():
            if item.lapsed(at):
                self.end_standing(item, StandingState.EXPIRED, "its last session is over", at)
        if not len(book) or not is_open(at):
            return
        lasts = self._lasts(at, recorded)
        for number in [item.number for item in book.active() if item.created_at <= at]:
            for _ in range(_LOOKS):
                found = book.get(number)
                if found is None or not self._look(found, lasts, at, recorded):
                    break

    def own(self, number: int) -> BookOrder:
        """An order that may be changed by itself.

        Raises
        ------
        Rejected
            When it is the exit of a super order, whose size follows the entry.
        """
        order = self.known(number)
        item = self._account.mirror.standing.get(order.standing)
        if item is not None and item.kind is StandingKind.SUPER and order.leg != ENTRY:
            raise Rejected(
                f"{order.order_id} is the {order.leg} of a super order: change that leg",
                code=ORDER,
                order_id=order.order_id,
            )
        return order

    def end_standing(
        self, item: Standing, state: StandingState, why: str, at: datetime
    ) -> Standing:
        """End a standing order; a super order's open orders end with it."""
        if item.kind is StandingKind.SUPER:
            self.withdraw(
                [o.number for o in self._account.children(item.number) if not o.state.terminal],
                why,
                at,
            )
        return self._account.save_standing(replace(item, state=state, reason=why, updated_at=at))

    def leave(self, at: datetime, products: tuple[Product, ...]) -> list[BookOrder]:
        """Cancel every open order of some products, then send orders against their positions.

        Super orders of these products end. What is short is bought back first: a hedge sold
        from above its short would need the margin of a naked one. A position above the freeze
        quantity goes out in slices.
        """
        for item in self._account.mirror.standing.active():
            if item.kind is StandingKind.SUPER and item.legs[0].placement.product in products:
                self.end_standing(item, StandingState.CANCELLED, "all positions are left", at)
        mine = [order.number for order in self._account.book if order.product in products]
        self.withdraw(mine, "cancelled on request", at)
        held = sorted(self._account.positions(), key=lambda position: position.net > 0)
        return [
            self.take(closing, at)
            for position in held
            if position.net and position.product in products
            for closing in _closings(position, at)
        ]

    def withdraw(self, numbers: Sequence[int], why: str, at: datetime) -> None:
        """Cancel orders."""
        for number in numbers:
            self.end(self.known(number), OrderState.CANCELLED, Refusal("", why), at)

    def last_known(self, contract: OptionContract, at: datetime) -> int | None:
        """Paise of the last trade, else the middle of the quote; of an earlier day when closed."""
        if is_open(at):
            return reference_price(self.quote(contract, at))
        return reference_price(self._feed.quotes([contract]).get(contract.key))

    def _lasts(self, at: datetime, recorded: bool) -> dict[str, int]:
        """Last trades of this session, of the options that standing orders wait for."""
        waits = {
            leg.placement.contract.key: leg.placement.contract
            for item in self._account.mirror.standing.active()
            if item.kind in (StandingKind.SUPER, StandingKind.FOREVER)
            for leg in item.legs
        }
        if not waits:
            return {}
        shown = self._now_or_then(list(waits.values()), at, recorded)
        opened = session(at.date()).open
        return {k: q.last for k, q in shown.items() if q.last is not None and q.at >= opened}

    def _look(self, item: Standing, lasts: dict[str, int], at: datetime, recorded: bool) -> bool:
        """Do what a standing order wants now; whether it wanted anything."""
        book = self._account.mirror.standing
        if isinstance(item.watch, Condition):
            step = None if recorded else self._condition_step(item, item.watch, at)
        elif isinstance(item.watch, ProfitRule):
            return not recorded and self._profit(item, item.watch, at)
        else:
            last = lasts.get(item.legs[0].placement.contract.key) if item.legs else None
            step = (
                super_step(item, book.children(item.number), last, at)
                if item.kind is StandingKind.SUPER
                else forever_step(item, last, at)
            )
        if step is None or step == Step(item):
            return False
        return self._carry_out(item, step, at, recorded)

    def _carry_out(self, before: Standing, step: Step, at: datetime, recorded: bool) -> bool:
        self.withdraw(step.cancel, "another leg took over", at)
        item = step.item
        orders = [order for wanted in step.send for order in self._fitting(wanted)]
        if step.send and not orders and all(self._flat(wanted) for wanted in step.send):
            self.end_standing(item, StandingState.CANCELLED, "no position is left to close", at)
            return True
        if item != before:
            self._account.save_standing(item)
        for wanted in orders:
            self.take(wanted.placement, at, standing=item.number, leg=wanted.leg, recorded=recorded)
        return bool(orders or step.cancel) or item != before

    def _fitting(self, wanted: Send) -> list[Send]:
        """The order, for no more than is held and not offered already when it reduces."""
        what = wanted.placement
        if not wanted.reduces:
            return [wanted]
        offered = sum(
            order.remaining
            for order in self._account.book
            if order.contract.key == what.contract.key
            and order.side is what.side
            and order.product is what.product
        )
        room = self._open_units(what) - offered
        units = min(what.units, room)
        return [replace(wanted, placement=replace(what, units=units))] if units > 0 else []

    def _open_units(self, what: Placement) -> int:
        """Units held that an order of this side closes."""
        held = self._account.position(what.contract.key, what.product)
        return -held.net * int(what.side) if held else 0

    def _flat(self, wanted: Send) -> bool:
        return wanted.reduces and self._open_units(wanted.placement) <= 0

    def _condition_step(self, item: Standing, watch: Condition, at: datetime) -> Step | None:
        """Step of an alert; ``None`` while its figures are not known."""
        try:
            left, right, last = figures(self._feed, watch, self.days, at.date())
        except (NoQuote, DataError):
            return None
        now = sign(left, right)
        met = holds(watch.operator, watch.side, now)
        fires = met and not watch.met
        after = replace(item, watch=replace(watch, side=now, met=met), last=last)
        if not fires:
            return Step(after)
        if watch.once:
            after = replace(after, state=StandingState.TRIGGERED)
        after = replace(after, triggered_at=at, updated_at=at)
        return Step(after, send=tuple(Send(leg.name, leg.placement) for leg in item.legs))

    def _profit(self, item: Standing, rule: ProfitRule, at: datetime) -> bool:
        """Leave when the profit or loss is reached; then stop trading, if that was asked for."""
        if item.triggered_at is None:
            made = self.profit_of(rule.products)
            reached = made is not None and (
                (rule.profit > 0 and made >= rule.profit) or (rule.loss > 0 and made <= -rule.loss)
            )
            if not reached:
                return False
            self._account.save_standing(replace(item, triggered_at=at, updated_at=at))
            self.leave(at, rule.products)
            return True
        flat = not self._account.holdings() and not len(self._account.book)
        if rule.kill and not flat:
            return False
        if rule.kill:
            self._account.kill(at.date())
        self._account.save_standing(replace(item, state=StandingState.TRIGGERED, updated_at=at))
        return True

    def profit_of(self, products: tuple[Product, ...]) -> int | None:
        """Paise made by the day's positions of some products, before charges.

        ``None`` when a position has no price.
        """
        mine = [p for p in self._account.positions() if p.product in products]
        quotes = self._feed.quotes([p.contract for p in mine if p.net])
        made = 0
        for position in mine:
            mark = reference_price(quotes.get(position.contract.key)) if position.net else 0
            if mark is None:
                return None
            made += position.sell_value - position.buy_value + position.net * mark
        return made


def _closings(position: Position, at: datetime) -> list[Placement]:
    """Market orders that close a position, each below the freeze quantity."""
    contract, units = position.contract, abs(position.net)
    try:
        parts = slices(units, contract.lot_size, freeze_units(contract.symbol, at.date()))
    except DataError:
        parts = [units]  # no whole lots, or a lot is frozen: the order's refusal says so
    side = Side.SELL if position.net > 0 else Side.BUY
    return [
        Placement(contract, side, part, OrderType.MARKET, product=position.product)
        for part in parts
    ]
