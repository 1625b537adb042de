"""What the market shows at a moment: quotes, depth and price bands, now or as recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import Instrument, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.orders.book import ContractBook, OrderBook
from strikeloom.exchange.orders.hours import is_open, open_markets
from strikeloom.exchange.orders.validation import reference_price
from strikeloom.nse.edges import beginning
from strikeloom.ports.feed import DepthFeed, MarketFeed, RecordedFeed

Quotes = dict[str, Quote]
Depths = dict[str, Depth]


class MarketReader:
    """Reads a feed for a moment.

    With ``recorded`` the moment is one of the recorded past and its own quotes are read,
    otherwise those of now.
    """

    def __init__(self, feed: MarketFeed) -> None:
        self.feed = feed

    def quote(self, instrument: Instrument, now: datetime) -> Quote | None:
        """Quote of a contract now; ``None`` when the latest is of an earlier day."""
        quote = self.feed.quotes([instrument]).get(instrument.key)
        return quote if quote and quote.at.date() == now.date() else None

    def quote_at(self, instrument: Instrument, at: datetime) -> Quote | None:
        """Quote of a contract as it was at a moment of the day, not as it has become since."""
        if not isinstance(self.feed, RecordedFeed):
            return self.quote(instrument, at)
        opened = beginning(at.date())
        past = self.feed.moments(opened - timedelta(microseconds=1), at)
        return self.feed.quotes_at(past[-1], [instrument]).get(instrument.key) if past else None

    def quotes(self, contracts: Sequence[Instrument], at: datetime, recorded: bool) -> Quotes:
        """Quotes by contract key."""
        if recorded and isinstance(self.feed, RecordedFeed):
            return self.feed.quotes_at(at, contracts)
        return self.feed.quotes(contracts)

    def depths(
        self, contracts: list[Instrument], quotes: Quotes, at: datetime, recorded: bool
    ) -> Depths:
        """Depth by contract key; of a feed without depth the one level of the quotes."""
        feed = self.feed
        if not contracts or not isinstance(feed, DepthFeed):
            return {c.key: Depth.of_quote(quotes[c.key]) for c in contracts}
        return feed.depths_at(at, contracts) if recorded else feed.depths(contracts)

    def matchable(
        self, book: OrderBook, matched: Mapping[str, Quote], at: datetime, recorded: bool
    ) -> tuple[Quotes, Depths]:
        """Quotes of the contracts with open orders, and depth where a new one meets an order.

        Parameters
        ----------
        matched : mapping of str to Quote
            Quotes that the open orders were last matched against.
        """
        books = {entry.instrument.key: entry for entry in book.contracts()}
        contracts = [entry.instrument for entry in books.values()]
        if not contracts:
            return {}, {}
        quotes = self.quotes(contracts, at, recorded)
        opened = beginning(at.date())
        contracts_trade, shares_trade = open_markets(at)
        met = [
            books[key].instrument
            for key, quote in quotes.items()
            if quote.at >= opened  # an older one is of an earlier session
            and (shares_trade if isinstance(books[key].instrument, Share) else contracts_trade)
            and _meets_an_order(quote, books[key])
            and matched.get(key) != quote
        ]
        return quotes, self.depths(met, quotes, at, recorded)

    def last_known(self, instrument: Instrument, at: datetime) -> int | None:
        """Paise of the last trade, else the middle of the quote; of an earlier day when closed."""
        if is_open(at):
            return reference_price(self.quote(instrument, at))
        return reference_price(self.feed.quotes([instrument]).get(instrument.key))

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        """Lowest and highest price of the day, where the market publishes them."""
        return self.feed.band(instrument) if isinstance(self.feed, DepthFeed) else None


def _meets_an_order(quote: Quote, book: ContractBook) -> bool:
    """Whether a quote reaches the best order of a side, or may trigger a stop."""
    if book.stops:
        return True
    buy, sell = book.best(Side.BUY), book.best(Side.SELL)
    return (buy is not None and quote.ask is not None and buy >= quote.ask) or (
        sell is not None and quote.bid is not None and sell <= quote.bid
    )
