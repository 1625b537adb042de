"""Trades of earlier days, for orders that were not read before their day ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from strikeloom.adapters.dhan.account_rows import by_trade_number, past_fill_of
from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.errors import call_checked
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.domain.orders import Fill, Order
from strikeloom.errors import BrokerError

_MOST_PAGES = 200


def past_fills(client: DhanClient, orders: Sequence[Order], today: date) -> list[Fill]:
    """Fills before today in these orders.

    The statement has no correlation ids: an order is found by its number.

    Raises
    ------
    BrokerError
        When Dhan could not be reached, or its response cannot be read.
    """
    by_id = {order.order_id: order for order in orders}
    first = min(order.updated_at.date() for order in orders)
    last = today - timedelta(days=1)
    rows = []
    for page in range(_MOST_PAGES):
        some = call_checked(
            client,
            CallClass.OTHER,
            "get_trade_history",
            str(first),
            str(last),
            page,
            what="trades of earlier days",
        )
        if not isinstance(some, list):
            raise BrokerError(f"Dhan's response for past trades is a {type(some).__name__}")
        if not some:
            break
        rows += [row for row in some if str(row.get("orderId")) in by_id]
    else:
        raise BrokerError(f"Dhan's trades from {first} to {last} have no end")
    found: dict[str, Fill] = {}
    filled: Counter[str] = Counter()
    for row in sorted(rows, key=by_trade_number):
        order = by_id[str(row["orderId"])]
        fill = past_fill_of(row, order, earlier=filled[order.order_id])
        filled[order.order_id] += fill.units * fill.price
        found.setdefault(fill.fill_id, fill)
    return list(found.values())
