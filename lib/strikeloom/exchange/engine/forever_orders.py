"""Placing and changing forever orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from strikeloom.domain.instruments import Instrument, Share
from strikeloom.errors import Rejected
from strikeloom.exchange.conditional.records import ConditionalKind, ConditionalOrder
from strikeloom.exchange.conditional.validation import forever_legs
from strikeloom.exchange.engine.conditional import ConditionalOrders, ConditionalStatus
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.orders.validation import INPUT
from strikeloom.exchange.session.session import TradingSession

_SHARES_LAST = timedelta(days=365)  # the broker's validity of an order for shares


class ForeverOrders:
    """Forever orders of one account; errors as of ``ConditionalOrders``."""

    def __init__(self, session: TradingSession, conditional: ConditionalOrders) -> None:
        self._market = session.market
        self._records = session.account.conditional
        self._conditional = conditional

    def place(self, waits: Sequence[tuple[Placement, int]]) -> ConditionalStatus:
        """Place one order that waits for its trigger (paise), or two of which one goes out."""
        with self._conditional.transaction() as now:
            first = waits[0][0]
            item = ConditionalOrder(
                0, ConditionalKind.FOREVER, first.correlation_id,
                forever_legs(waits, self._market.last_known(first.instrument, now), now.date()),
                _last_day(first.instrument, now.date()), now, now,
            )  # fmt: skip
            return self._conditional.status(self._records.add(item))

    def change(self, number: int, name: str, change: Placement, trigger: int) -> ConditionalStatus:
        """Change one leg of a forever order that still waits."""
        with self._conditional.transaction() as now:
            item = self._conditional.item(ConditionalKind.FOREVER, number, active=True)
            if item.leg(name) is None:
                raise Rejected(f"the order has no {name}", code=INPUT)
            waits = [
                (change, trigger) if leg.name == name else (leg.placement, leg.trigger)
                for leg in item.legs
            ]
            last = self._market.last_known(change.instrument, now)
            legs = forever_legs(waits, last, now.date())
            after = self._records.save(replace(item, legs=legs, updated_at=now))
            return self._conditional.status(after)


def _last_day(instrument: Instrument, day: date) -> date:
    return day + _SHARES_LAST if isinstance(instrument, Share) else instrument.expiry
