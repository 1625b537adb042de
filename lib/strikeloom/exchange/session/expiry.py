"""Ends: orders with their session, positions with their last day, days with the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.instruments import Contract, FutureContract, Share
from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.session.daily_settlement import DailySettler
from strikeloom.exchange.session.delivering import ShareDeliverer
from strikeloom.nse.charges import settlement_charges
from strikeloom.nse.edges import ending
from strikeloom.nse.settlement import deliveries, settled_value
from strikeloom.ports.feed import MarketFeed


class ExpiryProcessor:
    """Ends orders, positions and days of an account, within the caller's transaction.

    Parameters
    ----------
    charges_day : datetime.date, optional
        Day whose charges apply; default: each day its own.
    """

    def __init__(
        self,
        account: Account,
        feed: MarketFeed,
        daily: DailySettler,
        charges_day: date | None = None,
    ) -> None:
        self._account = account
        self._feed = feed
        self._charges_day = charges_day
        self._daily = daily
        self._shares = ShareDeliverer(account, feed, charges_day)

    def expire_orders(self, now: datetime) -> None:
        """End the open orders whose session is over."""
        oldest = self._account.book.oldest_day
        if oldest is None or now <= ending(oldest):
            return
        for order in list(self._account.book):
            close = ending(order.session_day)
            if now > close:
                self._account.orders.save(
                    replace(
                        order,
                        state=OrderState.EXPIRED,
                        reason="end of the session",
                        updated_at=close,
                    )
                )

    def is_due(self, now: datetime) -> bool:
        """Whether anything can be settled, delivered or bought in."""
        return bool(self.due(now)) or self._daily.is_due(now) or self._shares.is_due(now)

    def due(self, now: datetime) -> list[tuple[NetPosition, Contract, date, int]]:
        """Positions past the close of their last day: the contract, the day and its final value."""
        due = []
        for position in self._account.mirror.positions.values():
            contract = position.instrument
            if not position.net or isinstance(contract, Share):
                continue
            day = self._feed.last_day(contract.symbol, contract.expiry, position.day)
            if day > now.date() or ending(day) > now:
                continue
            final = self._feed.settlement(contract.symbol, day)
            if final is not None:
                due.append((position, contract, day, final))
        return due

    def settle(self, now: datetime, unclear: Collection[str] = ()) -> bool:
        """Settle futures of each day that is over, then what has ended.

        Parameters
        ----------
        unclear : collection of str
            Keys of futures of which it is not known yet whether they were adjusted.

        Returns
        -------
        bool
            Whether shares were delivered on an earlier day: they may have been adjusted since.
        """
        self._daily.settle(now, unclear)
        delivered = self._end_contracts(self.due(now), now)
        return any(day < now.date() for day in delivered)

    def buy_in(self, now: datetime) -> None:
        """Buy in what is owed."""
        self._shares.buy_in(now)

    def settle_before(self, day: date, now: datetime) -> bool:
        """Settle what ended, and buy in what was owed, before a day; whether there was anything."""
        ended = [it for it in self.due(now) if it[2] < day]
        for position, _, last, _ in ended:
            self._daily.settle_until(position, last, now)
        self._end_contracts([it for it in self.due(now) if it[2] < day], now)
        return self._shares.buy_in(now, day) or bool(ended)

    def first_end(self, now: datetime) -> date | None:
        """Earliest last day of what can be settled now; ``None`` when there is none."""
        return min((day for _, _, day, _ in self.due(now)), default=None)

    def _end_contracts(
        self, due: Sequence[tuple[NetPosition, Contract, date, int]], now: datetime
    ) -> list[date]:
        """Close expired positions at their value; a stock's contracts then deliver its shares.

        Stock contracts of one underlying and expiry net off; only the rest is delivered, at the
        final value, and taxed as delivered. A future's last settlement is to the final value.

        Returns
        -------
        list of datetime.date
            Last days of the contracts that ended in deliveries.
        """
        last_days = {}
        held: Counter[Contract] = Counter()
        finals = {}
        for position, contract, day, final in due:
            held[contract] += position.net
            finals[contract.symbol, contract.expiry] = final
            last_days[contract.symbol, contract.expiry] = day
        delivered: Counter[Contract] = Counter()
        found = deliveries(held, finals)
        for delivery in found:
            delivered.update(delivery.units)
        for position, contract, day, final in due:
            net = position.net
            # products of one contract: those on its net side deliver
            units = min(abs(net), delivered[contract]) if net * held[contract] > 0 else 0
            delivered[contract] -= units
            value = settled_value(contract, final)
            cost = settlement_charges(contract, net, value, self._charges_day or day, units).total
            self._account.ledger.add_settlement(position, value, cost, ending(day))
            if isinstance(contract, FutureContract):
                closed = self._account.ledger.position(contract.key, position.product)
                if closed is not None:
                    self._account.variation.settle(closed, day, final, now)
        for delivery in found:
            of = delivery.symbol, delivery.expiry
            self._shares.deliver(delivery, finals[of], last_days[of])
        return [last_days[it.symbol, it.expiry] for it in found]

    def begin_day(self, now: datetime) -> None:
        """Carry the account into a later day."""
        if self._account.money.day < now.date().isoformat():
            self._account.ledger.begin_day(now.date())
