"""Validation of conditional orders: their legs as requested, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from strikeloom.domain.orders import Validity
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.exchange.conditional.records import STOP, TARGET, ConditionalLeg, ConditionalOrder
from strikeloom.exchange.orders.request import OrderType, Placement
from strikeloom.exchange.orders.validation import INPUT, ORDER, OrderRefusal, input_refusal


@dataclass(frozen=True, slots=True)
class SuperTerms:
    """Exits of a super order in paise; 0 is none. ``jump``: the stop follows by so much."""

    target: int = 0
    stop: int = 0
    jump: int = 0


def raise_refusal(why: OrderRefusal | None) -> None:
    """Raise a refusal, if there is one.

    Raises
    ------
    Rejected
        With the code of the refusal.
    """
    if why is not None:
        raise Rejected(why.reason, code=why.code)


def super_refusal(entry: Placement, terms: SuperTerms) -> OrderRefusal | None:
    """Why a super order is refused."""
    side, tick = int(entry.side), entry.instrument.tick
    if entry.order_type not in (OrderType.LIMIT, OrderType.MARKET):
        return OrderRefusal(INPUT, "the entry of a super order is LIMIT or MARKET")
    if not terms.target and not terms.stop:
        return OrderRefusal(INPUT, "a super order needs a target price or a stop-loss price")
    if terms.jump and not terms.stop:
        return OrderRefusal(INPUT, "a trailing jump needs a stop-loss price")
    for name, price in (
        ("target price", terms.target),
        ("stop-loss price", terms.stop),
        ("trailing jump", terms.jump),
    ):
        if price % tick:
            return OrderRefusal(
                ORDER, f"{name} {price / 100:.2f} is not on the tick {tick / 100:.2f}"
            )
    price = entry.limit if entry.order_type is OrderType.LIMIT else 0
    steps = [step for step in (terms.stop, price, terms.target) if step]
    if any((later - before) * side <= 0 for before, later in pairwise(steps)):
        side_text = "below" if side > 0 else "above"
        return OrderRefusal(
            INPUT,
            f"the stop-loss must be {side_text} the price, and the price {side_text} the target",
        )
    return None


def exits_refusal(item: ConditionalOrder, changed: ConditionalLeg) -> OrderRefusal | None:
    """What is wrong with an exit as it would be: its tick, or that it lies beyond the other."""
    tick, price = changed.placement.instrument.tick, changed.trigger
    if price <= 0 or price % tick or changed.jump % tick:
        return OrderRefusal(ORDER, f"{changed.name}: the price must be positive and on the tick")
    legs = {leg.name: leg for leg in item.legs} | {changed.name: changed}
    if len(legs) < 2:
        return None
    side = int(changed.placement.side.opposite)
    if (legs[TARGET].trigger - legs[STOP].trigger) * side <= 0:
        return OrderRefusal(ORDER, "the stop-loss price must not lie beyond the target price")
    return None


def super_legs(entry: Placement, terms: SuperTerms) -> tuple[ConditionalLeg, ...]:
    """Exits of an entry: a limit at the target, a protected market order at the stop."""
    out = Placement(entry.instrument, entry.side.opposite, 0, product=entry.product)
    rises, legs = int(entry.side) > 0, []
    if terms.target:
        legs.append(ConditionalLeg(TARGET, replace(out, limit=terms.target), terms.target, rises))
    if terms.stop:
        market = replace(out, order_type=OrderType.MARKET)
        legs.append(ConditionalLeg(STOP, market, terms.stop, not rises, terms.jump))
    return tuple(legs)


def forever_legs(
    waits: Sequence[tuple[Placement, int]], last: int | None, day: date
) -> tuple[ConditionalLeg, ...]:
    """Legs of a forever order; which way a trigger is reached follows from the last price.

    Raises
    ------
    Rejected
        When something is missing or wrong (fact ``code``).
    """
    if last is None:
        raise Rejected("no price is known, so the side of the trigger is not either", code=ORDER)
    for what, trigger in waits:
        raise_refusal(input_refusal(what, day) or _forever_refusal(what, trigger))
    names = (TARGET, STOP)[: len(waits)]
    legs = tuple(
        ConditionalLeg(name, what, trigger, trigger >= last)
        for name, (what, trigger) in zip(names, waits, strict=True)
    )
    if len({leg.rises for leg in legs}) < len(legs):
        raise Rejected(
            f"the triggers of an OCO order must lie on both sides of the last price "
            f"{last / 100:.2f}",
            code=ORDER,
        )
    return legs


def _forever_refusal(what: Placement, trigger: int) -> OrderRefusal | None:
    tick = what.instrument.tick
    if what.product is Product.INTRADAY:
        return OrderRefusal(INPUT, f"a forever order is carried over nights, not {what.product}")
    if what.order_type not in (OrderType.LIMIT, OrderType.MARKET):
        return OrderRefusal(INPUT, "a forever order is LIMIT or MARKET")
    if what.validity not in (Validity.DAY, Validity.IOC) or what.after_market:
        return OrderRefusal(INPUT, "a forever order is for the market's hours")
    if what.units % what.instrument.lot_size:
        return OrderRefusal(ORDER, f"quantity {what.units} is no multiple of the lot")
    limit = what.limit if what.order_type is OrderType.LIMIT else tick
    if trigger <= 0 or trigger % tick or limit <= 0 or limit % tick:
        return OrderRefusal(ORDER, "price and trigger price must be positive and on the tick")
    return None


def alert_legs(orders: Sequence[Placement], day: date) -> tuple[ConditionalLeg, ...]:
    """Orders of an alert as its legs.

    Raises
    ------
    Rejected
        When there is none, or one is no order (fact ``code``).
    """
    if not orders:
        raise Rejected("an alert needs an order to place", code=INPUT)
    for order in orders:
        raise_refusal(input_refusal(order, day))
    return tuple(ConditionalLeg(f"ORDER_{n}", order) for n, order in enumerate(orders, 1))
