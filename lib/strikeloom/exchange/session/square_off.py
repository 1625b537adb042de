"""The broker's risk desk closes what is held for the day only, from its time of the day on."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.conditional.records import ConditionalKind, ConditionalState
from strikeloom.exchange.orders.hours import is_open, is_traded
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.session.closing import Closer
from strikeloom.exchange.session.intake import OrderIntake
from strikeloom.exchange.session.market_reader import MarketReader
from strikeloom.nse.edges import beginning
from strikeloom.nse.products import first_square_off, square_off_moment

#: Names the orders that the broker sends itself.
SQUARE_OFF: Final = "SQUARE_OFF"
_WHY = "INTRADAY positions are squared off by the broker"


class SquareOff:
    """Closes an account's INTRADAY positions at the market, within the caller's transaction.

    Its first moment at or after the broker's time ends every INTRADAY order and sends orders
    against the positions; a later one sends orders against what is open still. Where the time is
    not on record (``nse.products``), positions are carried.
    """

    def __init__(
        self, account: Account, market: MarketReader, intake: OrderIntake, closer: Closer
    ) -> None:
        self._account = account
        self._market = market
        self._intake = intake
        self._closer = closer
        self._refused: set[tuple[str, str]] = set()

    def watched_since(self) -> list[datetime]:
        """Beginning of the day of each INTRADAY position whose day has a time on record."""
        return [
            beginning(position.day)
            for position in self._open()
            if square_off_moment(position.instrument, position.day) is not None
        ]

    def close(self, at: datetime, *, recorded: bool = False) -> None:
        """End INTRADAY orders and close INTRADAY positions whose time has come.

        Parameters
        ----------
        recorded : bool, default False
            ``at`` is a recorded moment of the past, and its quotes apply.
        """
        first = first_square_off(at.date()) if is_open(at) else None
        if first is None or at < first:
            return  # most moments of a day: the book is not looked through
        for item in self._account.active.all():
            what = item.legs[0].placement if item.kind is ConditionalKind.SUPER else None
            if what and what.product is Product.INTRADAY and _is_over(what.instrument, at):
                self._closer.end_conditional(item, ConditionalState.CANCELLED, _WHY, at)
        self._intake.cancel([order.number for order in self._to_end(at)], _WHY, at)
        for position in sorted(self._open(), key=lambda held: held.net > 0):
            missing = self._missing(position, at)
            for placement in self._closer.closing_orders(position, missing, at) if missing else []:
                order = self._intake.place(
                    placement, at, leg=SQUARE_OFF, recorded=recorded, by_broker=True
                )
                if order.state is OrderState.REJECTED:
                    self._refused.add((position.instrument.key, at.date().isoformat()))

    def _open(self) -> list[NetPosition]:
        positions = self._account.mirror.positions.values()
        return [p for p in positions if p.product is Product.INTRADAY and p.net]

    def _to_end(self, at: datetime) -> list[BookOrder]:
        """INTRADAY orders of the session that clients sent."""
        return [
            order
            for order in self._account.book
            if order.product is Product.INTRADAY
            and order.leg != SQUARE_OFF
            and order.session_day == at.date()
            and _is_over(order.instrument, at)
        ]

    def _missing(self, position: NetPosition, at: datetime) -> int:
        """Signed units that no order of the broker closes yet; 0 where none could trade."""
        instrument = position.instrument
        if not _is_over(instrument, at) or not is_traded(instrument, at):
            return 0
        if (instrument.key, at.date().isoformat()) in self._refused:
            return 0
        if self._market.quote_at(instrument, at) is None:
            return 0
        sent: Counter[str] = Counter()
        for order in self._account.book:
            if order.leg == SQUARE_OFF:
                sent[order.instrument.key] += int(order.side) * order.left
        return position.net + sent[instrument.key]


def _is_over(instrument: Instrument, at: datetime) -> bool:
    until = square_off_moment(instrument, at.date())
    return until is not None and until <= at
