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
from strikeloom.errors import NoQuote
from strikeloom.exchange.ledger import Ledger
from strikeloom.exchange.order import BookOrder
from strikeloom.exchange.rules import DESK, Refusal
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


def resting_sells(account: Ledger, without: BookOrder | None = None) -> Counter[OptionContract]:
    """Units offered for sale by open orders, by contract."""
    sells: Counter[OptionContract] = Counter()
    for book in account.book.contracts():
        if book.resting_sell_units:
            sells[book.contract] += book.resting_sell_units
    if without is not None and without.side is Side.SELL:
        sells[without.contract] -= without.left
    return sells


def tied_premium(account: Ledger, without: BookOrder | None = None) -> int:
    """Paise that open buys would pay."""
    tied = sum(book.resting_buy_value for book in account.book.contracts())
    if without is not None and without.side is Side.BUY:
        tied -= without.left * without.limit
    return tied


def lacks_money(
    order: BookOrder,
    account: Ledger,
    feed: MarketFeed,
    now: datetime,
    before: BookOrder | None = None,
) -> Refusal | None:
    """Why cash and margin do not carry what is left of an order; ``None`` when they do.

    Buying back what is short, and selling what is held long and hedges nothing, is always
    carried.

    Parameters
    ----------
    before : BookOrder, optional
        The order as it rests now, when it is a change of one.
    """
    held = Counter(account.holdings())
    bound = held.copy()
    bound.subtract(resting_sells(account, before))
    cash = account.money.cash - tied_premium(account, before)
    cost = trade_charges(order.side, order.left, order.limit, now.date()).total
    try:
        if order.side is Side.BUY:
            if _buying(order, account, before) <= -held[order.contract]:
                return None
            needed = margin_of(bound.items(), feed, now) + order.left * order.limit + cost
        else:
            without = margin_of(bound.items(), feed, now)
            bound[order.contract] -= order.left
            needed = margin_of(bound.items(), feed, now)
            if needed <= without:
                return None
            needed += cost
    except NoQuote as error:
        return Refusal(DESK, f"its margin cannot be worked out: {error}")
    if needed <= cash:
        return None
    return Refusal(
        DESK,
        f"needs {rupees_text(needed)} of margin and premium, {rupees_text(cash)} is there",
    )


def _buying(order: BookOrder, account: Ledger, before: BookOrder | None) -> int:
    """Units of the contract that open buys and this one would buy."""
    book = account.book.contract(order.contract.key)
    resting = book.resting_buy_units if book else 0
    return resting - (before.left if before else 0) + order.left
