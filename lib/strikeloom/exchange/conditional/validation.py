"""Forms of standing orders: legs of what was asked, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from strikeloom.domain.orders import Validity
from strikeloom.errors import Rejected
from strikeloom.exchange.conditional.records import STOP, TARGET, Leg, Standing
from strikeloom.exchange.orders.request import OrderType, Placement, Product
from strikeloom.exchange.orders.validation import INPUT, ORDER, Refusal, input_refusal


@dataclass(frozen=True, slots=True)
class SuperTerms:
    """Exits of a super order in paise; 0 is none. ``jump``: the stop follows by so much."""

    target: int = 0
    stop: int = 0
    jump: int = 0


def refuse(why: Refusal | None) -> None:
    """Raise what was refused.

    Raises
    ------
    Rejected
        With the code of the refusal.
    """
    if why is not None:
        raise Rejected(why.reason, code=why.code)


def super_refusal(entry: Placement, terms: SuperTerms) -> Refusal | None:
    """What makes no super order."""
    side, tick = int(entry.side), entry.contract.tick
    if entry.order_type not in (OrderType.LIMIT, OrderType.MARKET):
        return Refusal(INPUT, "the entry of a super order is LIMIT or MARKET")
    if not terms.target and not terms.stop:
        return Refusal(INPUT, "a super order needs a target price or a stop-loss price")
    if terms.jump and not terms.stop:
        return Refusal(INPUT, "a trailing jump needs a stop-loss price")
    for name, price in (
        ("target price", terms.target),
        ("stop-loss price", terms.stop),
        ("trailing jump", terms.jump),
    ):
        if price % tick:
            return Refusal(ORDER, f"{name} {price / 100:.2f} is not on the tick {tick / 100:.2f}")
    price = entry.limit if entry.order_type is OrderType.LIMIT else 0
    steps = [step for step in (terms.stop, price, terms.target) if step]
    if any((later - before) * side <= 0 for before, later in pairwise(steps)):
        words = "below" if side > 0 else "above"
        return Refusal(
            INPUT, f"the stop-loss must be {words} the price, and the price {words} the target"
        )
    return None


def exits_refusal(item: Standing, changed: Leg) -> Refusal | None:
    """What is wrong with an exit as it would be: its tick, or that it lies beyond the other."""
    tick, price = changed.placement.contract.tick, changed.trigger
    if price <= 0 or price % tick or changed.jump % tick:
        return Refusal(ORDER, f"{changed.name}: the price must be positive and on the tick")
    legs = {leg.name: leg for leg in item.legs} | {changed.name: changed}
    if len(legs) < 2:
        return None
    side = int(changed.placement.side.opposite)
    if (legs[TARGET].trigger - legs[STOP].trigger) * side <= 0:
        return Refusal(ORDER, "the stop-loss price must not lie beyond the target price")
    return None


def super_legs(entry: Placement, terms: SuperTerms) -> tuple[Leg, ...]:
    """Exits of an entry: a limit at the target, a protected market order at the stop."""
    out = Placement(entry.contract, entry.side.opposite, 0, product=entry.product)
    rises, legs = int(entry.side) > 0, []
    if terms.target:
        legs.append(Leg(TARGET, replace(out, limit=terms.target), terms.target, rises))
    if terms.stop:
        market = replace(out, order_type=OrderType.MARKET)
        legs.append(Leg(STOP, market, terms.stop, not rises, terms.jump))
    return tuple(legs)


def forever_legs(
    waits: Sequence[tuple[Placement, int]], last: int | None, day: date
) -> tuple[Leg, ...]:
    """Legs of a forever order; which way a trigger is reached follows from the last price.

    Raises
    ------
    Rejected
        When something is missing or wrong (fact ``code``).
    """
    if last is None:
        raise Rejected("no price is known to tell on which side the trigger lies", code=ORDER)
    for what, trigger in waits:
        refuse(input_refusal(what, day) or _forever_refusal(what, trigger))
    names = (TARGET, STOP)[: len(waits)]
    legs = tuple(
        Leg(name, what, trigger, trigger >= last)
        for name, (what, trigger) in zip(names, waits, strict=True)
    )
    if len({leg.rises for leg in legs}) < len(legs):
        raise Rejected(
            f"the triggers of an OCO order must lie on both sides of the last price "
            f"{last / 100:.2f}",
            code=ORDER,
        )
    return legs


def _forever_refusal(what: Placement, trigger: int) -> Refusal | None:
    tick = what.contract.tick
    if what.product is not Product.MARGIN:
        return Refusal(INPUT, f"a forever order is carried over nights, not {what.product}")
    if what.order_type not in (OrderType.LIMIT, OrderType.MARKET):
        return Refusal(INPUT, "a forever order is LIMIT or MARKET")
    if what.validity not in (Validity.DAY, Validity.IOC) or what.after_market:
        return Refusal(INPUT, "a forever order is for the market's hours")
    if what.units % what.contract.lot_size:
        return Refusal(ORDER, f"quantity {what.units} is no multiple of the lot")
    limit = what.limit if what.order_type is OrderType.LIMIT else tick
    if trigger <= 0 or trigger % tick or limit <= 0 or limit % tick:
        return Refusal(ORDER, "price and trigger price must be positive and on the tick")
    return None


def alert_legs(orders: Sequence[Placement], day: date) -> tuple[Leg, ...]:
    """Orders of an alert as its legs.

    Raises
    ------
    Rejected
        When there is none, or one is no order (fact ``code``).
    """
    if not orders:
        raise Rejected("an alert needs an order to place", code=INPUT)
    for order in orders:
        refuse(input_refusal(order, day))
    return tuple(Leg(f"ORDER_{n}", order) for n, order in enumerate(orders, 1))
