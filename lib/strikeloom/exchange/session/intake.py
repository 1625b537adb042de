"""The one way to an order: priced, judged, put to the market. For clients and for what stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.orders import OrderState
from strikeloom.domain.quotes import Quote
from strikeloom.errors import BrokerError, DataError, Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.margin_check import lacks_money
from strikeloom.exchange.orders.hours import hours_refusal, is_open
from strikeloom.exchange.orders.limit_conversion import changed, typed_order
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Change, Listing, Placement
from strikeloom.exchange.orders.validation import (
    DESK,
    EXCHANGE,
    MARKET_CLOSED,
    ORDER,
    Refusal,
    expiry_refusal,
    form_refusal,
    price_refusal,
)
from strikeloom.exchange.session.replay import SessionWalk
from strikeloom.ports.feed import MarketFeed


class Intake(SessionWalk):
    """Takes orders into an account, within the caller's transaction."""

    def __init__(
        self,
        account: Account,
        feed: MarketFeed,
        instruments: Listing | None = None,
        tariff: date | None = None,
    ) -> None:
        super().__init__(account, feed, tariff)
        self._instruments = instruments

    def take(
        self,
        placement: Placement,
        at: datetime,
        *,
        standing: int = 0,
        leg: str = "",
        recorded: bool = False,
    ) -> BookOrder:
        """Match an order, let it wait, or reject it. What was decided is on record.

        Parameters
        ----------
        standing, leg : int, str
            What it is placed for, if it is for a standing order.
        recorded : bool, default False
            ``at`` is a recorded moment of the past: the quotes of then hold.
        """
        refusal: Refusal | None = None
        try:
            placement = replace(placement, contract=self._listed(placement.contract, at))
        except DataError as error:
            refusal = Refusal(EXCHANGE, f"not a listed contract: {error}")
        quote = self._seen(placement.contract, at, recorded)
        order, untyped = typed_order(placement, quote, at)
        order = self._account.add_order(replace(order, standing=standing, leg=leg))
        refusal = refusal or untyped or self.refusal(order, at, quote)
        if refusal:
            return self.end(order, OrderState.REJECTED, refusal, at)
        if order.waits_for_release:
            return self._account.save(replace(order, state=OrderState.PENDING))
        return self.enter(
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
        before = self.known(number)
        quote = self.quote(before.contract, at)
        after, refusal = before, _ended(before, at)
        if refusal is None:
            after, refusal = changed(before, change, quote, at)
        refusal = refusal or self.refusal(after, at, quote, before)
        if refusal:
            raise Rejected(
                f"{before.contract.label}: {refusal.reason}",
                code=refusal.code,
                order_id=before.order_id,
            )
        if after.rank != before.rank:
            after = replace(after, rank=self._account.next_rank())
        if after.waits_for_release:
            return self._account.save(after)
        return self.enter(replace(after, exchange_at=at), at)

    def enter(self, order: BookOrder, at: datetime, *, recorded: bool = False) -> BookOrder:
        """Put an order, new or changed, to the market."""
        self._account.save(order)
        self.match_contract(order.contract, at, recorded=recorded)
        self.finish(order.number, at)
        return self.known(order.number)

    def end(self, order: BookOrder, state: OrderState, why: Refusal, at: datetime) -> BookOrder:
        """End an order."""
        return self._account.save(
            replace(order, state=state, code=why.code, reason=why.reason, updated_at=at)
        )

    def known(self, number: int) -> BookOrder:
        """One order.

        Raises
        ------
        BrokerError
            When the account has no such order.
        """
        found = self._account.order(number)
        if found is None:
            raise BrokerError(f"the account has no order E{number}", code=ORDER)
        return found

    def refusal(
        self, order: BookOrder, at: datetime, quote: Quote | None, before: BookOrder | None = None
    ) -> Refusal | None:
        """Why an order, new or changed, is not taken."""
        account, day = self._account, order.session_day
        if account.money.killed_on == at.date().isoformat():
            return Refusal(DESK, "the kill switch is on for today")
        held = account.holdings().get(order.contract, 0)
        resting = account.book.resting(order.contract.key, order.side)
        held += int(order.side) * (resting - (before.left if before else 0))
        return (
            hours_refusal(order, at)
            or expiry_refusal(order, held, day)
            or form_refusal(order, day)
            or price_refusal(order, quote, self.band(order.contract), day)
            or lacks_money(order, account, self._feed, at, before, self.tariff)
        )

    def _seen(self, contract: OptionContract, at: datetime, recorded: bool) -> Quote | None:
        return self._quote_at(contract, at) if recorded else self.quote(contract, at)

    def _listed(self, contract: OptionContract, at: datetime) -> OptionContract:
        """The contract as the exchange lists it: its lot and tick count, not the order's.

        Raises
        ------
        DataError
            When it is not listed.
        """
        if self._instruments is None:
            return contract
        return self._instruments.contract(contract.key, at.date())


def _ended(order: BookOrder, now: datetime) -> Refusal | None:
    """Why an order that is over cannot be changed."""
    if not order.state.terminal:
        return None
    return Refusal(ORDER, f"the order is {order.state}" if is_open(now) else MARKET_CLOSED)
