"""A desk that holds options, futures and shares of RELIANCE, over a broker with a simple ledger.

The ledger knows cash and net units and nothing of the product: trades at the quote shown, shares
paid at once, futures when they are settled. What a contract ends in is stated by the test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from strikeloom.domain.instruments import (
    FutureContract,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest, OrderState
from strikeloom.domain.proposals import Proposal, strategy_id
from strikeloom.ports.clock import Clock
from strikeloom.ports.feed import MarketFeed
from support.desk import DAY, MARKET, MadeDesk
from support.fakes import EXPIRY, ist

RELIANCE, LOT = "RELIANCE", 500
NEXT = date(2026, 3, 30)
SHARE = Share(RELIANCE)
FUTURE = FutureContract(RELIANCE, EXPIRY, InstrumentKind.STOCK, LOT, 5)
NEXT_FUTURE = FutureContract(RELIANCE, NEXT, InstrumentKind.STOCK, LOT, 5)
INDEX_FUTURE = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 5)


def stock_option(strike: int, right: Right = Right.CALL, expiry: date = EXPIRY) -> OptionContract:
    """Make an option on the share, in lots of 500; ``strike`` in rupees."""
    return OptionContract(RELIANCE, expiry, strike * 100, right, InstrumentKind.STOCK, LOT, 5)


@dataclass
class LedgerBroker:
    """``ports.broker.Broker`` that fills every order at the quote shown, without charges.

    Attributes
    ----------
    cash : int
        Paise.
    held : dict of str to int
        Net units by key.
    reports_settlements : bool
        Whether ``ended`` are among its fills.
    """

    feed: MarketFeed
    clock: Clock
    cash: int = 0
    name: str = "ledger"
    book_is_complete: bool = True
    reports_settlements: bool = False
    held: dict[str, int] = field(default_factory=dict)
    book: list[Order] = field(default_factory=list)
    trades: list[Fill] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)

    def submit(self, request: OrderRequest) -> Order:
        key, at = request.instrument.key, self.clock.now()
        quote = self.feed.quotes([request.instrument])[key]
        price = quote.ask if request.side is Side.BUY else quote.bid
        crosses = price and int(request.side) * (request.limit - price) >= 0
        filled = request.units if crosses and key not in self.refuse else 0
        state = OrderState.TRADED if filled else OrderState.PENDING
        order = Order(
            f"E{len(self.book) + 1}", request.correlation_id, key, request.side, request.units,
            filled, request.limit, state, "", at,
        )  # fmt: skip
        self.book.append(order)
        if filled and price:
            self.trades.append(
                Fill(
                    f"F{len(self.trades) + 1}",
                    order.order_id,
                    order.correlation_id,
                    key,
                    request.side,
                    filled,
                    price,
                    0,
                    at,
                )
            )
            signed = int(request.side) * filled
            self._move(key, signed)
            if not isinstance(request.instrument, FutureContract):
                self.cash -= signed * price
        return order

    def cancel(self, order_id: str) -> Order:
        raise AssertionError(f"{order_id} was cancelled")

    def change_count(self) -> object | None:
        return len(self.book), len(self.trades), tuple(sorted(self.held.items()))

    def orders(self) -> list[Order]:
        return list(self.book)

    def fills(self) -> list[Fill]:
        return list(self.trades)

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:  # noqa: ARG002
        return []

    def positions(self) -> list[BrokerPosition]:
        return [BrokerPosition(key, units) for key, units in sorted(self.held.items())]

    def funds(self) -> Funds:
        return Funds(self.cash, 0, self.cash)

    def end(self, key: str, units: int, price: int, *, kind: str = "settlement") -> None:
        """Book what the exchange did: signed units at a price, in cash; reported if it reports."""
        self._move(key, units)
        if "FUT" not in key:
            self.cash -= units * price
        side = Side.BUY if units > 0 else Side.SELL
        name = f"S{len(self.trades) + 1}"
        fill = Fill(
            name, "E0", "", key, side, abs(units), price, 0, self.clock.now(), kind
        )  # fmt: skip
        if self.reports_settlements:
            self.trades.append(fill)

    def vary(self, units: int, change: int) -> None:
        """Settle so many units of a future in cash, by a change of its price in paise."""
        self.cash += units * change

    def close(self) -> None:
        """Nothing to release."""

    def _move(self, key: str, units: int) -> None:
        left = self.held.pop(key, 0) + units
        if left:
            self.held[key] = left


class MixedDesk(MadeDesk):
    """A made desk for RELIANCE at Rs 1,400, over a ``LedgerBroker`` at ``ledger``."""

    def __init__(self, home: Path, *, reports: bool = False, **changes: Any) -> None:
        super().__init__(home)
        self.ledger = LedgerBroker(self.feed, self.clock, reports_settlements=reports)
        self.broker.close()
        self.broker = self.ledger  # type: ignore[assignment]
        self.feed.spots[RELIANCE] = 1_400_00
        self.desk = replace(self.desk, broker=self.ledger, **changes)  # type: ignore[arg-type]
        self.show(SHARE, 1_399_90, 1_400_10)
        self.show(FUTURE, 1_405_00, 1_405_50)
        self.show(NEXT_FUTURE, 1_412_00, 1_412_50)

    def hold(
        self,
        template: str,
        *legs: tuple[Any, Side, int, int],
        symbol: str = RELIANCE,
        plan: str = "credit",
    ) -> str:
        """Propose and enter legs of (instrument, side, lots, price). Returns the position's id."""
        made = tuple(Leg(*leg) for leg in legs)
        proposal = self.propose(made, template, symbol=symbol, plan=plan)
        self.enter(proposal, 1)
        return proposal.strategy_id

    def propose(
        self,
        legs: Sequence[Leg],
        template: str = "covered_call",
        *,
        symbol: str = RELIANCE,
        plan: str = "credit",
    ) -> Proposal:
        """Store a proposal on the share."""
        made = super().propose(legs, template)
        name = strategy_id(MARKET, DAY, symbol, template, legs)
        made = replace(made, strategy_id=name, symbol=symbol, exit_plan=plan)
        self.store.save_proposals("made", [made], [])
        return made

    def at(self, moment: str) -> None:
        """Move the clock; quotes are shown again as of then."""
        self.clock.at = ist(moment)
        self.step(0)
