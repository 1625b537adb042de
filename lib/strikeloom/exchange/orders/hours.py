"""When the exchange takes orders, and when one given after hours goes there."""

from __future__ import annotations

from datetime import datetime, timedelta

from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import AmoTime
from strikeloom.exchange.orders.validation import EXCHANGE, ORDER, OrderRefusal
from strikeloom.nse.sessions import is_trading_day, next_trading_day, session


def is_open(now: datetime) -> bool:
    """Whether the market trades continuously at a moment."""
    day = now.date()
    if not is_trading_day(day):
        return False
    hours = session(day)
    return hours.open <= now <= hours.close


def release_moment(now: datetime, at: AmoTime) -> datetime:
    """When an order given now goes to the exchange: with the next session that opens."""
    day = now.date()
    if not is_trading_day(day) or now >= session(day).open:
        day = next_trading_day(day)
    return session(day).open + timedelta(minutes=at.minutes)


def hours_refusal(order: BookOrder, now: datetime) -> OrderRefusal | None:
    """Plain orders need an open market, orders given after the market a closed one."""
    if order.release_at is None:
        if is_open(now):
            return None
        return OrderRefusal(EXCHANGE, f"the market is closed at {now:%Y-%m-%d %H:%M}")
    if order.waits_for_release and is_open(now):
        return OrderRefusal(ORDER, "orders after the market are taken while the market is closed")
    return None
