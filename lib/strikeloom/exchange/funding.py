"""The broker's risk desk: what an account's holdings bind, and whether an order is carried.

An order that waits gives no benefit before it trades: a resting buy ties up its premium and
hedges nothing, a resting sale counts as sold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime

import numpy as np

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.money import rupees, rupees_text
from strikeloom.domain.orders import OrderRequest
from strikeloom.errors import NoQuote
from strikeloom.exchange.account import Account
from strikeloom.nse.charges import trade_charges
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.ports.feed import MarketFeed
from strikeloom.risk.margin import margins, span_parameters

Holding = tuple[OptionContract, int]


def margin_of(holdings: Iterable[Holding], feed: MarketFeed, now: datetime) -> int:
    """Estimate in paise: legs of one underlying and expiry offset each other, no others.

    Raises
    ------
    NoQuote
        When the level of an underlying with a sold leg is not known.
    """
    groups: dict[tuple[str, date], list[Holding]] = {}
    for contract, net in holdings:
        if net:
            groups.setdefault((contract.symbol, contract.expiry), []).append((contract, net))
    return sum(_group(legs, feed, now) for legs in groups.values())


def _group(legs: list[Holding], feed: MarketFeed, now: datetime) -> int:
    first = legs[0][0]
    if all(net > 0 for _, net in legs):
        return 0
    spot, _ = feed.spot(first.symbol)
    parameters = span_parameters(first.kind, now.date())
    expires_today = first.expiry <= now.date()
    years = 0.0 if expires_today else years_to_expiry(now, first.expiry)
    found = margins(
        np.array([[rupees(c.strike) for c, _ in legs]]),
        np.array([[c.right is Right.CALL for c, _ in legs]]),
        np.array([[float(net) for _, net in legs]]),
        np.array([rupees(spot)]),
        np.array([parameters.base_vol]),
        np.array([years]),
        parameters,
    )
    return round(float(found[0]) * 100)


def lacks_money(
    request: OrderRequest, account: Account, feed: MarketFeed, now: datetime
) -> str | None:
    """Reason why cash and margin do not carry an order; ``None`` when they do.

    Buying back what is short, and selling what is held long and hedges nothing, is always
    carried.
    """
    held = Counter(dict(account.holdings()))
    cash, bound = account.cash(), held.copy()
    buying = request.units
    for order in account.resting():
        if order.side is Side.SELL:
            bound[order.contract] -= order.remaining
        else:
            cash -= order.remaining * order.limit
            buying += order.remaining if order.contract == request.contract else 0
    cost = trade_charges(request.side, request.units, request.limit, now.date()).total
    try:
        if request.side is Side.BUY:
            if buying <= -held[request.contract]:
                return None
            needed = margin_of(bound.items(), feed, now) + request.units * request.limit + cost
        else:
            before = margin_of(bound.items(), feed, now)
            bound[request.contract] -= request.units
            needed = margin_of(bound.items(), feed, now)
            if needed <= before:
                return None
            needed += cost
    except NoQuote as error:
        return f"its margin cannot be worked out: {error}"
    if needed > cash:
        return f"needs {rupees_text(needed)} of margin and premium, {rupees_text(cash)} is there"
    return None
