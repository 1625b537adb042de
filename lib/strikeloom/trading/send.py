"""Send one intent: check guards, mark it SENDING under the send lock, record the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass

from strikeloom.domain.orders import IntentState, OrderIntent, OrderRequest, OrderState
from strikeloom.errors import (
    GuardError,
    LeaseTaken,
    RateLimited,
    Rejected,
    UnknownOutcome,
    Unreachable,
)
from strikeloom.nse.products import carried_product
from strikeloom.ports.desk import Desk
from strikeloom.trading.guard_context import GuardContext
from strikeloom.trading.guards import check
from strikeloom.trading.lease import Lease


@dataclass
class OrderRateLimiter:
    """Limit of orders per second of real time; one instance per holder of the send lock."""

    per_second: float
    _last: float = 0.0

    def wait(self) -> None:
        """Sleep until the next order may be sent."""
        due = self._last + 1 / self.per_second
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        self._last = max(now, due)


def send(
    desk: Desk,
    lease: Lease,
    intent: OrderIntent,
    limiter: OrderRateLimiter,
    context: GuardContext,
) -> None:
    """Send a NEW intent. The outcome is recorded in the store.

    Raises
    ------
    LeaseTaken
        When the lease no longer holds the send lock; nothing was sent.
    """
    move = desk.store.move_intent
    name = intent.correlation_id
    try:
        check(intent, context)
    except GuardError as error:
        move(
            name,
            expected={IntentState.NEW},
            to=IntentState.REFUSED,
            note=str(error),
            at=desk.clock.now(),
        )
        return
    sending = move(
        name,
        expected={IntentState.NEW},
        to=IntentState.SENDING,
        at=desk.clock.now(),
        lease=lease.token,
    )
    if not sending:
        raise LeaseTaken(
            f"{name} was not sent: another process holds the send lock of {desk.account}"
        )
    if not desk.broker.book_is_complete:
        limiter.wait()
    _submit(desk, intent)


def _submit(desk: Desk, intent: OrderIntent) -> None:
    request = OrderRequest(
        intent.correlation_id,
        intent.instrument,
        intent.side,
        intent.units,
        intent.limit,
        carried_product(intent.instrument),  # what a strategy holds is held over nights
    )
    expected = {IntentState.SENDING}
    name, store = intent.correlation_id, desk.store

    def move(to: IntentState, note: str) -> None:
        store.move_intent(name, expected=expected, to=to, note=note, at=desk.clock.now())

    try:
        order = desk.broker.submit(request)
    except Rejected as error:
        move(IntentState.REFUSED, str(error))
    except (RateLimited, Unreachable) as error:
        move(IntentState.NEW, f"not sent: {error}")
    except UnknownOutcome as error:
        move(IntentState.UNKNOWN, str(error))
    else:
        store.record_order(order)
        # an intent becomes FILLED when reconciliation records its fills
        if order.state is OrderState.REJECTED:
            move(IntentState.REFUSED, order.reason)
        else:
            move(IntentState.WORKING, "")
