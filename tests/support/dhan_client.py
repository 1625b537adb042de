"""Our side of the wire, against a local exchange, with secrets that can be searched for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from strikeloom.adapters.dhan.broker import DhanBroker
from strikeloom.adapters.dhan.chains import DhanChains
from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.credentials import Addresses, Credentials
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.master_store import MasterStore, fetch_master
from strikeloom.adapters.dhan.rate_limiter import RateLimiter
from strikeloom.adapters.dhan.settlements import Settlements
from strikeloom.adapters.dhan.socket import Pauses
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Underlying
from strikeloom.errors import DataError
from strikeloom.nse.freeze import freeze_units
from strikeloom.settings.secrets import Secret
from support.local_exchange import LocalExchange

QUICK = Pauses(first=0.02, longest=0.2, cool_off=0.3, steady=0.2, stall=30.0, open=2.0)


class Known:
    """Kinds of the underlyings of the local exchange."""

    def underlying(self, symbol: str) -> Underlying:
        if symbol not in ("NIFTY", "RELIANCE"):
            raise DataError(f"underlying {symbol} is unknown")
        return Underlying(
            symbol, InstrumentKind.INDEX if symbol == "NIFTY" else InstrumentKind.STOCK, "Any"
        )

    def adjustments(self, *_: object) -> list[ContractAdjustment]:
        return []

    def order_limit(self, instrument: OptionContract, day: date) -> int | None:
        return freeze_units(instrument.symbol, day)


class NoHistory:
    def days(self) -> list[Any]:
        return []


class FreeLimits(RateLimiter):
    """Limits that are all kept, in a time that passes when it is waited for."""

    def __init__(self) -> None:
        self.at = 0.0
        super().__init__(lambda: self.at, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class OurSide:
    """Everything of ours, for one account of a local exchange."""

    local: LocalExchange = field(repr=False)
    folder: Path = field(repr=False)
    token: str = field(default="", repr=False)
    client: DhanClient = field(init=False)

    def __post_init__(self) -> None:
        local = self.local
        self.token = self.token or local.token
        self.addresses = Addresses(
            rest=local.rest,
            feed=local.feed,
            orders=local.orders_ws,
            instruments=local.instruments,
        )
        self.credentials = Credentials(Secret(local.client_id), lambda: Secret(self.token))
        self.client = DhanClient(self.credentials, self.addresses, FreeLimits(), answer_seconds=2.0)
        store = MasterStore(self.folder / "instruments")
        store.keep(fetch_master(local.instruments), local.clock.now().date())
        self.instruments = DhanInstruments(store, Known(), local.clock)  # type: ignore[arg-type]
        self.broker = DhanBroker(self.client, self.instruments, local.clock)
        self.chains = DhanChains(self.client, self.instruments, local.clock)

    def feed(
        self,
        *,
        streaming: bool = True,
        on_tick: Callable[[], None] = lambda: None,
        pauses: Pauses = QUICK,
    ) -> DhanFeed:
        settlements = Settlements(self.client, self.instruments, NoHistory())  # type: ignore[arg-type]
        return DhanFeed(
            self.client,
            self.instruments,
            self.local.clock,
            settlements,
            stream=self.addresses if streaming else None,
            on_tick=on_tick,
            pauses=pauses,
        )

    def close(self) -> None:
        self.client.close()


def eventually(what: Callable[[], Any], *, tries: int = 400) -> Any:
    """First true answer, asked for again and again for some seconds."""
    for _ in range(tries):
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it never came")
