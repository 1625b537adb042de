"""The matching engine: an exchange and a broker's risk desk for one account, in-process.

Deterministic: what happens depends on the account file, the clock and the feed alone. Whenever
the engine is asked anything it first catches up with the clock: every recorded snapshot since
it was last asked is matched in turn, orders expire with their session, expired contracts
settle. Each catching-up is one transaction, so two processes never trade the same quote twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.orders import (
    BrokerPosition,
    Fill,
    Funds,
    Order,
    OrderRequest,
    OrderState,
    Validity,
)
from strikeloom.domain.quotes import Quote
from strikeloom.errors import BrokerError, DataError, Rejected
from strikeloom.exchange.account import Account
from strikeloom.exchange.funding import lacks_money, margin_of
from strikeloom.exchange.matching import match, refusal
from strikeloom.exchange.resting import Resting
from strikeloom.nse.charges import exercise_charges, trade_charges
from strikeloom.nse.sessions import is_trading_day, session
from strikeloom.nse.settlement import intrinsic
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed, RecordedFeed
from strikeloom.ports.instruments import Instruments


class Engine:
    """Orders in, fills out, money kept.

    Parameters
    ----------
    instruments : Instruments, optional
        The exchange's own list: with it, an order in a contract that is not listed, or that
        does not fit the listed lot and tick, is refused.
    """

    def __init__(
        self,
        account: Account,
        feed: MarketFeed,
        clock: Clock,
        instruments: Instruments | None = None,
    ) -> None:
        self._account = account
        self._feed = feed
        self._clock = clock
        self._instruments = instruments

    def submit(self, request: OrderRequest) -> Order:
        """Accept and match an order, or refuse it.

        Raises
        ------
        Rejected
            With the exchange's or the risk desk's reason; the refusal is on record.
        """
        now = self._clock.now()
        with self._account.transaction():
            self._catch_up(now)
            try:
                request = replace(request, contract=self._listed(request.contract, now))
            except DataError as error:
                reason: str | None = f"not a listed contract: {error}"
            else:
                reason = self._refusal(request, now)
            state = OrderState.REJECTED if reason else OrderState.PENDING
            number = self._account.add_order(request, now, state, reason or "")
            if not reason:
                self._match(now, self._quotes(self._account.resting(), now))
                if request.validity is Validity.IOC:
                    self._end(number, now, OrderState.CANCELLED, "unfilled part of an IOC order")
            order = self._order(number)
        if reason:
            raise Rejected(f"{request.contract.label}: {reason}", order_id=order.order_id)
        return order

    def cancel(self, order_id: str) -> Order:
        """Cancel what is left; an order that is already terminal is answered as it is.

        Raises
        ------
        BrokerError
            When the account has no such order.
        """
        digits = order_id.removeprefix("E")
        if not digits.isdecimal() or self._account.order(int(digits)) is None:
            raise BrokerError(f"the account has no order {order_id!r}", order_id=order_id)
        now = self._clock.now()
        with self._account.transaction():
            self._catch_up(now)
            self._end(int(digits), now, OrderState.CANCELLED, "cancelled on request")
            return self._order(int(digits))

    def orders(self) -> list[Order]:
        """All orders of the account, those of earlier days included."""
        self.advance()
        return self._account.orders()

    def fills(self) -> list[Fill]:
        """All fills and settlements."""
        self.advance()
        return self._account.fills()

    def positions(self) -> list[BrokerPosition]:
        """Net units by contract."""
        self.advance()
        return [BrokerPosition(c.key, net) for c, net in self._account.holdings()]

    def funds(self) -> Funds:
        """Cash, margin blocked, and what is left of it.

        Raises
        ------
        NoQuote
            When the level of an underlying with a sold leg is not known.
        """
        self.advance()
        cash = self._account.cash()
        used = margin_of(self._account.holdings(), self._feed, self._clock.now())
        return Funds(cash, used, cash - used)

    def advance(self) -> None:
        """Bring the account up to the clock; free when there is nothing to do."""
        now = self._clock.now()
        matched_to = self._account.matched_to()
        waiting = bool(self._account.resting()) and (matched_to is None or matched_to < now)
        if waiting or self._due(now):
            with self._account.transaction():
                self._catch_up(now)

    def _catch_up(self, now: datetime) -> None:
        since = self._account.matched_to()
        resting = self._account.resting()
        if resting and (since is None or since < now):
            first = min(order.placed_at for order in resting)
            for at in self._moments(first if since is None else max(first, since), now):
                self._expire(at)
                self._match(at, self._quotes(self._account.resting(), at, recorded=True))
            self._expire(now)
            self._match(now, self._quotes(self._account.resting(), now))
            self._account.note_matched(now)
        self._settle(now)

    def _moments(self, after: datetime, before: datetime) -> Iterable[datetime]:
        """Recorded snapshots strictly between two moments; a live feed keeps none."""
        if not isinstance(self._feed, RecordedFeed):
            return []
        return [at for at in self._feed.moments(after, before) if at < before]

    def _quotes(
        self, resting: list[Resting], at: datetime, *, recorded: bool = False
    ) -> dict[str, Quote]:
        contracts = {order.contract for order in resting}
        if not contracts:
            return {}
        if recorded and isinstance(self._feed, RecordedFeed):
            return self._feed.quotes_at(at, contracts)
        return self._feed.quotes(contracts)

    def _match(self, at: datetime, quotes: dict[str, Quote]) -> None:
        """Trade resting orders, best price and then oldest first, against one set of quotes."""
        if not _open(at):
            return
        opened = session(at.date()).open
        for order in self._account.resting():
            quote = quotes.get(order.contract.key)
            # a quote of an earlier session is what the market was, not what it offers
            if quote is None or quote.at < opened or order.placed_at > at:
                continue
            taken = self._account.taken(quote.key, order.side, quote.at)
            found = match(order, quote, taken)
            if found:
                cost = trade_charges(
                    order.side, found.units, found.price, at.date(), first_fill=order.untouched
                )
                self._account.add_fill(
                    order.number, found.units, found.price, cost.total, at, quote.at
                )

    def _expire(self, now: datetime) -> None:
        for order in self._account.resting():
            close = session(order.placed_at.date()).close
            if now > close:
                self._end(order.number, close, OrderState.EXPIRED, "end of the session")

    def _due(self, now: datetime) -> list[tuple[OptionContract, int]]:
        """Holdings past their expiry's close."""
        return [
            (contract, net)
            for contract, net in self._account.holdings()
            if session(contract.expiry).close <= now
        ]

    def _settle(self, now: datetime) -> None:
        """Close expired holdings at their worth; a stock's shares count at their value."""
        for contract, net in self._due(now):
            final = self._feed.settlement(contract.symbol, contract.expiry)
            if final is None:
                continue
            worth = intrinsic(contract, final)
            cost = exercise_charges(worth * net, contract.expiry).total if net > 0 else 0
            close = session(contract.expiry).close
            self._account.add_settlement(contract, net, worth, cost, close)

    def _listed(self, contract: OptionContract, now: datetime) -> OptionContract:
        """The contract as the exchange lists it: its lot and tick count, not the order's.

        Raises
        ------
        DataError
            When it is not listed.
        """
        if self._instruments is None:
            return contract
        return self._instruments.contract(contract.key, now.date())

    def _refusal(self, request: OrderRequest, now: datetime) -> str | None:
        if not _open(now):
            return f"the market is closed at {now:%Y-%m-%d %H:%M}"
        if request.contract.expiry < now.date():
            return f"the contract expired on {request.contract.expiry}"
        return refusal(request, now.date()) or lacks_money(request, self._account, self._feed, now)

    def _end(self, number: int, at: datetime, state: OrderState, reason: str) -> None:
        order = self._account.order(number)
        if order is not None and not order.state.terminal:
            self._account.set_state(number, state, at, reason)

    def _order(self, number: int) -> Order:
        found = self._account.order(number)
        if found is None:
            raise BrokerError(f"the account has no order E{number}")
        return found


def _open(now: datetime) -> bool:
    hours = session(now.date())
    return is_trading_day(now.date()) and hours.open <= now <= hours.close
