"""Trading the open orders of an account against the market; stops; release of evening orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import Instrument, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState, Validity
from strikeloom.domain.products import Product
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.orders.costs import fill_cost
from strikeloom.exchange.orders.hours import is_traded
from strikeloom.exchange.orders.limit_conversion import limited
from strikeloom.exchange.orders.matching import Match, match
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import OrderType
from strikeloom.exchange.orders.validation import price_refusal
from strikeloom.exchange.session.market_reader import MarketReader
from strikeloom.nse.charges import depository_charge
from strikeloom.nse.edges import beginning


class Matcher:
    """Matches an account's open orders, within the caller's transaction.

    Parameters
    ----------
    charges_day : datetime.date, optional
        Day whose charges apply; default: each day its own.
    """

    def __init__(
        self, account: Account, market: MarketReader, charges_day: date | None = None
    ) -> None:
        self._account = account
        self._market = market
        self._charges_day = charges_day

    def match_contract(self, instrument: Instrument, at: datetime, *, recorded: bool) -> None:
        """Match the open orders of one contract against the market, now or at a moment."""
        quote = self._market.quotes([instrument], at, recorded).get(instrument.key)
        if quote is None or not is_traded(instrument, at) or quote.at < beginning(at.date()):
            return
        depths = self._market.depths([instrument], {instrument.key: quote}, at, recorded)
        self.match(at, quote, depths[instrument.key])

    def match(self, at: datetime, quote: Quote, depth: Depth) -> None:
        """Trade the open orders of a contract, best price and then oldest first."""
        key = quote.key
        triggered = self._trigger_stops(at, quote)
        for side in Side:
            taken: int | None = None
            for order in self._account.book.active(key, side):
                if order.entered_at > at:
                    continue
                if not _reaches(order, depth):
                    break
                if taken is None:
                    taken = self._account.ledger.taken(key, side, depth.at)
                taken += self._fill(order, depth, taken, at)
        for number in triggered:
            self.end_unrestable(number, at)
        self._account.mirror.quotes[key] = quote

    def release(self, at: datetime) -> list[int]:
        """Send orders given after the market to the exchange; returns their numbers."""
        sent = []
        for order in self._account.book.waiting():
            if order.release_at is None or order.release_at > at:
                continue
            quote = self._market.quote_at(order.instrument, at)
            asked = replace(order, order_type=order.asked_type, trigger=order.trigger)
            priced = limited(asked, quote)[0] if order.asked_type is OrderType.MARKET else order
            if priced.order_type is OrderType.MARKET:
                priced = order  # no price to protect it with yet: the evening's limit holds
            active = replace(
                priced,
                entered_at=order.release_at,
                exchange_at=order.release_at,
                updated_at=order.release_at,
                rank=self._account.orders.next_rank(),
            )
            self._save_arrival(active, quote, order.release_at.date())
            self._account.mirror.quotes.pop(order.instrument.key, None)
            sent.append(order.number)
        return sent

    def end_unrestable(self, number: int, at: datetime) -> None:
        """Cancel what may not rest of an order that has just arrived: IOC, and self-trades."""
        order = self._account.book.get(number)
        if order is None or order.waits_for_trigger or order.waits_for_release:
            return
        why = "unfilled part of an IOC order" if order.validity is Validity.IOC else ""
        mine = self._account.book.instrument(order.instrument.key)
        facing = mine.best(order.side.opposite) if mine else None
        if not why and facing is not None and (order.limit - facing) * int(order.side) >= 0:
            why = "self-trade prevention: it would meet another order of this account"
        if why:
            self._account.orders.save(
                replace(order, state=OrderState.CANCELLED, code="EXCH", reason=why, updated_at=at)
            )

    def _fill(self, order: BookOrder, depth: Depth, taken: int, at: datetime) -> int:
        """Trade an order as far as the depth goes; returns the units traded."""
        units = 0
        for part in match(order, depth, taken):
            cost = self._cost(order, part, at)
            order = self._account.add_fill(order, part.units, part.price, cost, at, depth.at)
            units += part.units
        return units

    def _cost(self, order: BookOrder, part: Match, at: datetime) -> int:
        """Charges of a fill; the depository's too when a sale first takes of what was held."""
        day = self._charges_day or at.date()
        cost = fill_cost(order, part.units, part.price, day)
        share, shares = order.instrument, self._account.shares
        delivers = order.product is Product.CNC and order.side is Side.SELL
        if (
            delivers
            and isinstance(share, Share)
            and shares.takes_first(share, part.units, at.date())
        ):
            cost += depository_charge(day)
        return cost

    def _trigger_stops(self, at: datetime, quote: Quote) -> list[int]:
        """Activate the stops whose trigger the last trade has reached; returns their numbers."""
        triggered: list[int] = []
        for order in self._account.book.stops(quote.key):
            if quote.last is None or order.entered_at > at:
                continue
            if (quote.last - order.trigger) * int(order.side) < 0:
                continue
            active = replace(
                order,
                triggered=True,
                entered_at=at,
                updated_at=at,
                exchange_at=at,
                rank=self._account.orders.next_rank(),
            )
            self._save_arrival(active, quote, at.date())
            triggered.append(order.number)
        return triggered

    def _save_arrival(self, order: BookOrder, quote: Quote | None, day: date) -> None:
        """Store an order that arrives at the market: active, or rejected by the price rules."""
        wrong = price_refusal(order, quote, self._market.band(order.instrument), day)
        if wrong:
            order = replace(order, state=OrderState.REJECTED, code=wrong.code, reason=wrong.reason)
        self._account.orders.save(order)


def _reaches(order: BookOrder, depth: Depth) -> bool:
    """Whether the limit reaches the other side's best price."""
    levels = depth.asks if order.side is Side.BUY else depth.bids
    return bool(levels) and (order.limit - levels[0].price) * int(order.side) >= 0
