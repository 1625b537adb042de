"""Futures over every extraordinary dividend of the exchange's files of 2026.

A holder's cash of the ex-date is the day's settlement price less that of the eve less the dividend,
as announced by the companies; the files state no adjusted price of a future, only lower strikes.
"""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.domain.instruments import FutureContract
from strikeloom.domain.legs import Side
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.orders.request import Placement
from strikeloom.nse.sessions import IST
from strikeloom.settings.all import load_settings
from support.few_symbols import history_of
from support.hand_account import Line, zipped_day

pytestmark = pytest.mark.realdata

#: Symbol, eve, ex-date, and paise a share.
DIVIDENDS = (
    ("WIPRO", "2026-01-23", "2026-01-27", 6_00),
    ("BPCL", "2026-01-30", "2026-02-02", 10_00),
    ("ITC", "2026-02-03", "2026-02-04", 6_50),
    ("GAIL", "2026-02-04", "2026-02-05", 5_00),
    ("NMDC", "2026-02-12", "2026-02-13", 2_50),
    ("ONGC", "2026-02-17", "2026-02-18", 6_25),
)
CASH = 10**10


@pytest.mark.parametrize("row", DIVIDENDS, ids=lambda row: row[0])
def test_a_future_is_settled_from_a_price_less_the_dividend(
    shared_data: Path, tmp_path: Path, row: tuple[str, str, str, int]
) -> None:
    symbol, *texts, paid = row
    eve, day = (date.fromisoformat(text) for text in texts)
    history = history_of(shared_data, tmp_path, [symbol], [eve, day])
    clock = SteppedClock(_at(eve, 9))
    feed = ReplayFeed(history, clock, load_settings().desk.replay)
    listed = HistoryInstruments(history, history.underlyings())
    account = Account(tmp_path / "account.db", CASH)
    engine = Engine(account, feed, clock, listed, history=history, adjustments=listed.adjustments)
    rows = history.contracts(eve, symbols=[symbol], columns=["expiry", "right"])
    expiries = sorted(set(rows.loc[rows["right"] == "XX", "expiry"].dt.date))
    clock.move_to(_at(eve, 10))
    engine.advance()
    held = {}
    for place, expiry in enumerate(expiries[:2]):  # the near one bought, the next one sold
        future = listed.instrument(f"{symbol}:{expiry}:FUT", eve)
        assert isinstance(future, FutureContract)
        side = Side.SELL if place else Side.BUY
        quote = feed.quotes([future])[future.key]
        limit = quote.bid if place else quote.ask
        assert limit
        assert engine.place(Placement(future, side, future.lot_size, limit=limit)).filled
        held[future] = int(side) * future.lot_size
    clock.move_to(_at(eve, 20))
    engine.advance()
    before = account.money.cash
    for hour in (9, 10, 20):
        clock.move_to(_at(day, hour))
        engine.advance()
    read = zipped_day(shared_data / "fo_bhavcopy" / "udiff")
    old, new = read(eve), read(day)
    for future, units in held.items():
        line = Line(symbol, str(future.expiry), 0, "XX")
        if line in new.ends:
            continue  # ended at the level of the day, in a delivery: by the sum of all cash below
        moved = new.settle[line] - (old.settle[line] - paid)
        (only,) = [it for it in account.variation.all(day) if it.instrument_key == future.key]
        assert (only.units, only.amount) == (units, units * moved)
    engine.audit()
    again = Account(tmp_path / "account.db", CASH)
    assert again.money.cash == account.money.cash
    assert account.money.cash - before == _cash(account, held, old, new, paid, symbol, day)


def _cash(account, held, old, new, paid, symbol, day) -> int:
    """Cash of the ex-date by hand, without charges of a delivery on it, which are added back."""
    total = 0
    for future, units in held.items():
        line = Line(symbol, str(future.expiry), 0, "XX")
        price = new.level[symbol] if line in new.ends else new.settle[line]
        total += units * (price - (old.settle[line] - paid))
        if line in new.ends:
            total -= units * price  # shares that the future brought are paid
    return total - account.money.day_charges


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, 30), IST)
