"""A history of a few underlyings, cut from the exchange's own files, and a position in it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.instruments import Share
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.positions import Position
from strikeloom.domain.proposals import Proposal, RiskSummary, Score, strategy_id
from strikeloom.domain.templates import Stance, Tier
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work

_SYMBOL = 7  # column of the UDiFF layout


def history_of(
    shared: Path, home: Path, symbols: Sequence[str], days: Iterable[date]
) -> ParquetHistory:
    """History below ``home`` with the rows of these underlyings, as published."""
    history = ParquetHistory(home / "history" / "nse", "nse")
    folder = home / "files"
    folder.mkdir(parents=True, exist_ok=True)
    files = [_cut(shared, day, set(symbols), folder) for day in days]
    assert not import_paths(files, history).refused
    return history


def _cut(shared: Path, day: date, symbols: set[str], folder: Path) -> Path:
    name = f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv"
    packed = shared / "fo_bhavcopy" / "udiff" / f"{name}.zip"
    if packed.exists():
        with zipfile.ZipFile(packed) as archive:
            text = archive.read(archive.namelist()[0]).decode()
    else:  # only the index options of this day are there
        month = shared / "fo_bhavcopy" / "index_options" / f"nifty_banknifty_{day:%Y-%m}.tar.xz"
        with tarfile.open(month) as archive:
            place = next(n for n in archive.getnames() if n.endswith(name))
            found = archive.extractfile(place)
            assert found is not None
            text = found.read().decode()
    lines = io.StringIO(text).readlines()
    kept = [line for line in lines[1:] if line.split(",")[_SYMBOL] in symbols]
    (folder / name).write_text("".join([lines[0], *kept]))
    return folder / name


def enter(
    desk: Desk, legs: Sequence[tuple[str, Side]], day: date, *, lots: int = 1, shares: int = 1
) -> Position:
    """Open a position at the prices of the moment, through the only way to an order.

    ``shares``: of a leg that is a share, for each lot of the others.
    """
    contracts = [(desk.instruments.instrument(key, day), side) for key, side in legs]
    quotes = desk.feed.quotes([instrument for instrument, _ in contracts])
    made = []
    for instrument, side in contracts:
        quote = quotes[instrument.key]
        price = quote.ask if side is Side.BUY else quote.bid
        assert price is not None
        made.append(Leg(instrument, side, shares if isinstance(instrument, Share) else 1, price))
    symbol = contracts[0][0].symbol
    name = strategy_id(desk.market, day, symbol, "made", made)
    risk = RiskSummary(0, 0, 0, (), 0.5, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    proposal = Proposal(
        name, desk.market, day, symbol, "x", "made", Tier.INCOME, Stance.LONG, "debit",
        tuple(made), risk, Score(0.5, ()), (), "debit", 1, 1.0, 0.3, None, Outlook.BULLISH,
    )  # fmt: skip
    desk.store.save_proposals("made", [proposal], [])
    desk.store.record_intents(prepare_entry(desk, proposal, lots))
    with Lease(desk.home, desk.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    return desk.store.position(name)
