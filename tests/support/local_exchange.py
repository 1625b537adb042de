"""A local exchange in this process: its own port, a clock stepped by hand, quotes shown by hand.

``with local_exchange(tmp_path) as local:`` serves options and futures on NIFTY and RELIANCE and the
share of RELIANCE on 11 February 2026 at ten in the morning. Nothing moves unless the test moves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np

from strikeloom.domain.depth import Depth, Level
from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.quotes import Quote
from strikeloom.errors import DataError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.candles import Candles
from strikeloom.exchange.market.columns import QuoteColumns
from strikeloom.exchange.market.securities import Listed, ListedUnderlying
from strikeloom.exchange.market.views import SpotView, View
from strikeloom.exchange.server.clients import (
    LOCAL_CLIENT,
    LOCAL_TOKEN,
    Client,
    Tokens,
    default_clients,
)
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import FaultInjector, InjectedFault, parse_fault
from strikeloom.exchange.server.faulty_market import FaultyMarket
from strikeloom.exchange.server.rate_limits import ClientRateLimiter, documented_limits
from strikeloom.exchange.server.serve import ExchangeServer
from strikeloom.ports.history import History
from support.fakes import EXPIRY, ManualClock, ShownFeed, ist, option
from support.held_port import held_port

WEEKLY = date(2026, 2, 17)
MORNING = "2026-02-11 10:00"


#: One of each other kind.
FUTURE = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 10)
STOCK_FUTURE = FutureContract("RELIANCE", EXPIRY, InstrumentKind.STOCK, 500, 10)
SHARE = Share("RELIANCE", 10)
#: The share's own number is a contract's in the other segment.
SHARE_ID = 2885


def hand_contracts() -> list[Instrument]:
    """NIFTY at two expiries, RELIANCE at one; the last ones are two futures and a share."""
    nifty = [
        option(strike, right, expiry=expiry)
        for expiry in (WEEKLY, EXPIRY)
        for strike in range(24_000, 26_100, 100)
        for right in Right
    ]
    reliance = [
        option(strike, right, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
        for strike in range(1_300, 1_520, 20)
        for right in Right
    ]
    return [*nifty, *reliance, FUTURE, STOCK_FUTURE, SHARE]


class HandMarket(ShownFeed):
    """A market whose quotes the test shows, listed and numbered."""

    def __init__(self, clock: ManualClock, contracts: Sequence[Instrument]) -> None:
        super().__init__(clock)
        self.listed = tuple(
            Listed(row, instrument, _number(row, instrument))
            for row, instrument in enumerate(contracts)
        )
        self.underlyings = (
            ListedUnderlying("NIFTY", InstrumentKind.INDEX, 13),
            ListedUnderlying("RELIANCE", InstrumentKind.STOCK, 2885),
        )
        self.spots |= {"NIFTY": 25_000_00, "RELIANCE": 1_400_00}
        self._by_key = {row.instrument.key: row for row in self.listed}
        self.lasts: dict[str, list[int]] = {}
        self.candles: dict[tuple[str, int], Candles] = {}

    def by_key(self, key: str) -> Listed:
        if key not in self._by_key:
            raise DataError(f"{key} is not listed")
        return self._by_key[key]

    def unlist(self) -> None:
        """Take everything off the list of the day."""
        self.listed = ()
        self._by_key.clear()

    def expiries(self, symbol: str) -> list[date]:
        options = (it for row in self.listed if isinstance(it := row.instrument, OptionContract))
        return sorted({it.expiry for it in options if it.symbol == symbol})

    def trade(self, instrument: Instrument, last: int, volume: int, interest: int = 0) -> None:
        """Show a last price (paise), the day's volume and the open interest (units)."""
        before = self.shown[instrument.key]
        self.shown[instrument.key] = Quote(
            before.key, before.bid, before.ask, last, before.bid_size, before.ask_size,
            volume, interest, self.clock.now(),
        )  # fmt: skip
        self.lasts.setdefault(instrument.key, []).append(last)

    def views(self, keys: Iterable[str]) -> dict[str, View]:
        return {key: self._view(self.shown[key]) for key in keys if key in self.shown}

    def _view(self, quote: Quote) -> View:
        lasts, depth = self.lasts.get(quote.key), self._depth(quote)
        band = self.band(self._by_key[quote.key].instrument)
        return View(
            listed=self._by_key[quote.key],
            quote=quote,
            depth=depth,
            open=lasts[0] if lasts else None,
            high=max(lasts) if lasts else None,
            low=min(lasts) if lasts else None,
            previous_close=100_00,
            previous_open_interest=6500,
            previous_volume=650,
            average=round(sum(lasts) / len(lasts)) if lasts else None,
            last_units=65 if lasts else None,
            last_at=quote.at if lasts else None,
            oi_high=quote.open_interest,
            oi_low=quote.open_interest,
            lower_band=band[0] if band else None,
            upper_band=band[1] if band else None,
            bid_total=sum(level.units for level in depth.bids),
            ask_total=sum(level.units for level in depth.asks),
        )

    def _depth(self, quote: Quote) -> Depth:
        tick = self._by_key[quote.key].instrument.tick
        bids = _ladder(quote.bid, quote.bid_size, -tick)
        return Depth(quote.key, bids, _ladder(quote.ask, quote.ask_size, tick), quote.at)

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        return [until] if until > after else []

    def quotes_at(self, _at: datetime, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        return self.quotes(contracts)

    def depths(self, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        return {key: self._depth(quote) for key, quote in self.quotes(contracts).items()}

    def depths_at(self, _at: datetime, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        return self.depths(contracts)

    def spot_view(self, symbol: str) -> SpotView:
        last, at = self.spot(symbol)
        return SpotView(symbol, last, last, last, last, last - 100_00, at)

    def columns(self, rows: np.ndarray) -> QuoteColumns:
        found = [
            self.shown.get(self.listed[row].instrument.key) for row in np.asarray(rows).tolist()
        ]
        names = ("bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest")
        return QuoteColumns(self.clock.now(), *(
            np.array([(getattr(q, name) or 0) if q else 0 for q in found], dtype=np.int64)
            for name in names
        ))  # fmt: skip

    def bars(self, key_or_symbol: str, minutes: int) -> Candles:
        none = np.empty(0, np.int64)
        return self.candles.get(
            (key_or_symbol, minutes), Candles([], none, none, none, none, none, none)
        )

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        known = isinstance(instrument, OptionContract) and instrument.symbol == "NIFTY"
        return (5, 2_000_00) if known else None


def _number(row: int, instrument: Instrument) -> int:
    """Numbers are unique within a segment only: one contract has the share's."""
    return SHARE_ID if isinstance(instrument, Share) or instrument == STOCK_FUTURE else 35001 + row


def _ladder(best: int | None, units: int, step: int) -> tuple[Level, ...]:
    if best is None:
        return ()
    prices = [best + step * i for i in range(5)]
    return tuple(Level(p, units, 1) for p in prices if p > 0)


class Pace:
    """Real seconds as the rate limits count them; the test advances them."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class LocalExchange:
    """A running local exchange: its addresses, and the parts that a test sets."""

    server: ExchangeServer
    market: HandMarket
    clock: ManualClock
    pace: Pace
    client_id: str = LOCAL_CLIENT
    token: str = LOCAL_TOKEN

    @property
    def auth(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def rest(self) -> str:
        return f"{self.auth}/v2"

    @property
    def feed(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}/feed"

    @property
    def orders_ws(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}/orders-ws"

    @property
    def depth(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}/twentydepth"

    @property
    def instruments(self) -> str:
        return f"{self.auth}/instruments.csv"

    @property
    def exchange(self) -> ExchangeState:
        return self.server.exchange

    @property
    def engine(self) -> Engine:
        return self.exchange.engines[self.client_id]

    @property
    def faults(self) -> FaultInjector:
        return self.exchange.faults

    def environment(self) -> dict[str, str]:
        return self.server.environment()

    def id_of(self, instrument: Instrument) -> str:
        return str(self.market.by_key(instrument.key).security_id)

    def push(self) -> None:
        """Report order updates, send changed quotes; matches only when the clock has moved."""
        self.server.beat()

    def step(self, seconds: float) -> None:
        """Let exchange time pass, then push."""
        self.clock.wait(seconds)
        self.push()

    def fault(self, kind: str, **fields: object) -> None:
        """Switch a fault on: ``fault("reply-lost", on="place", times=1)``."""
        self.faults.switch_on(parse_fault({"kind": kind, **fields}, "the test"))


@contextmanager
def local_exchange(
    folder: Path,
    *,
    limits: bool = True,
    clients: Sequence[Client] = (),
    faults: Sequence[InjectedFault] = (),
    seed: int = 0,
    history: History | None = None,
    at: str = MORNING,
    cash: Mapping[str, int] | None = None,
) -> Iterator[LocalExchange]:
    """Serve until the block ends."""
    clock, pace = ManualClock(ist(at)), Pace()
    market, faults = HandMarket(clock, hand_contracts()), FaultInjector(faults, seed=seed)
    faulty_market = FaultyMarket(market, faults)
    known = tuple(clients) or default_clients()
    engines = {
        c.client_id: Engine(
            Account(folder / f"{c.client_id}.db", (cash or {}).get(c.client_id, c.cash)),
            faulty_market,
            clock,
            history=history,
        )
        for c in known
    }
    exchange = ExchangeState(
        clock=clock,
        market=faulty_market,
        engines=engines,
        tokens=Tokens(known, clock),
        limiter=ClientRateLimiter(documented_limits() if limits else {}, pace),
        faults=faults,
        seconds=pace,
        history=history,
        speed=0.0,
        name="hand-made",
    )
    with held_port() as port, ExchangeServer(exchange, port, beat_seconds=0.0) as server:
        yield LocalExchange(server, market, clock, pace, known[0].client_id, known[0].token)
    for engine in engines.values():
        engine.close()
