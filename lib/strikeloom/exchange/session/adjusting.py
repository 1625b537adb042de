"""Positions whose contract the exchange changed, on the first moment of the day it takes effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.records import ConditionalState
from strikeloom.exchange.session.closing import Closer

#: What the exchange made of a contract after one day, up to another inclusive.
FindAdjustments = Callable[[OptionContract, date, date], list[ContractAdjustment]]


class PositionAdjuster:
    """Moves positions to the contracts that theirs have become, in the caller's transaction.

    Orders that wait in the old contract end. Each contract is searched once a day.

    Parameters
    ----------
    find : callable, optional
        Without it nothing is adjusted.
    """

    def __init__(self, account: Account, closer: Closer, find: FindAdjustments | None) -> None:
        self._account = account
        self._closer = closer
        self._find = find

    def adjust(self, at: datetime) -> None:
        """Adjust what is open, where a later day begins than the account's."""
        today = at.date()
        if self._find is None or self._account.money.day >= today.isoformat():
            return
        self._end_orders(self._find, at)
        found = {
            position: changes
            for position in self._account.ledger.positions()
            if position.net and (changes := self._find(position.contract, position.day, today))
        }
        if found:
            self._account.ledger.adjust(found, at)

    def _end_orders(self, find: FindAdjustments, at: datetime) -> None:
        """End orders and conditional orders that wait in a contract that is another one now."""
        account = self._account
        for order in list(account.book):
            changes = find(order.contract, order.placed_at.date(), at.date())
            if changes:
                why = f"the contract was adjusted: {changes[-1].cause}"
                account.orders.save(
                    replace(order, state=OrderState.EXPIRED, reason=why, updated_at=at)
                )
        for item in account.active.all():
            contracts = {leg.placement.contract for leg in item.legs}
            for contract in sorted(contracts):
                changes = find(contract, item.created_at.date(), at.date())
                if changes:
                    why = f"the contract was adjusted: {changes[-1].cause}"
                    self._closer.end_conditional(item, ConditionalState.CANCELLED, why, at)
                    break
