"""Status of an intent according to the broker's order book. Pure: reads and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strikeloom.domain.orders import IntentState, Order, OrderIntent, OrderState
from strikeloom.trading.account_state import AccountState

#: States of an intent whose order may change at the broker.
WATCHED = frozenset({IntentState.SENDING, IntentState.WORKING, IntentState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """What to record for one intent.

    Attributes
    ----------
    to : IntentState or None
        New state; ``None`` leaves it unchanged.
    alert : tuple of str
        Level and text of an alert; empty when there is none.
    unresolved, lost : bool
        As in ``AccountState``.
    """

    to: IntentState | None = None
    note: str = ""
    alert: tuple[str, ...] = ()
    unresolved: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class AbsenceCheck:
    """What decides whether an order that the broker does not list never reached it.

    Attributes
    ----------
    book_is_complete : bool
        The order book names every accepted order.
    waited, wait : float
        Seconds of the desk's time since the intent changed, and to wait before absence counts.
    held : mapping of str to int
        Net units by contract at the broker.
    """

    book_is_complete: bool
    waited: float
    wait: float
    held: Mapping[str, int]


def awaits_report(state: AccountState, intent: OrderIntent) -> bool:
    """Whether the broker still has to report something of an intent that was sent.

    Its status, or the trades of an order that has ended: the order book may be ahead of the
    trade list, and no further update need come.
    """
    if intent.state in (IntentState.SENDING, IntentState.UNKNOWN):
        return True
    orders = state.orders_of(intent.correlation_id)
    ended = bool(orders) and all(order.state.terminal for order in orders)
    return intent.state is IntentState.WORKING and ended


def outcome(
    intent: OrderIntent, book: Sequence[Order], state: AccountState, check: AbsenceCheck
) -> OrderOutcome:
    """Outcome of a sent intent according to the order book.

    Parameters
    ----------
    book : sequence of Order
        Orders of the broker's book with the intent's correlation id.
    state : AccountState
        State with the fills reported so far.
    """
    filled = state.filled.get(intent.correlation_id, 0)
    duplicate: tuple[str, ...] = ()
    if len(book) > 1:
        text = f"{intent.correlation_id} is {len(book)} times in the order book"
        duplicate = ("critical", text)
    if filled >= intent.units:
        return OrderOutcome(IntentState.FILLED, alert=duplicate)
    if not book:
        return _absent_outcome(intent, filled, state, check)
    if all(order.state.terminal for order in book):
        if sum(order.filled_units for order in book) > filled:
            return OrderOutcome(alert=duplicate)  # not all fills are reported yet
        rejected = book[-1].state is OrderState.REJECTED and not filled
        to = IntentState.REFUSED if rejected else IntentState.ENDED
        return OrderOutcome(to, book[-1].reason, duplicate)
    if intent.state is not IntentState.WORKING:
        return OrderOutcome(IntentState.WORKING, "found in the order book", duplicate)
    return OrderOutcome(alert=duplicate)


def _absent_outcome(
    intent: OrderIntent, filled: int, state: AccountState, check: AbsenceCheck
) -> OrderOutcome:
    """Outcome of an order that is not in the book.

    It counts as absent only in a complete book, or after the stated wait.
    """
    name = intent.correlation_id
    known = state.orders_of(name)
    today = state.at.date()
    over = bool(known) and intent.created_at.date() < today
    conclusive = check.book_is_complete or check.waited >= check.wait
    partly = filled and not over  # it traded, so it reached the broker; except when its day is over
    # the broker gave it a number today, so it reached the broker, listed or not
    numbered = any(not o.state.terminal and o.updated_at.date() == today for o in known)
    if not conclusive or partly or numbered or intent.state is IntentState.WORKING:
        if intent.state is IntentState.UNKNOWN:
            return OrderOutcome(unresolved=True)
        return OrderOutcome(
            IntentState.UNKNOWN,
            "not in the order book",
            ("critical", f"{name}: status unknown, it is not in the broker's order book"),
            unresolved=True,
        )
    key = intent.instrument.key
    agrees = check.held.get(key, 0) == state.net_units().get(key, 0)
    if not check.book_is_complete and not agrees:
        return OrderOutcome(unresolved=True)
    end = "ended with its day" if known else "never reached the broker"
    return OrderOutcome(
        IntentState.ENDED,
        end,
        ("warning", f"{name} {end}: not in book, trades or positions"),
        lost=True,
    )
