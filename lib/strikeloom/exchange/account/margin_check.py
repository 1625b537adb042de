"""The broker's risk desk: what an account's positions block, and whether cash covers an order.

An order that waits gives no benefit before it trades: a resting buy ties up its premium and
hedges nothing, a resting sale counts as sold. A future risks as much bought as sold: its resting
orders count on the side on which they need more.

Shares are paid in full, those of the day too, and no margin is required for them. Sold for the day
only, they bind what they are worth and the rate of orders of the day, whatever of them is held for
delivery.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

from strikeloom.domain.instruments import FutureContract, Instrument, InstrumentKind, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.money import rupees_text
from strikeloom.domain.products import Product
from strikeloom.domain.quotes import Quote
from strikeloom.errors import DataError, NoQuote
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.orders.costs import fill_cost
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.validation import DESK, OrderRefusal
from strikeloom.ports.feed import MarketFeed
from strikeloom.risk.book import BookMargin, DayShare, Item, book_margins


def book_margin(
    books: Sequence[Mapping[Item, int]], feed: MarketFeed, now: datetime
) -> list[BookMargin]:
    """Estimate of each of some books, with the levels and prices that the market shows now.

    Raises
    ------
    NoQuote
        When the level of an underlying with a sold leg is not known.
    """
    items = {item for book in books for item, net in book.items() if net}
    contracts = {item.share if isinstance(item, DayShare) else item for item in items}
    if not any(_may_need(c, net) for book in books for c, net in book.items()):
        return [BookMargin() for _ in books]
    levels: dict[str, int] = {}
    for symbol in {instrument.symbol for instrument in contracts}:
        with suppress(NoQuote):  # needed only where something is sold: raised there
            levels[symbol] = feed.spot(symbol)[0]
    marks = {key: _mark(quote) for key, quote in feed.quotes(contracts).items()}
    known = {key: mark for key, mark in marks.items() if mark is not None}
    return book_margins(books, levels, known, now)


def _may_need(instrument: Item, net: int) -> bool:
    """Whether a holding may need margin at all: bought index options and shares do not."""
    match instrument:
        case Share() | DayShare():
            return net < 0
        case FutureContract():
            return net != 0
        case _:
            return net < 0 or instrument.kind is InstrumentKind.STOCK


def _mark(quote: Quote) -> int | None:
    """Middle of a quote, else the last trade as far as the one side that is there allows it."""
    bid, ask, last = quote.bid, quote.ask, quote.last
    if bid is not None and ask is not None:
        return (bid + ask) // 2 if quote.two_sided else last
    if bid is not None:
        return max(bid, last or 0)
    return last if ask is None or last is None else min(ask, last)


def bound_as(instrument: Instrument, product: Product) -> Item:
    """What an instrument counts as in a book: contracts of all products offset each other."""
    if isinstance(instrument, Share) and product is Product.INTRADAY:
        return DayShare(instrument)
    return instrument


def resting_sells(account: Account, without: BookOrder | None = None) -> Counter[Item]:
    """Units offered for sale by open orders."""
    sells: Counter[Item] = Counter()
    for book in account.book.contracts():
        if not book.resting_sell_units:
            continue
        if not isinstance(book.instrument, Share):
            sells[book.instrument] += book.resting_sell_units
            continue
        for order in account.book.of(book.instrument.key, Side.SELL):
            sells[bound_as(order.instrument, order.product)] += order.left
    if without is not None and without.side is Side.SELL:
        sells[bound_as(without.instrument, without.product)] -= without.left
    return sells


def tied_premium(account: Account, without: BookOrder | None = None) -> int:
    """Paise that open buys would pay; those of futures pay nothing."""
    tied = sum(
        book.resting_buy_value
        for book in account.book.contracts()
        if not isinstance(book.instrument, FutureContract)
    )
    if without is not None and without.side is Side.BUY and _is_paid(without):
        tied -= without.left * without.limit
    return tied


def _is_paid(order: BookOrder) -> bool:
    return not isinstance(order.instrument, FutureContract)


def bound_books(account: Account, without: BookOrder | None = None) -> list[Counter[Item]]:
    """What is held; the same with what rests sold; and, where futures are bid for, with those."""
    held: Counter[Item] = Counter()
    for position in account.ledger.positions():
        held[bound_as(position.instrument, position.product)] += position.net
    sold = held.copy()
    sold.subtract(resting_sells(account, without))
    bids: Counter[Item] = Counter()
    for book in account.book.contracts():
        if isinstance(book.instrument, FutureContract) and book.resting_buy_units:
            bids[book.instrument] += book.resting_buy_units
    if without is not None and without.side is Side.BUY and not _is_paid(without):
        bids[without.instrument] -= without.left
    if not any(bids.values()):
        return [held, sold]
    bought = Counter({c: n if isinstance(c, FutureContract) else sold[c] for c, n in held.items()})
    for instrument, units in bids.items():
        bought[instrument] += units
    return [held, sold, bought]


def claims(account: Account, feed: MarketFeed) -> int:
    """Paise of the cash that are lost or owed already, beside the margin of what is held.

    What futures have lost since their last settlement, and what the auction of owed shares may
    cost where others were bought since.
    """
    owed = 0
    for short in account.shares.owed():
        held = account.ledger.position(short.share.key, Product.CNC)
        lacking = min(short.units, max(0, -held.net)) if held else 0  # has its margin as it is
        owed += short.most * max(0, short.units - lacking) // short.units
    positions = account.mirror.positions.values()
    futures = [p for p in positions if isinstance(p.instrument, FutureContract)]
    if not futures:
        return owed
    quotes = feed.quotes([position.instrument for position in futures if position.net])
    made = 0
    for position in futures:
        mark = _known_mark(quotes.get(position.instrument.key))
        # without a price nothing is made or lost on what is open
        worth = position.net * mark if mark is not None else position.cost
        made += worth - position.unsettled
    return owed + max(0, -made)


def _known_mark(quote: Quote | None) -> int | None:
    return None if quote is None else _mark(quote)


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
    cash = account.money.cash - tied_premium(account, before) - claims(account, feed)
    cost = fill_cost(order, order.left, order.limit, charges_day or now.date())
    try:
        needed = _needed(order, account, feed, now, before)
    except (NoQuote, DataError) as error:
        return OrderRefusal(DESK, f"its margin cannot be worked out: {error}")
    if needed is None or needed + cost <= cash:
        return None
    needed += cost
    return OrderRefusal(
        DESK,
        f"needs {rupees_text(needed)} of margin and premium, {rupees_text(cash)} is there",
    )


def _needed(
    order: BookOrder,
    account: Account,
    feed: MarketFeed,
    now: datetime,
    before: BookOrder | None,
) -> int | None:
    """Paise that margin and price need with an order; ``None`` when it needs none of its own."""
    books = bound_books(account, before)
    if order.side is Side.BUY:
        others = account.book.resting(order.instrument.key, Side.BUY)
        if others - (before.left if before else 0) + order.left <= -_short(order, account):
            return None
    more = books[-1 if order.side is Side.BUY and not _is_paid(order) else 1].copy()
    # also of a purchase: a stock's delivery may bind it
    more[bound_as(order.instrument, order.product)] += int(order.side) * order.left
    found = [book.total for book in book_margin([*books, more], feed, now)]
    if order.side is Side.SELL:
        if found[-1] <= found[1]:
            return None
        return max(found[0], *found[2:]) - _received(order, account)
    return max(found) + (order.left * order.limit if _is_paid(order) else 0)


def _received(order: BookOrder, account: Account) -> int:
    """Paise that come in with shares sold for the day, all of which their margin binds."""
    if not isinstance(order.instrument, Share) or order.product is not Product.INTRADAY:
        return 0
    return max(0, order.left - max(0, _short(order, account))) * order.limit


def _short(order: BookOrder, account: Account) -> int:
    """Net units that an order may buy back: of shares those sold for the day.

    Shares lacking for a delivery are bought in by the exchange, whatever is bought besides.
    """
    if isinstance(order.instrument, Share):
        if order.product is Product.CNC:
            return 0
        held = account.ledger.position(order.instrument.key, order.product)
        return held.net if held else 0
    return account.ledger.holdings().get(order.instrument, 0)


def _ties_up_no_more(order: BookOrder, before: BookOrder) -> bool:
    """Whether a changed order ties up no more than it did; the price of a sale does not count."""
    if not _is_paid(order):
        return order.left <= before.left
    dearer = order.side is Side.BUY and order.left * order.limit > before.left * before.limit
    return order.left <= before.left and not dearer
