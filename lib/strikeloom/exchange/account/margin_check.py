"""The broker's risk desk: what an account's positions block, and whether cash covers an order.

An order that waits gives no benefit before it trades: a resting buy ties up its premium and
hedges nothing, a resting sale counts as sold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

from strikeloom.domain.instruments import Instrument, InstrumentKind
from strikeloom.domain.legs import Side
from strikeloom.domain.money import rupees_text
from strikeloom.domain.quotes import Quote
from strikeloom.errors import NoQuote
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.validation import DESK, OrderRefusal
from strikeloom.nse.charges import trade_charges
from strikeloom.ports.feed import MarketFeed
from strikeloom.risk.book import BookMargin, book_margins


def book_margin(
    books: Sequence[Mapping[Instrument, int]], feed: MarketFeed, now: datetime
) -> list[BookMargin]:
    """Estimate of each of some books, with the levels and prices that the market shows now.

    Raises
    ------
    NoQuote
        When the level of an underlying with a sold leg is not known.
    """
    contracts = {instrument for book in books for instrument, net in book.items() if net}
    if not any(
        net < 0 or c.kind is InstrumentKind.STOCK for book in books for c, net in book.items()
    ):
        return [BookMargin() for _ in books]
    levels: dict[str, int] = {}
    for symbol in {instrument.symbol for instrument in contracts}:
        with suppress(NoQuote):  # needed only where something is sold: raised there
            levels[symbol] = feed.spot(symbol)[0]
    marks = {key: _mark(quote) for key, quote in feed.quotes(contracts).items()}
    known = {key: mark for key, mark in marks.items() if mark is not None}
    return book_margins(books, levels, known, now)


def _mark(quote: Quote) -> int | None:
    """Middle of a quote, else the last trade as far as the one side that is there allows it."""
    bid, ask, last = quote.bid, quote.ask, quote.last
    if bid is not None and ask is not None:
        return (bid + ask) // 2 if quote.two_sided else last
    if bid is not None:
        return max(bid, last or 0)
    return last if ask is None or last is None else min(ask, last)


def resting_sells(account: Account, without: BookOrder | None = None) -> Counter[Instrument]:
    """Units offered for sale by open orders, by contract."""
    sells: Counter[Instrument] = Counter()
    for book in account.book.contracts():
        if book.resting_sell_units:
            sells[book.instrument] += book.resting_sell_units
    if without is not None and without.side is Side.SELL:
        sells[without.instrument] -= without.left
    return sells


def tied_premium(account: Account, without: BookOrder | None = None) -> int:
    """Paise that open buys would pay."""
    tied = sum(book.resting_buy_value for book in account.book.contracts())
    if without is not None and without.side is Side.BUY:
        tied -= without.left * without.limit
    return tied


def margin_refusal(
    order: BookOrder,
    account: Account,
    feed: MarketFeed,
    now: datetime,
    before: BookOrder | None = None,
    charges_day: date | None = None,
) -> OrderRefusal | None:
    """Why cash and margin do not cover what is left of an order; ``None`` when they do.

    Buying back what is short, selling what is held long and hedges nothing, and a change that
    ties up no more than the order does already, is always covered.

    Parameters
    ----------
    before : BookOrder, optional
        The order as it rests now, when it is a change of one.
    charges_day : datetime.date, optional
        Day whose charges apply; default: today.
    """
    if before is not None and _ties_up_no_more(order, before):
        return None
    held = Counter(account.ledger.holdings())
    bound = held.copy()
    bound.subtract(resting_sells(account, before))
    cash = account.money.cash - tied_premium(account, before)
    cost = trade_charges(order.side, order.left, order.limit, charges_day or now.date()).total
    try:
        if order.side is Side.BUY:
            others = account.book.resting(order.instrument.key, Side.BUY)
            if others - (before.left if before else 0) + order.left <= -held[order.instrument]:
                return None
            more = bound.copy()
            more[order.instrument] += order.left  # a stock's delivery may bind what is bought
            books = book_margin([held, bound, more], feed, now)
            needed = max(book.total for book in books) + order.left * order.limit + cost
        else:
            more = bound.copy()
            more[order.instrument] -= order.left
            kept, without, margin = book_margin([held, bound, more], feed, now)
            if margin.total <= without.total:
                return None
            needed = max(kept.total, margin.total) + cost
    except NoQuote as error:
        return OrderRefusal(DESK, f"its margin cannot be worked out: {error}")
    if needed <= cash:
        return None
    return OrderRefusal(
        DESK,
        f"needs {rupees_text(needed)} of margin and premium, {rupees_text(cash)} is there",
    )


def _ties_up_no_more(order: BookOrder, before: BookOrder) -> bool:
    """Whether a changed order ties up no more than it did; the price of a sale does not count."""
    dearer = order.side is Side.BUY and order.left * order.limit > before.left * before.limit
    return order.left <= before.left and not dearer
