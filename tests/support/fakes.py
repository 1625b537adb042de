"""Simple implementations of ports for tests: a clock and a feed that the test sets.

Also short functions that make an option and an order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
)
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderRequest, Validity
from strikeloom.domain.products import Product
from strikeloom.domain.quotes import Quote
from strikeloom.errors import NoQuote
from strikeloom.nse.products import carried_product
from strikeloom.nse.sessions import IST
from strikeloom.settings.desk import ReplaySettings

EXPIRY = date(2026, 2, 24)
CASH = 50_00_000_00  # fifty lakh rupees in paise


#: Quotes made from end-of-day files as the product ships.
MADE = ReplaySettings(width_factor=1.0, min_half_spread_ticks=1, depth_share_of_volume=0.1)


def ist(text: str) -> datetime:
    """``2026-06-11 09:15`` as an aware datetime."""
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def option(
    strike: int,
    right: Right = Right.CALL,
    *,
    expiry: date = EXPIRY,
    symbol: str = "NIFTY",
    kind: InstrumentKind = InstrumentKind.INDEX,
    lot: int = 65,
) -> OptionContract:
    """Make an option; ``strike`` in rupees."""
    return OptionContract(symbol, expiry, strike * 100, right, kind, lot, 5)


def order(
    name: str,
    instrument: Instrument,
    side: str,
    lots: int,
    limit: int,
    validity: Validity = Validity.DAY,
    product: Product | None = None,
) -> OrderRequest:
    """Make an order; ``limit`` in paise. It is carried over nights when no product is given."""
    units, held_as = lots * instrument.lot_size, product or carried_product(instrument)
    return OrderRequest(name, instrument, Side[side], units, limit, held_as, validity)


class ManualClock:
    """``ports.clock.Clock`` that the test sets."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> bool:
        self.at += timedelta(seconds=seconds)
        return True


class ShownFeed:
    """``ports.feed.MarketFeed`` of live quotes: the last one shown of each contract."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.shown: dict[str, Quote] = {}
        self.spots: dict[str, int] = {}
        self.settlements: dict[tuple[str, date], int] = {}
        self.ends: dict[tuple[str, date], date] = {}

    def show(
        self,
        instrument: Instrument,
        bid: int | None,
        ask: int | None,
        *,
        size: int = 10_000,
        at: datetime | None = None,
    ) -> Quote:
        """Show a quote as of now."""
        quote = Quote(
            instrument.key, bid, ask, None, size if bid else 0, size if ask else 0, 0, 0,
            at or self.clock.now(),
        )  # fmt: skip
        self.shown[instrument.key] = quote
        return quote

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        return {c.key: self.shown[c.key] for c in contracts if c.key in self.shown}

    def spot(self, symbol: str) -> tuple[int, datetime]:
        if symbol not in self.spots:
            raise NoQuote(f"no level of {symbol}", symbol=symbol)
        return self.spots[symbol], self.clock.now()

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        ends = self.ends.get((symbol, expiry), expiry)
        return ends if since <= ends else expiry

    def settlement(self, symbol: str, day: date) -> int | None:
        if self.clock.now() < datetime.combine(day, datetime.min.time(), IST):
            return None
        return self.settlements.get((symbol, day))

    def daily_settlement(self, future: FutureContract, day: date) -> int | None:
        if self.clock.now() < datetime.combine(day, datetime.min.time(), IST):
            return None
        return self.settlements.get((future.key, day))


class TapeFeed(ShownFeed):
    """``ports.feed.RecordedFeed``: quotes by moment, seen as of the clock."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.tape: dict[datetime, dict[str, Quote]] = {}

    def record(
        self, at: datetime, instrument: Instrument, bid: int | None, ask: int | None, size: int
    ) -> None:
        """Put a quote on the tape."""
        quote = Quote(instrument.key, bid, ask, None, size, size, 0, 0, at)
        self.tape.setdefault(at, {})[instrument.key] = quote

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        return [at for at in sorted(self.tape) if after < at <= min(until, self.clock.now())]

    def quotes_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        held = self.tape[at]
        return {c.key: held[c.key] for c in contracts if c.key in held}

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        past = [at for at in sorted(self.tape) if at <= self.clock.now()]
        return self.quotes_at(past[-1], contracts) if past else {}
