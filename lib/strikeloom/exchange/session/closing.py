"""Ending conditional orders, and closing all positions of some products."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.domain.legs import Side
from strikeloom.domain.products import Product
from strikeloom.errors import DataError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.conditional.records import (
    ConditionalKind,
    ConditionalOrder,
    ConditionalState,
)
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import OrderType, Placement
from strikeloom.exchange.session.intake import OrderIntake
from strikeloom.nse.freeze import slices


class Closer:
    """Ends what is open in an account, within the caller's transaction."""

    def __init__(self, account: Account, intake: OrderIntake) -> None:
        self._account = account
        self._intake = intake

    def end_conditional(
        self, item: ConditionalOrder, state: ConditionalState, why: str, at: datetime
    ) -> ConditionalOrder:
        """End a conditional order; a super order's open orders end with it."""
        if item.kind is ConditionalKind.SUPER:
            placed = self._account.orders.placed_by(item.number)
            self._intake.cancel([o.number for o in placed if not o.state.terminal], why, at)
        return self._account.conditional.save(replace(item, state=state, reason=why, updated_at=at))

    def close_all(self, at: datetime, products: tuple[Product, ...]) -> list[BookOrder]:
        """Cancel every open order of some products, then send orders against their positions.

        Super orders of these products end. What is short is bought back first: a hedge sold
        from above its short would need the margin of a naked one. A position above the freeze
        quantity goes out in slices. Shares held for delivery since earlier days are no position.
        """
        for item in self._account.active.all():
            if item.kind is ConditionalKind.SUPER and item.legs[0].placement.product in products:
                self.end_conditional(
                    item, ConditionalState.CANCELLED, "all positions are closed", at
                )
        mine = [order.number for order in self._account.book if order.product in products]
        self._intake.cancel(mine, "cancelled on request", at)
        held = sorted(self._account.ledger.positions(), key=lambda position: position.net > 0)
        return [
            self._intake.place(closing, at)
            for position in held
            if position.exit_units and position.product in products
            for closing in self.closing_orders(position, position.exit_units, at)
        ]

    def closing_orders(self, position: NetPosition, net: int, at: datetime) -> list[Placement]:
        """Market orders that close signed units of a position, none above the freeze quantity."""
        instrument, units = position.instrument, abs(net)
        most = self._intake.largest_order(instrument, at.date())
        odd = units % instrument.lot_size
        parts = [odd] if odd else []  # of a lot that became larger: the order's refusal names it
        if units > odd:
            try:
                parts += slices(units - odd, instrument.lot_size, most)
            except DataError:
                parts.append(units - odd)  # a lot is frozen: so does this one's
        side = Side.SELL if net > 0 else Side.BUY
        return [
            Placement(instrument, side, part, OrderType.MARKET, product=position.product)
            for part in parts
        ]
