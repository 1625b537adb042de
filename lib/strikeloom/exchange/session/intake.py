"""The one way to an order: priced, validated, put to the market.

Orders of clients and orders that conditional orders place pass here alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.instruments import Instrument, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.quotes import Quote
from strikeloom.errors import BrokerError, DataError, Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.margin_check import margin_refusal
from strikeloom.exchange.orders.hours import hours_refusal, is_open
from strikeloom.exchange.orders.limit_conversion import changed, typed_order
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Change, ContractList, OrderLimits, Placement
from strikeloom.exchange.orders.validation import (
    DESK,
    EXCHANGE,
    MARKET_CLOSED,
    ORDER,
    OrderRefusal,
    expiry_refusal,
    form_refusal,
    holdings_refusal,
    price_refusal,
)
from strikeloom.exchange.session.market_reader import MarketReader
from strikeloom.exchange.session.matcher import Matcher
from strikeloom.nse.freeze import freeze_units


class OrderIntake:
    """Takes orders into an account, within the caller's transaction.

    Parameters
    ----------
    instruments : ContractList, optional
        The listed contracts; without it every contract is taken as it is sent.
    charges_day : datetime.date, optional
        Day whose charges apply; default: each day its own.
    """

    def __init__(
        self,
        account: Account,
        market: MarketReader,
        matcher: Matcher,
        instruments: ContractList | None = None,
        charges_day: date | None = None,
    ) -> None:
        self._account = account
        self._market = market
        self._matcher = matcher
        self._instruments = instruments
        self._charges_day = charges_day

    def place(
        self,
        placement: Placement,
        at: datetime,
        *,
        conditional: int = 0,
        leg: str = "",
        recorded: bool = False,
        by_broker: bool = False,
    ) -> BookOrder:
        """Match an order, let it wait, or reject it. The decision is on record.

        Parameters
        ----------
        conditional, leg : int, str
            The conditional order that places it, and for which of its legs.
        recorded : bool, default False
            ``at`` is a recorded moment of the past, and its quotes apply.
        by_broker : bool, default False
            Sent by the broker's own risk desk: its checks of clients' orders do not apply.
        """
        refusal: OrderRefusal | None = None
        try:
            placement = replace(placement, instrument=self._listed(placement.instrument, at))
        except DataError as error:
            refusal = OrderRefusal(EXCHANGE, f"not a listed contract: {error}")
        instrument = placement.instrument
        quote = (
            self._market.quote_at(instrument, at)
            if recorded
            else self._market.quote(instrument, at)
        )
        order, unpriced = typed_order(placement, quote, at)
        order = self._account.orders.add(replace(order, conditional=conditional, leg=leg))
        refusal = refusal or unpriced
        refusal = refusal or self._refusal(order, at, quote, by_broker=by_broker)
        if refusal:
            return self.end(order, OrderState.REJECTED, refusal, at)
        if order.waits_for_release:
            return self._account.orders.save(replace(order, state=OrderState.PENDING))
        return self._enter(
            replace(order, state=OrderState.PENDING, exchange_at=at), at, recorded=recorded
        )

    def change(self, number: int, change: Change, at: datetime) -> BookOrder:
        """Change an open order.

        Raises
        ------
        Rejected
            When the change is refused (fact ``code``); the order is as it was.
        BrokerError
            When the account has no such order.
        """
        before = self.order(number)
        quote = self._market.quote(before.instrument, at)
        after, refusal = before, _ended_refusal(before, at)
        if refusal is None:
            after, refusal = changed(before, change, quote, at)
        refusal = refusal or self._refusal(after, at, quote, before)
        if refusal:
            raise Rejected(
                f"{before.instrument.label}: {refusal.reason}",
                code=refusal.code,
                order_id=before.order_id,
            )
        if after.rank != before.rank:
            after = replace(after, rank=self._account.orders.next_rank())
        if after.waits_for_release:
            return self._account.orders.save(after)
        return self._enter(replace(after, exchange_at=at), at)

    def end(
        self, order: BookOrder, state: OrderState, why: OrderRefusal, at: datetime
    ) -> BookOrder:
        """End an order."""
        return self._account.orders.save(
            replace(order, state=state, code=why.code, reason=why.reason, updated_at=at)
        )

    def cancel(self, numbers: Sequence[int], why: str, at: datetime) -> None:
        """Cancel orders."""
        for number in numbers:
            self.end(self.order(number), OrderState.CANCELLED, OrderRefusal("", why), at)

    def order(self, number: int) -> BookOrder:
        """One order.

        Raises
        ------
        BrokerError
            When the account has no such order.
        """
        order = self._account.orders.get(number)
        if order is None:
            raise BrokerError(f"the account has no order E{number}", code=ORDER)
        return order

    def largest_order(self, instrument: Instrument, day: date) -> int | None:
        """Largest order in units: by the list of contracts, else by the exchange's dated list."""
        if isinstance(instrument, Share):
            return None  # freeze quantities are of contracts
        listed: object = self._instruments
        if isinstance(listed, OrderLimits):
            return listed.order_limit(instrument, day)
        return freeze_units(instrument.symbol, day)

    def _enter(self, order: BookOrder, at: datetime, *, recorded: bool = False) -> BookOrder:
        """Put an order, new or changed, to the market."""
        self._account.orders.save(order)
        self._matcher.match_contract(order.instrument, at, recorded=recorded)
        self._matcher.end_unrestable(order.number, at)
        return self.order(order.number)

    def _refusal(
        self,
        order: BookOrder,
        at: datetime,
        quote: Quote | None,
        before: BookOrder | None = None,
        *,
        by_broker: bool = False,
    ) -> OrderRefusal | None:
        """Why an order, new or changed, is not taken."""
        account, day = self._account, order.session_day
        if by_broker:
            return form_refusal(
                order, day, self.largest_order(order.instrument, day)
            ) or price_refusal(order, quote, self._market.band(order.instrument), day)
        if account.money.killed_on == at.date().isoformat():
            return OrderRefusal(DESK, "the kill switch is on for today")
        held = account.ledger.holdings().get(order.instrument, 0)
        resting = account.book.resting(order.instrument.key, order.side)
        held += int(order.side) * (resting - (before.left if before else 0))
        return (
            hours_refusal(order, at)
            or expiry_refusal(order, held, day)
            or form_refusal(order, day, self.largest_order(order.instrument, day))
            or self._not_held(order, before)
            or price_refusal(order, quote, self._market.band(order.instrument), day)
            or margin_refusal(order, account, self._market.feed, at, before, self._charges_day)
        )

    def _not_held(self, order: BookOrder, before: BookOrder | None) -> OrderRefusal | None:
        """Why shares that are to be delivered cannot be sold."""
        if not isinstance(order.instrument, Share) or order.side is Side.BUY:
            return None
        sellable = self._account.shares.sellable(order.instrument, before or order)
        return holdings_refusal(order, sellable)

    def _listed(self, instrument: Instrument, at: datetime) -> Instrument:
        """The contract as the exchange lists it: its lot and tick count, not the order's.

        Raises
        ------
        DataError
            When it is not listed.
        """
        if self._instruments is None:
            return instrument
        return self._instruments.instrument(instrument.key, at.date())


def _ended_refusal(order: BookOrder, now: datetime) -> OrderRefusal | None:
    """Why an order that is over cannot be changed."""
    if not order.state.terminal:
        return None
    return OrderRefusal(ORDER, f"the order is {order.state}" if is_open(now) else MARKET_CLOSED)
