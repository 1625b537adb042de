"""A home with an open position, and the page served from it by a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.money import paise
from strikeloom.domain.positions import Position
from strikeloom.domain.proposals import Proposal, RiskSummary, Score, strategy_id
from strikeloom.domain.templates import Stance, Tier
from strikeloom.monitor import CycleReport, watch
from strikeloom.nse.sessions import next_trading_day
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "05_monitor.ipynb"
_SERVE = """
import sys
from pathlib import Path
from strikeloom.views.monitor.serve import serve
serve(
    Path(sys.argv[1]), Path(sys.argv[2]), port=0, parameters={"market": sys.argv[3]},
    idle_seconds=int(sys.argv[4]),
)
"""


@dataclass(frozen=True)
class Served:
    """A running page."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def bare(self) -> str:
        """Address without the token."""
        return self.url.partition("?")[0]

    @property
    def port(self) -> int:
        """Port it listens on."""
        return int(self.bare.rsplit(":", 1)[1].strip("/"))


def desk_with_position(home: Path, history: Path, lots: int = 4) -> tuple[Desk, Position]:
    """Open the drawn market in a home of its own and enter a put spread on its index.

    ``home`` must equal STRIKELOOM_HOME.
    """
    (home / "history").mkdir(parents=True)
    (home / "history" / history.name).symlink_to(history)
    desk = open_desk(history.name)
    first = desk.history.quote_times(next_trading_day(desk.history.days()[-1]))[0]
    desk.clock.move_to(first)  # type: ignore[attr-defined]
    return desk, enter(desk, lots)


def enter(desk: Desk, lots: int) -> Position:
    """Sell a put below the money and buy the one below it, where both are deepest."""
    low, high = max(_pairs(desk), key=lambda pair: pair[0])[1]
    symbol = low.symbol
    legs = (Leg(high, Side.SELL, 1, 1), Leg(low, Side.BUY, 1, 1))
    name = strategy_id(desk.market, desk.day, symbol, "bull_put_spread", legs)
    risk = RiskSummary(0, 0, 0, (), 0.5, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    proposal = Proposal(
        name, desk.market, desk.day, symbol, "Index", "bull_put_spread", Tier.INCOME,
        Stance.LONG, "credit", legs, risk, Score(0.5, ()), (), "test", 1, 1.0, 0.1, None,
        Outlook.BULLISH,
    )  # fmt: skip
    desk.store.save_proposals("test", [proposal], [])
    desk.store.record_intents(prepare_entry(desk, proposal, lots))
    with Lease(desk.home, desk.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    return desk.store.position(name)


def _pairs(desk: Desk) -> Iterator[tuple[int, tuple[OptionContract, OptionContract]]]:
    """The two puts next below the money of each expiry, with the lots one can trade in both."""
    frame = desk.history.quotes(desk.clock.now())
    puts = frame[(frame["right"] == "PE") & (frame["strike"] < frame["spot"]) & (frame["bid"] > 5)]
    for _, rows in puts.groupby(["symbol", "expiry"]):
        near = rows.sort_values("strike").tail(2)
        if len(near) < 2:
            continue
        low, high = (
            desk.instruments.instrument(
                f"{row.symbol}:{row.expiry:%Y-%m-%d}:{paise(row.strike)}:PE", desk.day
            )
            for row in near.itertuples()
        )
        size = int(near[["bid_size", "ask_size"]].min(axis=None))
        yield size // low.lot_size, (low, high)


def one_cycle(desk: Desk) -> CycleReport:
    """Let the watcher look once."""
    return watch(desk, SystemClock(), once=True)


@contextmanager
def served(
    home: Path, market: str, idle_seconds: int = 120, notebook: Path = NOTEBOOK
) -> Iterator[Served]:
    """Serve the page, or another notebook as the page; ended by its own process id."""
    log = (home / "page.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(notebook), str(home), market, str(idle_seconds)],
        stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ),
    )  # fmt: skip
    try:
        yield Served(_address(home, process), process)
    finally:
        process.terminate()
        process.wait(15)
        log.close()


def _address(home: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and process.poll() is None:
        file = home / "monitor.url"
        if file.exists():
            return file.read_text().strip()
        time.sleep(0.1)
    raise AssertionError((home / "page.log").read_text())
