"""Intents for requests and decisions. ``trading`` sends them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from strikeloom.domain.counted import counted
from strikeloom.domain.instruments import Share
from strikeloom.domain.orders import OrderIntent
from strikeloom.domain.positions import ExitDecision, ExitRequest, Position, RequestState
from strikeloom.errors import GuardError, NoQuote
from strikeloom.trading.intents import Pricing, exit_intents


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """Outcome of a request: its new state and note, and the intents to record for it."""

    state: RequestState
    note: str
    intents: tuple[OrderIntent, ...] = ()


def targets_of(request: ExitRequest, position: Position) -> tuple[int, ...]:
    """Signed lots that a request leaves in each leg of a position as it is now.

    A request to exit everything includes legs that have filled since it was made; one to exit a
    part keeps them.
    """
    if not any(request.target_lots):
        return (0,) * len(position.legs)
    later = position.legs[len(request.target_lots) :]
    return (*request.target_lots, *(leg.net_lots for leg in later))


def answer_request(
    request: ExitRequest,
    position: Position,
    pricing: Callable[[], Pricing],
    *,
    recorded: bool,
    working: bool,
) -> RequestOutcome:
    """Intents for a pending request, or the reason why there are none.

    A temporary reason (working orders, a missing price) leaves the request pending with a
    note; any other reason closes it. A request to exit everything holds for whatever is open
    by then; one to exit a part was meant for what was on the screen.

    Parameters
    ----------
    pricing : callable
        Reads present prices; called only when intents are made.
    recorded : bool
        Intents of this request are in the store: a process has recorded them and ended before
        it could update the request.
    working : bool
        The position has orders still to be filled.
    """
    if recorded:
        return RequestOutcome(RequestState.ACCEPTED, "orders recorded")
    exits_all = not any(request.target_lots)
    if request.revision != position.revision and not (exits_all and position.is_open):
        text = "changed" if position.is_open else "closed"
        return RequestOutcome(RequestState.STALE, f"the position had {text} before")
    if working:
        return RequestOutcome(RequestState.PENDING, "waits for the orders at work")
    return _prepared(request, position, pricing)


def _prepared(
    request: ExitRequest, position: Position, pricing: Callable[[], Pricing]
) -> RequestOutcome:
    try:
        why = f"asked by {request.who}"
        intents = exit_intents(pricing(), position, targets_of(request, position), why)
    except NoQuote as error:
        return RequestOutcome(RequestState.PENDING, f"waits: {error}")
    except GuardError as error:
        return RequestOutcome(RequestState.REFUSED, str(error))
    if not intents:
        waits = _waits(position, pricing().snapshot.at.date())
        text = waits or f"nothing to do: the target is met{_rest(position)}"
        return RequestOutcome(RequestState.DONE, text)
    return RequestOutcome(RequestState.ACCEPTED, "orders recorded", tuple(intents))


def decided_exit(pricing: Pricing, position: Position, decision: ExitDecision) -> list[OrderIntent]:
    """Intents for a firing rule.

    Raises
    ------
    GuardError, NoQuote
        When the position cannot be exited now.
    """
    why = f"{decision.rule}: {decision.sentence}"
    return exit_intents(pricing, position, decision.target_lots, why)


def can_order(position: Position, target_lots: Sequence[int], day: date) -> bool:
    """Whether an order on a day can bring some leg nearer to its target."""
    return any(
        leg.order_lots and leg.net_lots != target and not leg.has_ended(day)
        for leg, target in zip(position.legs, target_lots, strict=True)
    )


def progress_of(
    request: ExitRequest, position: Position, ended: Sequence[OrderIntent] | None, day: date
) -> RequestOutcome:
    """Progress of an accepted request.

    Parameters
    ----------
    day : datetime.date
        Today: a contract that ended before waits for its settlement, and for no order.
    ended : sequence of OrderIntent, optional
        Its intents that ended or were refused; ``None`` while orders are working.
    """
    targets = targets_of(request, position)
    if _is_met(position, targets, day):
        text = "reduced as asked" if position.is_open else "closed"
        waits = _waits(position, day)
        return RequestOutcome(
            RequestState.DONE, f"{text}{_rest(position)}{f'; {waits}' if waits else ''}"
        )
    if ended is None:
        return RequestOutcome(RequestState.ACCEPTED, _progress(position, targets))
    notes = [intent.note for intent in ended if intent.note]
    text = notes[-1] if notes else "the orders ended before the target was met"
    return RequestOutcome(RequestState.REFUSED, text)


def _rest(position: Position) -> str:
    odd = sum(abs(leg.odd_units) for leg in position.legs)
    owed = sum(-leg.net_units for leg in position.legs if leg.is_owed)
    text = f"; {odd} units make no whole lot and stay until expiry" if odd else ""
    return f"{text}; the exchange buys in the {owed} shares that are lacking" if owed else text


def _waits(position: Position, day: date) -> str:
    """Which contracts have ended and wait for their settlement; empty when none does."""
    names = [leg.instrument.label for leg in position.legs if leg.net_units and leg.has_ended(day)]
    return f"{', '.join(names)} ended and waits for its settlement" if names else ""


def _is_met(position: Position, target_lots: Sequence[int], day: date) -> bool:
    """Whether every leg holds no more than its target; it may hold less (expiry, exit rule)."""
    return all(
        leg.has_ended(day) or abs(leg.order_lots) <= abs(target)
        for leg, target in zip(position.legs, target_lots, strict=True)
    )


def _progress(position: Position, target_lots: Sequence[int]) -> str:
    left = sum(
        abs(leg.net_lots - target)
        for leg, target in zip(position.legs, target_lots, strict=True)
        if leg.order_lots and not isinstance(leg.instrument, Share)
    )
    shares = sum(
        leg.net_units - target
        for leg, target in zip(position.legs, target_lots, strict=True)
        if leg.order_lots and isinstance(leg.instrument, Share)
    )
    parts = [f"{left} lots"] * bool(left or not shares) + [counted(shares, "share")] * bool(shares)
    return f"orders at work, {' and '.join(parts)} to go"
