"""A broker with a truth of its own, whose word comes late, in part or not at all.

What it holds is the truth. What it says of an order may be lost, hidden from the book, or lack
trades that are told later. Only its positions are always true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from strikeloom.domain.orders import (
    BrokerPosition,
    Fill,
    Funds,
    Order,
    OrderRequest,
    OrderState,
)
from strikeloom.errors import BrokerError, RateLimited, Rejected, UnknownOutcome
from strikeloom.ports.clock import Clock


@dataclass
class Slip:
    """One order as it really is."""

    request: OrderRequest
    number: str
    at: datetime
    hidden: bool = False
    live: bool = True
    trades: list[tuple[int, bool]] = field(default_factory=list)  # units, told

    @property
    def filled(self) -> int:
        return sum(units for units, _ in self.trades)

    @property
    def told(self) -> int:
        return sum(units for units, told in self.trades if told)

    @property
    def left(self) -> int:
        return self.request.units - self.filled if self.live else 0


class WaywardBroker:
    """``ports.broker.Broker`` of one contract's orders; see the module."""

    name = "wayward"
    book_is_complete = False
    reports_settlements = False

    def __init__(self, clock: Clock, held: dict[str, int]) -> None:
        self.clock = clock
        self.held = dict(held)
        self.slips: list[Slip] = []
        self.next_submit: list[str] = []
        self.next_cancel: list[str] = []
        self.doubled: list[str] = []

    def submit(self, request: OrderRequest) -> Order:
        how = self.next_submit.pop(0) if self.next_submit else "taken"
        if how == "too fast":
            raise RateLimited("slow down")
        if how == "refused":
            raise Rejected("no")
        for slip in self.slips:  # what was hidden so long came to nothing more
            slip.live = slip.live and not slip.hidden
        out = sum(s.left for s in self.live())
        key = request.contract.key
        if request.units + out > abs(self.held[key]):
            self.doubled.append(f"{request.units} + {out} at work, {self.held[key]} held")
        if how == "lost":
            raise UnknownOutcome("no answer, never arrived")
        slip = Slip(request, f"W{len(self.slips) + 1}", self.clock.now(), hidden=how == "hidden")
        self.slips.append(slip)
        if how in ("hidden", "unanswered"):
            raise UnknownOutcome("no answer")
        return self._order(slip)

    def cancel(self, order_id: str) -> Order:
        slip = next(s for s in self.slips if s.number == order_id)
        how = self.next_cancel.pop(0) if self.next_cancel else "done"
        if how == "refused":
            raise Rejected("not now")
        if how == "lost":
            raise UnknownOutcome("no answer")
        slip.live = False
        if how == "unanswered":
            raise UnknownOutcome("no answer")
        return self._order(slip)

    def trade(self, slip: Slip, units: int, *, told: bool) -> None:
        """A fill, whether or not the order still lives on record."""
        slip.trades.append((units, told))
        self.held[slip.request.contract.key] += int(slip.request.side) * units
        if slip.filled == slip.request.units:
            slip.live = False

    def live(self) -> list[Slip]:
        return [slip for slip in self.slips if slip.live]

    def tell_all(self) -> None:
        """Everything shows from now on."""
        for slip in self.slips:
            slip.hidden = False
            slip.trades = [(units, True) for units, _ in slip.trades]
        self.next_submit, self.next_cancel = [], []

    def change_count(self) -> None:
        return None

    def orders(self) -> list[Order]:
        return [self._order(s) for s in self.slips if not s.hidden and self._is_of_today(s)]

    def fills(self) -> list[Fill]:
        return self._fills([s for s in self.slips if self._is_of_today(s)])

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        numbers = {order.order_id for order in orders}
        past = [s for s in self.slips if not self._is_of_today(s)]
        return self._fills([s for s in past if s.number in numbers])

    def _is_of_today(self, slip: Slip) -> bool:
        return slip.at.date() == self.clock.now().date()

    def _fills(self, slips: Sequence[Slip]) -> list[Fill]:
        return [
            Fill(f"{s.number}-{n}", s.number, s.request.correlation_id, s.request.contract.key,
                 s.request.side, units, s.request.limit, 0, s.at)
            for s in slips if not s.hidden
            for n, (units, told) in enumerate(s.trades) if told
        ]  # fmt: skip

    def positions(self) -> list[BrokerPosition]:
        return [BrokerPosition(key, units) for key, units in self.held.items() if units]

    def funds(self) -> Funds:
        raise BrokerError("no word on money")

    def _order(self, slip: Slip) -> Order:
        request = slip.request
        state = OrderState.PENDING if slip.live else OrderState.CANCELLED
        if slip.told == request.units:
            state = OrderState.TRADED
        elif slip.live and slip.told:
            state = OrderState.PART_TRADED
        made = Order(
            slip.number, request.correlation_id, request.contract.key, request.side,
            request.units, slip.told, request.limit, state, "", self.clock.now(),
        )  # fmt: skip
        return replace(made)
