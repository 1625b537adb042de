"""Positions whose contract the exchange changed, on the first moment of the day it takes effect."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Instrument, InstrumentKind, Share, order_of
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import BrokerError, DataError, StoreError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.conditional.records import ConditionalState
from strikeloom.exchange.session.closing import Closer
from strikeloom.exchange.session.daily_settlement import DailySettler
from strikeloom.exchange.session.expiry import ExpiryProcessor
from strikeloom.nse.edges import expected_before
from strikeloom.nse.sessions import has_opened

_LOG = logging.getLogger(__name__)
#: What the exchange made of a contract after one day, up to another inclusive.
FindAdjustments = Callable[[Instrument, date, date], list[ContractAdjustment]]


class PositionAdjuster:
    """Moves positions to the contracts that theirs have become, in the caller's transaction.

    Orders that wait in the old contract end.

    Parameters
    ----------
    find : callable, optional
        Without it nothing is adjusted.
    """

    def __init__(
        self,
        account: Account,
        closer: Closer,
        daily: DailySettler,
        expiry: ExpiryProcessor,
        find: FindAdjustments | None,
    ) -> None:
        self._account = account
        self._daily = daily
        self._expiry = expiry
        self._closer = closer
        self._find = find
        self._searched_on: date | None = None
        self._unknown = False
        self.unclear: set[str] = set()  # keys of a stock's contracts that may have changed
        self._reported = ""

    def due(self, at: datetime) -> bool:
        """Whether contracts are to be searched: at any time before the open, once after it."""
        if self._find is None or self._searched_on == at.date():
            return False
        account = self._account
        return bool(account.mirror.positions or len(account.book) or account.active.all())

    def adjust(self, at: datetime) -> None:
        """Adjust what is open, where that is due."""
        if self._find is None or not self.due(at):
            return
        today, self._unknown = at.date(), False
        self.unclear.clear()
        self._end_orders(at)
        while found := self._found(at):
            # what ended before a change is settled, and delivered, in the shares of then
            first = min(changes[0].day for changes in found.values())
            if self._expiry.settle_before(first, at):
                continue
            end = self._expiry.first_end(at)
            self._apply({held: _until(end, changes) for held, changes in found.items()}, at)
            if end is None:
                break
        if has_opened(at) and not self._unknown:  # before that the day's list may be missing
            self._searched_on = today

    def search_again(self) -> None:
        """Search once more today: shares came in on an earlier day."""
        self._searched_on = None

    def _found(self, at: datetime) -> dict[NetPosition, list[ContractAdjustment]]:
        """Changes of what is held, by position, oldest first."""
        today = at.date()
        named = self._account.ledger.adjusted_days()
        found = {}
        for position in self._account.ledger.positions():
            key = position.instrument.key, position.product
            # one that was carried into today is held since the session before, by its name of
            # then: a day without a list would not show which contract had the name
            carried = position.carried_buy_units or position.carried_sell_units
            since = min(position.day, expected_before(today)) if carried else position.day
            since = max(since, named.get(key, since))
            if position.parted(today)[0].net and since < today:
                changes = self._changes(position.instrument, since, today)
                if changes:
                    found[position] = changes
        return found

    def _apply(self, found: dict[NetPosition, list[ContractAdjustment]], at: datetime) -> None:
        moved = {}
        for position, changes in found.items():
            if not changes:
                continue
            # a future first leaves the days of its former terms behind
            moved[self._daily.settle_until(position, changes[0].day, at)] = changes
            for change in changes if position.product is Product.CNC else ():
                self._account.shares.adjust_owed(change)
        self._account.ledger.adjust(moved, at)

    def _changes(self, held: Instrument, since: date, until: date) -> list[ContractAdjustment]:
        """Adjustments of a contract; none, and searched again, while they are not known.

        What a share pays is paid outside the account and changes nothing here.
        """
        try:
            found = self._find(held, since, until) if self._find else []
            return [it for it in found if not (it.amount and isinstance(it.new, Share))]
        except (BrokerError, DataError, StoreError) as error:
            self._unknown = True
            if held.kind is InstrumentKind.STOCK:
                self.unclear.add(held.key)
            text = f"whether {held.key} was adjusted by {until} is not known yet: {error}"
            if text != self._reported:
                self._reported = text
                _LOG.warning("%s", text)
            return []

    def _end_orders(self, at: datetime) -> None:
        """End orders and conditional orders that wait in a contract that is another one now."""
        account = self._account
        for order in list(account.book):
            changes = self._changes(order.instrument, order.placed_at.date(), at.date())
            if changes:
                why = f"the contract was adjusted: {changes[-1].cause}"
                account.orders.save(
                    replace(order, state=OrderState.EXPIRED, reason=why, updated_at=at)
                )
        for item in account.active.all():
            contracts = {leg.placement.instrument for leg in item.legs}
            for instrument in sorted(contracts, key=order_of):
                changes = self._changes(instrument, item.created_at.date(), at.date())
                if changes:
                    why = f"the contract was adjusted: {changes[-1].cause}"
                    self._closer.end_conditional(item, ConditionalState.CANCELLED, why, at)
                    break


def _until(end: date | None, changes: list[ContractAdjustment]) -> list[ContractAdjustment]:
    """Changes up to a day; all without one."""
    return changes if end is None else [change for change in changes if change.day <= end]
