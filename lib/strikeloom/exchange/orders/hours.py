"""When the exchange takes orders, and when one given after hours goes there."""

from __future__ import annotations

from datetime import datetime, timedelta

from strikeloom.domain.instruments import Instrument, Share
from strikeloom.errors import UnknownSession
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import AmoTime
from strikeloom.exchange.orders.validation import EXCHANGE, ORDER, OrderRefusal
from strikeloom.nse.cash_hours import continuous_until, shares_closed_text
from strikeloom.nse.edges import beginning, expected_after, is_expected, is_open
from strikeloom.nse.sessions import session

__all__ = ["hours_refusal", "is_open", "is_traded", "open_markets", "release_moment"]


def open_markets(now: datetime) -> tuple[bool, bool]:
    """Whether contracts, and whether shares, trade continuously: shares may end before.

    Their closing auction is not played.
    """
    contracts = is_open(now)
    return contracts, contracts and now <= continuous_until(now.date())


def is_traded(instrument: Instrument, now: datetime) -> bool:
    """Whether an instrument trades continuously."""
    contracts, shares = open_markets(now)
    return shares if isinstance(instrument, Share) else contracts


def release_moment(now: datetime, at: AmoTime) -> datetime:
    """When an order given now goes to the exchange: with the next session of known hours."""
    day = now.date()
    if not is_expected(day) or now >= beginning(day):
        day = expected_after(day)
    while True:
        try:
            return session(day).open + timedelta(minutes=at.minutes)
        except UnknownSession:
            day = expected_after(day)


def hours_refusal(order: BookOrder, now: datetime) -> OrderRefusal | None:
    """Plain orders need an open market, orders given after the market a closed one."""
    if order.release_at is None:
        if is_traded(order.instrument, now):
            return None
        if is_open(now):
            return OrderRefusal(EXCHANGE, shares_closed_text(now))
        return OrderRefusal(EXCHANGE, f"the market is closed at {now:%Y-%m-%d %H:%M}")
    if order.waits_for_release and is_open(now):
        return OrderRefusal(ORDER, "orders after the market are taken while the market is closed")
    return None
