"""State of the exchange: market, accounts, tokens, rate limits, faults. Without any network."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from strikeloom.domain.instruments import Instrument, Share
from strikeloom.errors import NoQuote
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.securities import Listed
from strikeloom.exchange.market.views import View
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.server.clients import Tokens
from strikeloom.exchange.server.fault_injection import FaultInjector, FaultKind
from strikeloom.exchange.server.packets import SEGMENTS, Instant
from strikeloom.exchange.server.rate_limits import ClientRateLimiter
from strikeloom.exchange.server.responses import refused
from strikeloom.exchange.server.served_market import ServedMarket
from strikeloom.exchange.server.wire_codes import is_id, segment_of
from strikeloom.exchange.server.wire_securities import WireSecurities
from strikeloom.ports.clock import Clock
from strikeloom.ports.history import History

_NOTHING = Instant(0, 0, 0, 0, None, *(0,) * 11, (), ())


@dataclass
class ExchangeState:
    """State that the calls and the streams share.

    Attributes
    ----------
    seconds : callable
        Real seconds of a clock that never goes back: limits, pings and late orders use it.
    speed : float
        Seconds of the exchange's time in one of them; 0 when it is stepped by hand.
    engines : mapping of str to Engine
        By client id.
    addresses, consents : dict
        Addresses that clients registered; consents and one-time ids not yet used.
    hidden_until : dict
        Until when an order is missing from the book, by client and number.
    """

    clock: Clock
    market: ServedMarket
    engines: Mapping[str, Engine]
    tokens: Tokens
    limiter: ClientRateLimiter
    faults: FaultInjector
    seconds: Callable[[], float]
    history: History | None = None
    speed: float = 1.0
    name: str = ""
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    addresses: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict, repr=False)
    hidden_until: dict[tuple[str, int], float] = field(default_factory=dict)

    @cached_property
    def securities(self) -> WireSecurities:
        """Numbers of what is listed on the day."""
        return WireSecurities(self.market)

    def traded(self, segment: str, security_id: str) -> Listed:
        """Share, future or option of an order.

        Raises
        ------
        ApiRefusal
            DH-905 when there is none in that segment.
        """
        if segment.upper() not in SEGMENTS:
            raise refused("DH-905", f"Invalid exchangeSegment {segment[:20]!r}")
        number = int(security_id) if is_id(security_id) else -1
        found = self.securities.listed(segment.upper(), number)
        if found is None:
            raise refused("DH-905", f"Invalid SecurityId {security_id[:20]!r}")
        return found

    def named(self, instrument: Instrument) -> tuple[Listed, dict[str, str]]:
        """Listing of an instrument, today's or of its own, and the fields of a row that name it."""
        listed, number = self.securities.named(instrument)
        return listed, {
            "exchangeSegment": segment_of(instrument),
            "tradingSymbol": listed.trading_symbol,
            "securityId": str(number),
        }

    def target(self, segment: str, security_id: int) -> Instrument | str | None:
        """What is traded under a number, else the symbol whose level it is; ``None``: unknown."""
        found = self.securities.listed(segment, security_id)
        return found.instrument if found else self.securities.symbol(segment, security_id)

    def instants(self, wanted: Iterable[tuple[str, int]]) -> list[Instant]:
        """Ticks of securities by segment and number; unknown ones are left out."""
        places = list(wanted)
        listed = [self.securities.listed(*place) for place in places]
        views = self.market.views(row.instrument.key for row in listed if row is not None)
        shown = []
        for (segment, number), row in zip(places, listed, strict=True):
            symbol = self.securities.symbol(segment, number)
            if row is None and symbol is None:
                continue
            view = views.get(row.instrument.key) if row else None
            known = _blank(SEGMENTS[segment], number)
            if view is not None:
                known = _instant(segment, number, view)
            if symbol is not None and not known.last:  # a share that has not traded has its level
                known = self._with_level(known, symbol)
            shown.append(known)
        return shown

    def _with_level(self, known: Instant, symbol: str) -> Instant:
        """Tick with the prices of an underlying, where its level is known."""
        try:
            it = self.market.spot_view(symbol)
        except NoQuote:
            return known
        return replace(
            known,
            last=it.last,
            traded_at=it.at,
            open=it.open,
            high=it.high,
            low=it.low,
            previous_close=it.previous_close or 0,
        )

    def level(self, segment: str, security_id: int) -> int:
        """Level in paise of the underlying with a number; 0 where none is known."""
        symbol = self.securities.symbol(segment, security_id)
        try:
            return self.market.spot(symbol)[0] if symbol is not None else 0
        except NoQuote:
            return 0

    def band(self, segment: str, security_id: int) -> tuple[int, int]:
        """Lowest and highest price of the day in paise; zeros when not on record."""
        found = self.securities.listed(segment, security_id)
        return (self.market.band(found.instrument) if found else None) or (0, 0)

    def marks(self, keys: Iterable[str]) -> dict[str, int]:
        """Last price in paise by contract key, else the middle, else yesterday's close.

        What is listed no more has none.
        """
        found = {}
        listed = [key for key in keys if self.securities.lists(key)]
        for key, view in self.market.views(listed).items():
            quote = view.quote
            price = quote.last
            if price is None and quote.bid is not None and quote.ask is not None:
                price = (quote.bid + quote.ask) // 2
            price = price or view.previous_close
            if price:
                found[key] = price
        return found

    def bars(self, target: Instrument | str, minutes: int) -> list[tuple[Any, ...]]:
        """Candles of today as moment, open, high, low, close in rupees, volume, open interest."""
        key = target if isinstance(target, str) else target.key
        it = self.market.bars(key, minutes)
        if isinstance(target, Share) and not it.at:  # it has not traded: the level of the stock
            it = self.market.bars(target.symbol, minutes)
        prices = zip(it.open, it.high, it.low, it.close, strict=True)
        return [
            (at, *(float(price) / 100 for price in four), float(volume), float(interest))
            for at, four, volume, interest in zip(
                it.at, prices, it.volume, it.open_interest, strict=True
            )
        ]

    def order_placed(self, client_id: str, order: BookOrder) -> None:
        """Draw the fault that hides a new order from the book for a while."""
        self._draw_late(client_id, order.number)

    def conditional_placed(self, client_id: str, number: int) -> None:
        """As ``order_placed``, for a conditional order; their numbers are stored as negative."""
        self._draw_late(client_id, -number)

    def _draw_late(self, client_id: str, number: int) -> None:
        late = self.faults.draw((FaultKind.LATE_ORDER,), "place")
        if late is not None:
            self.hidden_until[client_id, number] = self.seconds() + late.seconds

    def shows_conditional(self, client_id: str, number: int) -> bool:
        """Whether a list shows a conditional order yet."""
        return self.shows(client_id, -number)

    def shows(self, client_id: str, order: BookOrder | int) -> bool:
        """Whether the book shows an order yet."""
        number = order if isinstance(order, int) else order.number
        until = self.hidden_until.get((client_id, number))
        if until is not None and self.seconds() >= until:
            del self.hidden_until[client_id, number]
            until = None
        return until is None


def _instant(segment: str, number: int, view: View) -> Instant:
    quote, depth = view.quote, view.depth
    return _blank(
        SEGMENTS[segment],
        number,
        last=quote.last or 0,
        last_units=view.last_units or 0,
        traded_at=view.last_at,
        average=view.average or 0,
        volume=quote.volume,
        sell_units=view.ask_total,
        buy_units=view.bid_total,
        interest=quote.open_interest,
        interest_high=view.oi_high,
        interest_low=view.oi_low,
        open=view.open or 0,
        high=view.high or 0,
        low=view.low or 0,
        previous_close=view.previous_close or 0,
        previous_interest=view.previous_open_interest or 0,
        previous_volume=view.previous_volume or 0,
        bids=depth.bids,
        asks=depth.asks,
    )


def _blank(segment: int, number: int, **known: Any) -> Instant:
    """Tick with these fields only, the others zero."""
    return replace(_NOTHING, segment=segment, security_id=number, **known)
