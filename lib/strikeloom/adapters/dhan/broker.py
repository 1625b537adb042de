"""``ports.broker.Broker`` over Dhan's REST calls."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from strikeloom.adapters.dhan.account_rows import (
    by_trade_number,
    fill_of,
    funds_of,
    held_units,
    order_of,
    placed_as,
    tag_of,
)
from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.errors import NO_HOLDINGS, DhanRefusal, call_checked
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.mapping import rupees_on_tick
from strikeloom.adapters.dhan.past_trades import past_fills
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest, OrderState
from strikeloom.errors import BrokerError, DataError, Rejected, UnknownOutcome
from strikeloom.nse.products import product_rule, product_rules
from strikeloom.ports.clock import Clock

_TAG = re.compile(r"[A-Za-z0-9_-]{1,30}")
_NO_SUCH_ORDER = frozenset({"DH-905", "DH-906", "DH-907"})


class DhanBroker:
    """An account at Dhan. The order book may lag behind accepted orders.

    An order whose outcome is unknown is looked up by its correlation id, in the order book and
    among the trades, at once and at each later reading; it is never sent again from here.
    """

    name = "dhan"
    book_is_complete = False
    reports_settlements = False

    def __init__(
        self, client: DhanClient, instruments: DhanInstruments, clock: Clock,
        changes: Callable[[], object | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._changes = changes
        self._client = client
        self._instruments = instruments
        self._clock = clock
        self._unresolved: set[str] = set()
        self._answered: dict[str, Order] = {}

    def submit(self, request: OrderRequest) -> Order:
        """Place a limit order.

        The response means that Dhan has it, not that it traded: fills come with a later reading.

        Raises
        ------
        Rejected
            Refused, no effect.
        RateLimited, Unreachable
            Never accepted.
        UnknownOutcome
            It may or may not have been accepted.
        """
        tag, instrument = request.correlation_id, request.instrument
        if not _TAG.fullmatch(tag):
            raise Rejected(f"{tag!r} is not a correlation id: 30 of A-Z a-z 0-9 - _ at most")
        price, day = rupees_on_tick(request.limit, instrument), self._clock.now().date()
        if product_rule(instrument, request.product, day) is None:
            offered = ", ".join(rule.name for rule in product_rules(instrument, day))
            raise Rejected(f"{instrument.label} is not traded as {request.product}: {offered}")
        try:
            security = self._instruments.security_of(instrument.key, day)
        except DataError as error:
            raise Rejected(f"{instrument.label} cannot be ordered: {error}") from None
        try:
            placed = call_checked(
                self._client,
                CallClass.ORDER,
                "place_order",
                str(security.number),
                security.segment,
                request.side.word,
                request.units,
                "LIMIT",
                request.product.value,
                price,
                validity=request.validity.value,
                tag=tag,
                what=f"order {tag}",
                changes=True,
            )
            number, status = placed_as(placed, tag)
        except UnknownOutcome:
            self._unresolved.add(tag)
            found = self._lookup(tag)
            if found is None:
                raise
            return self._accepted(found)
        return self._accepted(
            Order(
                order_id=number,
                correlation_id=tag,
                instrument_key=instrument.key,
                side=request.side,
                units=request.units,
                filled_units=0,
                limit=request.limit,
                state=OrderState(status) if status in set(OrderState) else OrderState.UNKNOWN,
                reason="",
                updated_at=self._clock.now(),
            )
        )

    def cancel(self, order_id: str) -> Order:
        """Request a cancellation; the order returned may already be terminal (it filled first).

        Raises
        ------
        Rejected
            Dhan does not cancel it and it is not terminal.
        UnknownOutcome
            It may or may not have been cancelled.
        BrokerError
            When the account has no such order.
        """
        try:
            call_checked(
                self._client,
                CallClass.ORDER,
                "cancel_order",
                order_id,
                what=f"cancelling order {order_id}",
                changes=True,
            )
        except (Rejected, UnknownOutcome) as error:
            try:
                found = self._order(order_id)
            except BrokerError as unseen:
                raise (error if isinstance(error, UnknownOutcome) else unseen) from None
            if not found.state.terminal:
                raise
            return found
        try:
            return self._order(order_id)
        except BrokerError as error:
            raise UnknownOutcome(
                f"Dhan accepted the cancellation of order {order_id}, its state cannot be read: "
                f"{error}",
                order_id=order_id,
            ) from None

    def change_count(self) -> object | None:
        """Changes that order updates have reported; ``None`` while they are not connected."""
        return self._changes()

    def orders(self) -> list[Order]:
        """All orders of the day in shares and contracts on NSE, also those not in the book yet."""
        rows = self._read("get_order_list", "the order book")
        now = self._clock.now()
        found = [order for row in rows if (order := order_of(row, self._instruments, now))]
        self._unresolved -= {order.correlation_id for order in found}
        for tag in sorted(self._unresolved):
            late = self._lookup(tag)
            if late is not None:
                self._unresolved.discard(tag)
                found.append(late)
        return found + self._lagging({order.order_id for order in found}, now)

    def _lagging(self, shown: set[str], now: datetime) -> list[Order]:
        """Orders of today that Dhan accepted with a number and that are not yet in the book."""
        for number, order in list(self._answered.items()):
            if number in shown or order.updated_at.date() != now.date():
                del self._answered[number]
        found = []
        for number, order in self._answered.items():
            try:
                found.append(self._order(number))
            except BrokerError:
                found.append(order)  # it was accepted, so it exists although it is not shown
        return found

    def fills(self) -> list[Fill]:
        """All trades of the trading day in our orders. Dhan does not report settlements."""
        trades = self._read("get_trade_book", "the trade book")
        if not trades:
            return []
        by_id = {order.order_id: order for order in self.orders()}
        now = self._clock.now()
        filled: Counter[str] = Counter()
        found: list[Fill] = []
        for row in sorted(trades, key=by_trade_number):
            order = by_id.get(str(row.get("orderId")))
            if order is None:
                continue  # of another segment, or the book lags: the next reading has it
            earlier = filled[order.order_id]
            fill = fill_of(row, order, self._instruments, now, earlier=earlier)
            filled[order.order_id] += fill.units * fill.price
            found.append(fill)
        return found

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        """Fills of earlier days in these orders."""
        return past_fills(self._client, orders, self._clock.now().date())

    def positions(self) -> list[BrokerPosition]:
        """Net units by instrument, those of the day apart; flat ones are absent.

        Of a share: what is in the holdings, which are of earlier days, and the trades of today.
        """
        positions, now = self._read("get_positions", "the positions"), self._clock.now()
        return held_units(positions, self._holdings(), self._instruments, now.date())

    def _holdings(self) -> list[Any]:
        """Rows of the holdings; none is answered with an error."""
        try:
            return self._read("get_holdings", "the holdings")
        except DhanRefusal as refusal:
            if refusal.facts["code"] == NO_HOLDINGS:
                return []
            raise

    def funds(self) -> Funds:
        """Money of the account."""
        body = call_checked(self._client, CallClass.OTHER, "get_fund_limits", what="the funds")
        return funds_of(body)

    def _accepted(self, order: Order) -> Order:
        """Raise a refusal by the risk desk or the exchange as an error.

        Raises
        ------
        Rejected
            With the reason of the order book, where it can be read.
        """
        if order.state is not OrderState.REJECTED:
            self._answered[order.order_id] = order
            return order
        reason = order.reason
        if not reason:
            with suppress(BrokerError):
                reason = self._order(order.order_id).reason
        raise Rejected(
            f"order {order.correlation_id} was rejected: {reason or 'no reason given'}",
            order_id=order.order_id,
        )

    def _lookup(self, tag: str) -> Order | None:
        """Order by correlation id; ``None`` when it is not found or cannot be requested."""
        try:
            body = call_checked(
                self._client,
                CallClass.OTHER,
                "get_order_by_correlationID",
                tag,
                what=f"looking up order {tag}",
            )
            rows = body if isinstance(body, list) else [body]
            now = self._clock.now()
            mapped = [order_of(row, self._instruments, now) for row in rows if tag_of(row) == tag]
        except BrokerError:
            return None
        found = [order for order in mapped if order is not None]
        return found[0] if found else None

    def _order(self, order_id: str) -> Order:
        try:
            body = call_checked(
                self._client,
                CallClass.OTHER,
                "get_order_by_id",
                order_id,
                what=f"order {order_id}",
            )
        except DhanRefusal as refusal:
            if refusal.facts["code"] in _NO_SUCH_ORDER:
                raise BrokerError(
                    f"the account has no order {order_id!r} ({refusal})", order_id=order_id
                ) from None
            raise
        rows = body if isinstance(body, list) else [body]
        now = self._clock.now()
        mapped = [order_of(row, self._instruments, now) for row in rows]
        found = [order for order in mapped if order is not None and order.order_id == order_id]
        if not found:
            raise BrokerError(f"the account has no order {order_id!r}", order_id=order_id)
        return found[0]

    def _read(self, method: str, what: str) -> list[Any]:
        body = call_checked(self._client, CallClass.OTHER, method, what=what)
        if not isinstance(body, list):
            raise BrokerError(f"Dhan's response for {what} is not a list: {type(body).__name__}")
        return body
