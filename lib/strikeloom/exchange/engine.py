"""The matching engine: an exchange and a broker's risk desk for one account, in-process.

Deterministic: what happens depends on the account file, the clock and the feed alone. Resting
orders are matched whenever the engine is asked anything, against quotes as of the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import numpy as np

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.money import rupees, rupees_text
from strikeloom.domain.orders import (
    BrokerPosition,
    Fill,
    Funds,
    Order,
    OrderRequest,
    OrderState,
    Validity,
)
from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.account import Account
from strikeloom.exchange.matching import match, refusal
from strikeloom.nse.charges import exercise_charges, trade_charges
from strikeloom.nse.sessions import is_trading_day, session, years_to_expiry
from strikeloom.nse.settlement import intrinsic
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed
from strikeloom.risk.margin import margins, span_parameters

Holding = tuple[OptionContract, int]


class Engine:
    """Orders in, fills out, money kept."""

    def __init__(self, account: Account, feed: MarketFeed, clock: Clock) -> None:
        self._account = account
        self._feed = feed
        self._clock = clock

    def submit(self, request: OrderRequest) -> Order:
        """Accept and match an order, or refuse it.

        Raises
        ------
        Rejected
            With the exchange's or the risk desk's reason; the refusal is on record.
        """
        self.advance()
        now = self._clock.now()
        reason = self._refusal(request, now)
        state = OrderState.REJECTED if reason else OrderState.PENDING
        number = self._account.add_order(request, now, state, reason or "")
        if reason:
            raise Rejected(f"{request.contract.label}: {reason}", order_id=f"E{number}")
        self._match(now)
        if request.validity is Validity.IOC:
            self._end(number, now, OrderState.CANCELLED, "unfilled part of an IOC order")
        return self._order(number)

    def cancel(self, order_id: str) -> Order:
        """Cancel what is left; an order that is already terminal is answered as it is."""
        self.advance()
        number = int(order_id.removeprefix("E") or 0) if order_id[1:].isdigit() else 0
        self._end(number, self._clock.now(), OrderState.CANCELLED, "cancelled on request")
        return self._order(number)

    def orders(self) -> list[Order]:
        """All orders."""
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
        """Cash, margin blocked, and what is left of it."""
        self.advance()
        cash = self._account.cash()
        used = self._margin(self._account.holdings(), self._clock.now())
        return Funds(cash, used, cash - used)

    def advance(self) -> None:
        """Bring the account up to the clock: expire, match, settle."""
        now = self._clock.now()
        for order in self._account.resting():
            close = session(order.placed_at.date()).close
            if now > close:
                self._end(order.number, close, OrderState.EXPIRED, "end of the session")
        self._match(now)
        self._settle(now)

    def _match(self, now: datetime) -> None:
        resting = self._account.resting()
        if not resting or not _open(now):
            return
        quotes = self._feed.quotes({order.contract for order in resting})
        for order in resting:
            quote = quotes.get(order.contract.key)
            if quote is None:
                continue
            taken = self._account.taken(quote.key, order.side, quote.at)
            found = match(
                order.side, order.remaining, order.limit, order.contract.lot_size, quote, taken
            )
            if found:
                cost = trade_charges(order.side, found.units, found.price, now.date()).total
                self._account.add_fill(order.number, found.units, found.price, cost, now, quote.at)

    def _settle(self, now: datetime) -> None:
        for contract, net in self._account.holdings():
            close = session(contract.expiry).close
            if now < close:
                continue
            final = self._feed.settlement(contract.symbol, contract.expiry)
            if final is None:
                continue
            worth = intrinsic(contract, final)
            cost = exercise_charges(worth * net, contract.expiry).total if net > 0 else 0
            self._account.add_settlement(contract, net, worth, cost, close)

    def _refusal(self, request: OrderRequest, now: datetime) -> str | None:
        day = now.date()
        if not _open(now):
            return f"the market is closed at {now:%Y-%m-%d %H:%M}"
        if request.contract.expiry < day:
            return f"the contract expired on {request.contract.expiry}"
        return refusal(request, day) or self._lacks_money(request, now)

    def _lacks_money(self, request: OrderRequest, now: datetime) -> str | None:
        """Reason when cash and margin do not carry the order. Closing orders need none."""
        holdings = dict(self._account.holdings())
        pending = self._account.resting()
        held = holdings.get(request.contract, 0)
        closing = sum(
            o.remaining
            for o in pending
            if o.contract == request.contract and o.side is request.side
        )
        signed = int(request.side) * request.units
        if held and (held > 0) != (signed > 0) and request.units + closing <= abs(held):
            return None
        cash = self._account.cash()
        for order in pending:
            holdings[order.contract] = (
                holdings.get(order.contract, 0) + int(order.side) * order.remaining
            )
            cash -= order.remaining * order.limit if order.side is Side.BUY else 0
        holdings[request.contract] = holdings.get(request.contract, 0) + signed
        cost = trade_charges(request.side, request.units, request.limit, now.date()).total
        cash -= signed * request.limit if request.side is Side.BUY else 0
        needed = self._margin(holdings.items(), now) + cost
        if needed > cash:
            return f"needs {rupees_text(needed)} of margin, {rupees_text(cash)} is there"
        return None

    def _margin(self, holdings: Iterable[Holding], now: datetime) -> int:
        """Estimate in paise: legs of one underlying and expiry offset each other."""
        groups: dict[tuple[str, date], list[Holding]] = {}
        for contract, net in holdings:
            if net:
                groups.setdefault((contract.symbol, contract.expiry), []).append((contract, net))
        return sum(self._group_margin(legs, now) for legs in groups.values())

    def _group_margin(self, legs: list[Holding], now: datetime) -> int:
        first = legs[0][0]
        if all(net > 0 for _, net in legs):
            return 0
        spot, _ = self._feed.spot(first.symbol)
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

    def _end(self, number: int, at: datetime, state: OrderState, reason: str) -> None:
        with self._account.transaction():
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
