"""Injected faults without a network: a broker that fails by script or by seed, a faulty feed.

The wrapped broker stays correct, so the state of the desk can be compared with what really
happened. Kinds that the exchange server injects on the wire, too, have the server's names
(``exchange.server.fault_injection``).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from strikeloom.domain.instruments import FutureContract, OptionContract
from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest
from strikeloom.domain.quotes import Quote
from strikeloom.errors import RateLimited, Rejected, SettingsError, UnknownOutcome, Unreachable
from strikeloom.exchange.server.fault_injection import FaultKind
from strikeloom.ports.broker import Broker
from strikeloom.ports.feed import MarketFeed


class Fault(StrEnum):
    """Fault of one call."""

    NONE = "none"
    UNREACHABLE = "unreachable"  # the request never left
    TOO_MANY = FaultKind.TOO_MANY.value
    REJECTED = "rejected"
    REQUEST_LOST = FaultKind.REQUEST_LOST.value  # timed out, never arrived
    REPLY_LOST = FaultKind.REPLY_LOST.value  # timed out, and was carried out
    LATE_ORDER = FaultKind.LATE_ORDER.value  # reply lost, and missing from the book for a while


class Plan:
    """Faults of the calls to come, one a call.

    Parameters
    ----------
    script : sequence of Fault
        Used first, in order; ``NONE`` lets a call through.
    rates : mapping of Fault to float, optional
        After the script each call draws one with these probabilities.
    seed : int
    """

    def __init__(
        self,
        script: Sequence[Fault] = (),
        *,
        rates: Mapping[Fault, float] | None = None,
        seed: int = 0,
    ) -> None:
        self._script = deque(script)
        self._rates = dict(rates or {})
        total = sum(self._rates.values())
        if total > 1 or min(self._rates.values(), default=0.0) < 0:
            raise SettingsError(f"fault rates sum to {total:g}; expected 0 to 1", total=total)
        self._random = random.Random(seed)

    def draw(self) -> Fault:
        """Fault of the next call."""
        if self._script:
            return self._script.popleft()
        left = self._random.random()
        for fault, rate in self._rates.items():
            left -= rate
            if left < 0:
                return fault
        return Fault.NONE


class FaultyBroker:
    """``ports.broker.Broker`` around another one, failing by plan.

    Parameters
    ----------
    submits, cancels, looks : Plan, optional
        For placing, for cancelling and for each look at orders, fills, positions or funds.
    late_looks : int
        Looks at the book for which a ``LATE_ORDER`` order stays hidden.
    book_is_complete : bool, optional
        Default: as the wrapped broker; a plan with ``LATE_ORDER`` needs ``False``.

    Attributes
    ----------
    injected : list of tuple
        Calls and their faults, oldest first.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        submits: Plan | None = None,
        cancels: Plan | None = None,
        looks: Plan | None = None,
        late_looks: int = 2,
        book_is_complete: bool | None = None,
    ) -> None:
        self._broker = broker
        self._plans = {"submit": submits, "cancel": cancels, "look": looks}
        self._late_looks = late_looks
        self._hidden: dict[str, int] = {}
        self.name = broker.name
        self.reports_settlements = broker.reports_settlements
        self.book_is_complete = (
            broker.book_is_complete if book_is_complete is None else book_is_complete
        )
        self.injected: list[tuple[str, Fault]] = []

    def submit(self, request: OrderRequest) -> Order:
        """Place an order, unless the plan has it fail."""
        fault = self._before("submit", request.correlation_id)
        order = self._broker.submit(request)
        if fault is Fault.LATE_ORDER:
            self._hidden[order.order_id] = self._late_looks
        return self._answer(fault, order, request.correlation_id)

    def cancel(self, order_id: str) -> Order:
        """Cancel an order, unless the plan has it fail."""
        fault = self._before("cancel", order_id)
        return self._answer(fault, self._broker.cancel(order_id), order_id)

    def change_count(self) -> None:
        """Report no changes: whoever needs to know has to read."""

    def orders(self) -> list[Order]:
        """Orders of the wrapped broker, without those that are late."""
        self._before("look", "orders")
        hidden = set(self._hidden)
        self._hidden = {name: left - 1 for name, left in self._hidden.items() if left > 1}
        return [order for order in self._broker.orders() if order.order_id not in hidden]

    def fills(self) -> list[Fill]:
        """Fills of the wrapped broker, without those of orders that are late."""
        self._before("look", "fills")
        return [fill for fill in self._broker.fills() if fill.order_id not in self._hidden]

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        """Fills of earlier days of the wrapped broker."""
        self._before("look", "earlier fills")
        return self._broker.earlier_fills(orders)

    def positions(self) -> list[BrokerPosition]:
        """Positions of the wrapped broker."""
        self._before("look", "positions")
        return self._broker.positions()

    def funds(self) -> Funds:
        """Funds of the wrapped broker."""
        self._before("look", "funds")
        return self._broker.funds()

    def _before(self, call: str, what: str) -> Fault:
        """Draw the fault of a call, and raise it when it prevents the call."""
        plan = self._plans[call]
        fault = plan.draw() if plan else Fault.NONE
        if fault is not Fault.NONE:
            self.injected.append((call, fault))
        if fault is Fault.UNREACHABLE:
            raise Unreachable(f"{call} {what}: no connection (injected fault)")
        if fault is Fault.TOO_MANY:
            raise RateLimited(f"{call} {what}: too many requests (injected fault)")
        if fault is Fault.REJECTED:
            raise Rejected(f"{call} {what}: refused by the broker (injected fault)")
        if fault is Fault.REQUEST_LOST or (call == "look" and fault is not Fault.NONE):
            raise UnknownOutcome(f"{call} {what}: timed out (injected fault)")
        return fault

    def _answer(self, fault: Fault, order: Order, what: str) -> Order:
        if fault is Fault.NONE:
            return order
        raise UnknownOutcome(f"{what}: timed out after the broker had it (injected fault)")


class QuoteFault(StrEnum):
    """Fault of the quotes of a contract."""

    QUOTE_ABSENT = FaultKind.QUOTE_ABSENT.value
    QUOTE_ONE_SIDED = FaultKind.QUOTE_ONE_SIDED.value  # no bid
    QUOTE_CROSSED = FaultKind.QUOTE_CROSSED.value  # bid above ask
    QUOTE_STALE = FaultKind.QUOTE_STALE.value  # always the first quote seen
    QUOTE_THIN = "quote-thin"  # one lot a side
    STUCK_PARTIAL = FaultKind.STUCK_PARTIAL.value  # one lot a side, never refilled once taken


class FaultyFeed:
    """``ports.feed.MarketFeed`` around another one, with faulty quotes for some contracts."""

    def __init__(self, feed: MarketFeed, bad: Mapping[str, QuoteFault]) -> None:
        self._feed = feed
        self.bad = dict(bad)
        self._first: dict[str, Quote] = {}

    def quotes(self, contracts: Iterable[OptionContract]) -> dict[str, Quote]:
        """Quotes of the wrapped feed, with the faults injected."""
        wanted = {instrument.key: instrument for instrument in contracts}
        found = {}
        for key, quote in self._feed.quotes(wanted.values()).items():
            faulty = self._inject(quote, wanted[key].lot_size)
            if faulty is not None:
                found[key] = faulty
        return found

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Level of the wrapped feed."""
        return self._feed.spot(symbol)

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Last day of the wrapped feed."""
        return self._feed.last_day(symbol, expiry, since)

    def settlement(self, symbol: str, day: date) -> int | None:
        """Settlement of the wrapped feed."""
        return self._feed.settlement(symbol, day)

    def daily_settlement(self, future: FutureContract, day: date) -> int | None:
        """Settlement price of the wrapped feed."""
        return self._feed.daily_settlement(future, day)

    def _inject(self, quote: Quote, lot_size: int) -> Quote | None:
        kind = self.bad.get(quote.key)
        first = self._first.setdefault(quote.key, quote)
        if kind is QuoteFault.QUOTE_ABSENT:
            return None
        if kind is QuoteFault.QUOTE_STALE:
            return first
        if kind is QuoteFault.QUOTE_ONE_SIDED:
            return replace(quote, bid=None, bid_size=0)
        if kind is QuoteFault.QUOTE_CROSSED:
            return replace(quote, bid=quote.ask, ask=quote.bid)
        if kind in (QuoteFault.QUOTE_THIN, QuoteFault.STUCK_PARTIAL):
            shown = min(quote.bid_size, lot_size), min(quote.ask_size, lot_size)
            # taken units are stored by the moment of a quote: with the same moment they stay taken
            at = first.at if kind is QuoteFault.STUCK_PARTIAL else quote.at
            quote = replace(quote, bid_size=shown[0], ask_size=shown[1], at=at)
        return quote
