"""``ports.broker.Broker`` over the in-process matching engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from strikeloom.domain.instruments import order_of
from strikeloom.domain.orders import (
    BrokerPosition,
    Fill,
    Funds,
    Order,
    OrderRequest,
    OrderState,
)
from strikeloom.domain.products import Product
from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.order import BookOrder, order_number
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.orders.trade import Trade
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed
from strikeloom.ports.instruments import Instruments


class SimBroker:
    """The engine as a broker. Its order book is always complete.

    Parameters
    ----------
    path : pathlib.Path
        The account's own file; survives a restart.
    cash : int
        Paise a new account starts with.
    instruments : Instruments, optional
        The listed contracts; with them an order that does not fit its contract is refused, and
        positions follow their contracts through adjustments.
    """

    name = "simulated"
    book_is_complete = True
    reports_settlements = True

    def __init__(
        self,
        path: Path,
        feed: MarketFeed,
        clock: Clock,
        cash: int,
        instruments: Instruments | None = None,
    ) -> None:
        self.engine = Engine(
            Account(path, cash),
            feed,
            clock,
            instruments,
            adjustments=instruments.adjustments if instruments else None,
        )
        self._clock = clock
        self._orders: dict[int, Order] = {}
        self._read_on: date | None = None
        self._fills: list[Fill] = []
        self._last_trade = 0

    def submit(self, request: OrderRequest) -> Order:
        """Accept and match an order, or refuse it.

        Raises
        ------
        Rejected
            With the exchange's or the risk check's reason; the rejection is recorded.
        """
        placed = self.engine.place(
            Placement(
                instrument=request.instrument,
                side=request.side,
                units=request.units,
                limit=request.limit,
                validity=request.validity,
                product=request.product,
                correlation_id=request.correlation_id,
            )
        )
        if placed.state is OrderState.REJECTED:
            raise Rejected(
                f"{placed.instrument.label}: {placed.reason}",
                order_id=placed.order_id,
                code=placed.code,
            )
        return _order(placed)

    def cancel(self, order_id: str) -> Order:
        """Cancel the unfilled units; an order that is already terminal is returned unchanged.

        Raises
        ------
        BrokerError
            When the account has no such order.
        """
        number = order_number(order_id)
        if number is None:
            raise BrokerError(f"the account has no order {order_id!r}", order_id=order_id)
        return _order(self.engine.cancel(number))

    def change_count(self) -> tuple[int, int]:
        """Two counters; at least one differs after the account may have changed."""
        return self.engine.change_count()

    def orders(self) -> list[Order]:
        """All orders of the account, those of earlier days included.

        Orders of earlier days are read from the engine once: they no longer change.
        """
        today = self._clock.now().date()
        for order in self.engine.orders(self._read_on):
            self._orders[order.number] = _order(order)
        self._read_on = today
        return [self._orders[number] for number in sorted(self._orders)]

    def fills(self) -> list[Fill]:
        """All fills and settlements; each is read once."""
        for trade in self.engine.trades(after=self._last_trade):
            self._fills.append(_fill(trade))
            self._last_trade = trade.number
        return list(self._fills)

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:  # noqa: ARG002
        """Nothing: ``fills`` returns those of every day."""
        return []

    def positions(self) -> list[BrokerPosition]:
        """Net units by instrument and product; shares in the depository included."""
        held = [position for position in self.engine.positions() if position.net]
        held.sort(key=lambda position: order_of(position.instrument))
        return [
            BrokerPosition(it.instrument.key, it.net, intraday=it.product is Product.INTRADAY)
            for it in held
        ]

    def funds(self) -> Funds:
        """Cash, margin blocked, and the cash that is left.

        Raises
        ------
        NoQuote
            When the level of an underlying with a sold leg is not known.
        """
        balance = self.engine.balance()
        return Funds(balance.cash, balance.margin, balance.cash - balance.margin)

    def close(self) -> None:
        """Release the account's file."""
        self.engine.close()


def _order(order: BookOrder) -> Order:
    return Order(
        order_id=order.order_id,
        correlation_id=order.correlation_id,
        instrument_key=order.instrument.key,
        side=order.side,
        units=order.units,
        filled_units=order.filled,
        limit=order.limit,
        state=order.state,
        reason=order.reason,
        updated_at=order.updated_at,
    )


def _fill(trade: Trade) -> Fill:
    return Fill(
        fill_id=f"F{trade.number}",
        order_id=f"E{trade.order_number}",
        correlation_id=trade.correlation_id,
        instrument_key=trade.instrument.key,
        side=trade.side,
        units=trade.units,
        price=trade.price,
        charges=trade.charges,
        at=trade.at,
        kind=trade.kind,
    )
