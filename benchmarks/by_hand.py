"""Covered calls, collars and futures over real days beside an account worked out by hand.

``python benchmarks/by_hand.py [SHARED_DATA]`` plays, in the matching engine over the exchange's
files, covered calls and collars on ten stocks over both monthly cycles of 2026, with deliveries and
rolls; futures of all indices and of forty stocks over the same days, bought or sold, some left to
delivery, those of the stocks with an extraordinary dividend among them; and calendars and collars
of NIFTY with its future over a year of index days. What was traded, at which price, is given to
``tests/support/hand_account.py``; cash, charges and holdings of every evening must be equal to the
paisa.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    OptionContract,
    Right,
    Share,
    instrument_of,
)
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState, Validity
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.orders.request import Placement
from strikeloom.nse.sessions import IST
from strikeloom.settings.all import load_settings
from support.hand_account import DayFile, HandAccount, Line, archived_day, zipped_day

SHARED = Path(os.environ.get("STRIKELOOM_SHARED", Path(__file__).parents[2] / "shared")) / "data"
STOCKS = (
    "RELIANCE", "HDFCBANK", "ICICIBANK", "INFY", "TCS", "SBIN", "ITC", "AXISBANK", "LT", "MARUTI",
)  # fmt: skip
#: Stocks whose strikes were lowered by a dividend in the days of 2026.
PAID = ("WIPRO", "BPCL", "ITC", "GAIL", "NMDC", "ONGC")
CASH = 10**11  # Rs 100 crore: no order waits for money here
AROUND = 0.04  # of the level, to the strike sold; the put of a collar as far below

#: Orders of a morning: instrument and signed units.
Orders = list[tuple[Instrument, int]]
Plan = Callable[["Morning"], Orders]


@dataclass(frozen=True)
class Morning:
    """What a plan reads: the day, what is held, and what is listed."""

    day: date
    held: dict[Instrument, int]
    history: ParquetHistory
    listed: HistoryInstruments

    def level(self, symbol: str) -> int:
        """Close of the underlying in the day's file, in paise; strikes are chosen around it."""
        rows = self.history.contracts(self.day, symbols=[symbol], columns=["underlying"])
        return round(float(rows["underlying"].iloc[0]) * 100)

    def expiries(self, symbol: str) -> list[date]:
        """Expiries of the symbol's futures, which are monthly, ascending."""
        rows = self.history.contracts(self.day, symbols=[symbol], columns=["expiry", "right"])
        return sorted(set(rows.loc[rows["right"] == "XX", "expiry"].dt.date))

    def future(self, symbol: str, expiry: date) -> Instrument:
        """Future of an expiry."""
        return self.listed.instrument(f"{symbol}:{expiry}:FUT", self.day)

    def option(self, symbol: str, expiry: date, right: Right, share: float) -> Instrument | None:
        """Traded option whose strike is nearest to a share of the level; ``None`` without any."""
        names = ["expiry", "right", "strike", "lots_traded"]
        rows = self.history.contracts(self.day, symbols=[symbol], columns=names)
        rows = rows[(rows["right"] == right.value) & (rows["lots_traded"] > 50)]
        rows = rows[rows["expiry"].dt.date == expiry]
        if not len(rows):
            return None
        strikes = rows["strike"].to_numpy()
        strike = strikes[np.argmin(np.abs(strikes * 100 - share * self.level(symbol)))]
        key = f"{symbol}:{expiry}:{round(strike * 100)}:{right.value}"
        return self.listed.instrument(key, self.day)


def line_of(instrument: Instrument) -> Line:
    """The instrument as the files name it."""
    match instrument:
        case Share():
            return Line(instrument.symbol)
        case FutureContract():
            return Line(instrument.symbol, str(instrument.expiry), 0, "XX")
        case OptionContract():
            name = str(instrument.expiry), instrument.strike, instrument.right.value
            return Line(instrument.symbol, *name)


def play(
    history: ParquetHistory,
    days: Sequence[date],
    read: Callable[[date], DayFile],
    plan: Plan,
    folder: Path,
) -> Iterator[tuple[date, str]]:
    """Differences of each evening, one text each; and counts of what was done at the end."""
    clock = SteppedClock(_at(days[0], time(9, 0)))
    feed = ReplayFeed(history, clock, load_settings().desk.replay)
    listed = HistoryInstruments(history, history.underlyings())
    account = Account(folder / "account.db", CASH)
    engine = Engine(account, feed, clock, listed, history=history, adjustments=listed.adjustments)
    hand, seen = HandAccount(CASH, read), 0
    counts = dict.fromkeys(("orders", "trades", "option", "future", "share", "refused"), 0)
    for day in days:
        clock.move_to(_at(day, time(9, 15)))
        engine.advance()
        hand.morning_of(day)
        for instrument, units in plan(Morning(day, engine.holdings(), history, listed)):
            counts["orders"] += 1
            placed = _placed(engine, feed, instrument, units)
            counts["refused"] += placed is OrderState.REJECTED
        fresh = [it for it in engine.trades() if it.kind == "trade"][seen:]
        seen += len(fresh)
        for trade in fresh:
            line = line_of(instrument_of(trade.instrument.key))
            counts["trades"] += 1
            counts[line.kind] += 1
            hand.trade(line, int(trade.side) * trade.units, trade.price, day)
        clock.move_to(_at(day, time(20, 0)))
        engine.advance()
        hand.end_of(day)
        yield from ((day, text) for text in _differences(engine, account, hand))
    engine.audit()
    lowered = {f"{symbol} {on}": paise for (symbol, on), paise in hand.dividends.items() if paise}
    yield days[-1], f"dividends {lowered}"
    yield days[-1], f"counts {counts}"


def _placed(
    engine: Engine, feed: ReplayFeed, instrument: Instrument, units: int
) -> OrderState | None:
    """Take what the market shows; nothing is sent where it shows no price."""
    quote = feed.quotes([instrument]).get(instrument.key)
    limit = None if quote is None else quote.ask if units > 0 else quote.bid
    if limit is None:
        return None
    side = Side.BUY if units > 0 else Side.SELL
    order = engine.place(
        Placement(instrument, side, abs(units), limit=limit, validity=Validity.IOC)
    )
    return order.state


def _differences(engine: Engine, account: Account, hand: HandAccount) -> Iterator[str]:
    ours = {line_of(instrument): units for instrument, units in engine.holdings().items()}
    if ours != dict(hand.held):
        yield f"holdings {sorted(map(str, set(ours.items()) ^ set(hand.held.items())))}"
    if account.money.cash != hand.cash:
        yield f"cash {account.money.cash} against {hand.cash}: {account.money.cash - hand.cash}"


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, IST)


def covered(symbols: Sequence[str]) -> Plan:
    """Covered calls on half of the symbols, collars on the others; rolled or left to delivery."""

    def orders(morning: Morning) -> Orders:
        found: Orders = []
        for place, symbol in enumerate(symbols):
            mine = {it: units for it, units in morning.held.items() if it.symbol == symbol}
            expiries = morning.expiries(symbol)
            near, later = expiries[0], expiries[1]
            last = near == morning.day
            calls = [it for it in mine if isinstance(it, OptionContract)]
            if not calls:
                expiry = later if last or near - morning.day < timedelta(days=4) else near
                found += _opened(morning, symbol, mine, expiry, collar=place % 2 == 1)
            elif near - morning.day == timedelta(days=1) and place % 3 == 0:
                found += [(it, -mine[it]) for it in calls]  # rolled on the eve
                found += _opened(morning, symbol, mine, later, collar=place % 2 == 1)
        return found

    return orders


def _opened(
    morning: Morning, symbol: str, mine: dict[Instrument, int], expiry: date, *, collar: bool
) -> Orders:
    call = morning.option(symbol, expiry, Right.CALL, 1 + AROUND)
    put = morning.option(symbol, expiry, Right.PUT, 1 - AROUND) if collar else None
    if call is None or (collar and put is None):
        return []
    lot = call.lot_size
    share = morning.listed.instrument(f"{symbol}:SHARE", morning.day)
    lacking = lot - sum(units for it, units in mine.items() if isinstance(it, Share))
    found: Orders = [(share, lacking)] if lacking else []
    found += [(put, lot)] if put else []
    return [*found, (call, -lot)]


def index_year(symbol: str) -> Plan:
    """A calendar of futures, and a collar of the near future; both rolled the day before expiry."""

    def orders(morning: Morning) -> Orders:
        expiries = morning.expiries(symbol)
        near, later = expiries[0], expiries[1]
        held = {it: units for it, units in morning.held.items() if it.symbol == symbol}
        if near - morning.day > timedelta(days=1) and held:
            return []
        if held and near == morning.day and morning.day.month % 2:
            return []  # every other month everything is left to end
        far = expiries[2] if len(expiries) > 2 else later
        if near - morning.day <= timedelta(days=1):
            near, later = later, far
        base = morning.future(symbol, near)
        put = morning.option(symbol, near, Right.PUT, 1 - AROUND)
        call = morning.option(symbol, near, Right.CALL, 1 + AROUND)
        wanted = {base: base.lot_size, morning.future(symbol, later): -2 * base.lot_size}
        if put is not None and call is not None:
            wanted |= {put: base.lot_size, call: -base.lot_size}
        changed = {it: wanted.get(it, 0) - held.get(it, 0) for it in {**held, **wanted}}
        return [(it, units) for it, units in changed.items() if units]

    return orders


def _number(symbol: str) -> int:
    """A number that stays the symbol's own while others come and go."""
    return sum(map(ord, symbol))


def outright(count: int, also: Sequence[str] = ()) -> Plan:
    """The near future of every index and of some stocks; every third is left to its end."""

    def orders(morning: Morning) -> Orders:
        rows = morning.history.contracts(morning.day, columns=["symbol", "kind", "right"])
        rows = rows[rows["right"] == "XX"].drop_duplicates("symbol").sort_values("symbol")
        indices = rows.loc[rows["kind"] == "index", "symbol"].tolist()
        stocks = rows.loc[rows["kind"] == "stock", "symbol"].tolist()
        found: Orders = []
        chosen = [name for name in stocks if _number(name) % max(1, len(stocks) // count) == 0]
        for symbol in [*indices, *also, *chosen]:
            place = _number(symbol)
            expiries = morning.expiries(symbol)
            held = {it: n for it, n in morning.held.items() if it.symbol == symbol}
            left = place % 3 == 0
            near = expiries[1 if expiries[0] == morning.day and not left else 0]
            kept = {it for it in held if isinstance(it, FutureContract) and it.expiry >= near}
            found += [(it, -n) for it, n in held.items() if it not in kept]
            if not kept and not (left and near == morning.day):
                future = morning.future(symbol, near)
                found.append((future, future.lot_size * (1 if left or place % 2 else -1)))
        return found

    return orders


def main(data: Path) -> int:
    wrong = 0
    with tempfile.TemporaryDirectory() as home:
        stocks = ParquetHistory(Path(home) / "stocks", "nse")
        paths = [data / name for name in ("fo_bhavcopy/udiff", "cm_bhavcopy")]
        import_paths(paths, stocks)
        days = [day for day in stocks.days() if day.year == 2026]
        folder = Path(home) / "a"
        folder.mkdir()
        read = zipped_day(data / "fo_bhavcopy" / "udiff")
        wrong += _printed("stocks", play(stocks, days, read, covered(STOCKS), folder))
        folder = Path(home) / "f"
        folder.mkdir()
        wrong += _printed("futures", play(stocks, days, read, outright(40, PAID), folder))
        index = ParquetHistory(Path(home) / "index", "nse")
        archives = data / "fo_bhavcopy" / "index_options"
        unpacked = Path(home) / "files"
        _unpack(archives, unpacked)
        import_paths([unpacked], index, accept=("session",))
        days = [day for day in index.days() if date(2024, 12, 1) <= day < date(2026, 1, 1)]
        folder = Path(home) / "b"
        folder.mkdir()
        read = archived_day(archives)
        wrong += _printed("index", play(index, days, read, index_year("NIFTY"), folder))
    return 1 if wrong else 0


def _printed(name: str, lines: Iterator[tuple[date, str]]) -> int:
    wrong = 0
    for day, text in lines:
        wrong += not text.startswith(("counts", "dividends"))
        print(f"{name:7} {day} {text}")
    print(f"{name:7} {wrong} evenings differ")
    return wrong


def _unpack(archives: Path, folder: Path) -> None:
    import tarfile

    for path in sorted(archives.glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED))
