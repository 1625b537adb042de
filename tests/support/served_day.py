"""A desk of ours against a local exchange that plays one day of the exchange's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.master_store import MasterStore
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.desk.exchange import ExchangeOptions, open_exchange
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.ports.desk import Desk
from support.desk import MadeDesk
from support.dhan_client import OurSide
from support.local_exchange import LocalExchange, Pace


class NoFiles(HistoryInstruments):
    """Only the underlyings are known: no file shows what became of a contract."""

    def adjustments(self, *_: object) -> list[ContractAdjustment]:
        return []


@contextmanager
def served(
    home: Path, history: ParquetHistory, day: date, made: MadeDesk, *, files: bool
) -> Iterator[Desk]:
    """Our desk against the exchange that plays a day."""
    options = ExchangeOptions(market="nse", day=day, speed=0.0, limits=False, carry=True)
    with open_exchange(options, home=home) as server:
        clock = server.exchange.clock
        assert isinstance(clock, SteppedClock)
        local = LocalExchange(server, server.exchange.market, clock, Pace())  # type: ignore[arg-type]
        ours = OurSide(local, home / "ours")
        known = (HistoryInstruments if files else NoFiles)(history, {})
        store = MasterStore(home / "ours" / "instruments")
        listed = DhanInstruments(store, known, clock)
        ours.instruments = ours.broker._instruments = listed
        yield replace(
            made.desk,
            clock=clock,
            feed=ours.feed(streaming=False),
            broker=ours.broker,
            instruments=listed,
        )
        ours.close()
