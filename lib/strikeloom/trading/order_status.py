"""What the broker's order book says of an intent. Pure: nothing is read or written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strikeloom.domain.orders import IntentState, Order, OrderIntent, OrderState
from strikeloom.trading.account_state import AccountState

#: States of an intent whose order may change at the broker.
WATCHED = frozenset({IntentState.SENDING, IntentState.WORKING, IntentState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be written of one intent.

    Attributes
    ----------
    to : IntentState or None
        New state; ``None`` leaves it as it is.
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
class Silence:
    """How long the broker has not reported an order, and what that proves.

    Attributes
    ----------
    book_is_complete : bool
        The order book names every accepted order.
    waited, wait : float
        Seconds of the desk's time since the intent changed, and until silence counts.
    held : mapping of str to int
        Net units by contract at the broker.
    """

    book_is_complete: bool
    waited: float
    wait: float
    held: Mapping[str, int]


def outcome(
    intent: OrderIntent, book: Sequence[Order], state: AccountState, silence: Silence
) -> Outcome:
    """What the order book says of a sent intent.

    Parameters
    ----------
    book : sequence of Order
        Orders of the broker's book with the intent's correlation id.
    state : AccountState
        With the fills that were reported.
    """
    filled = state.filled.get(intent.correlation_id, 0)
    doubled: tuple[str, ...] = ()
    if len(book) > 1:
        text = f"{intent.correlation_id} is {len(book)} times in the order book"
        doubled = ("critical", text)
    if filled >= intent.units:
        return Outcome(IntentState.FILLED, alert=doubled)
    if not book:
        return _absent(intent, filled, state, silence)
    if all(order.state.terminal for order in book):
        if sum(order.filled_units for order in book) > filled:
            return Outcome(alert=doubled)  # the book is ahead of the trades; fills will come
        rejected = book[-1].state is OrderState.REJECTED and not filled
        to = IntentState.REFUSED if rejected else IntentState.ENDED
        return Outcome(to, book[-1].reason, doubled)
    if intent.state is not IntentState.WORKING:
        return Outcome(IntentState.WORKING, "found in the order book", doubled)
    return Outcome(alert=doubled)


def _absent(intent: OrderIntent, filled: int, state: AccountState, silence: Silence) -> Outcome:
    """Not found is not absence: it takes a complete book, or silence for the stated wait."""
    name = intent.correlation_id
    known = state.orders_of(name)
    today = state.at.date()
    over = bool(known) and intent.created_at.date() < today
    patient = silence.book_is_complete or silence.waited >= silence.wait
    partly = filled and not over  # it traded, so it is there; unless its day is behind us
    # the broker gave it a number today: then it is there, shown or not
    answered = any(not o.state.terminal and o.updated_at.date() == today for o in known)
    if not patient or partly or answered or intent.state is IntentState.WORKING:
        if intent.state is IntentState.UNKNOWN:
            return Outcome(unresolved=True)
        return Outcome(
            IntentState.UNKNOWN,
            "not in the order book",
            ("critical", f"{name}: status unknown, it is not in the broker's order book"),
            unresolved=True,
        )
    key = intent.contract.key
    agrees = silence.held.get(key, 0) == state.net_units().get(key, 0)
    if not silence.book_is_complete and not agrees:
        return Outcome(unresolved=True)
    end = "ended with its day" if known else "never reached the broker"
    return Outcome(
        IntentState.ENDED,
        end,
        ("warning", f"{name} {end}: not in book, trades or positions"),
        lost=True,
    )
