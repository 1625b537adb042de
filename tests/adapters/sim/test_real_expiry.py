"""An expiry of the exchange's own: bought on the eve, settled at the printed value."""

from datetime import date

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.errors import Rejected
from strikeloom.settings.all import load_settings
from support.fakes import CASH, ManualClock, ist, order

EVE, EXPIRY = date(2026, 2, 23), date(2026, 2, 24)


@pytest.mark.realdata
def test_positions_of_an_eve_settle_at_the_exchange_s_figures(shared_data, tmp_path):
    history = ParquetHistory(tmp_path / "nse", "nse")
    files = [
        shared_data / "fo_bhavcopy" / "udiff" / f"BhavCopy_NSE_FO_0_0_0_{d:%Y%m%d}_F_0000.csv.zip"
        for d in (EVE, EXPIRY)
    ]
    assert all(outcome.status == "done" for outcome in import_paths(files, history).files)
    clock = ManualClock(ist("2026-02-23 15:30"))
    feed = ReplayFeed(history, clock, load_settings().desk.replay)
    listed = HistoryInstruments(history, history.underlyings())
    broker = SimBroker(tmp_path / "account.db", feed, clock, CASH, listed)
    low, high, put, idle = (
        listed.instrument(f"{name}:2026-02-24:{rest}", EVE)
        for name, rest in (
            ("NIFTY", "2540000:CE"),
            ("NIFTY", "2550000:CE"),
            ("RELIANCE", "144000:PE"),
            ("RELIANCE", "133000:CE"),  # no lot traded on the eve; the file prints a stale close
        )
    )
    assert (low.lot_size, put.lot_size) == (65, 500)
    quotes = feed.quotes([low, high, put, idle])
    # closes 326.30, 236.30 and 17.40; calls and put in the money are quoted around what their
    # counterparts out of the money at 19.45, 29.00 and 1.40 and one forward make of them
    buy, sell, put_bid = quotes[low.key].ask, quotes[high.key].bid, quotes[put.key].bid
    assert (buy, sell, put_bid) == (32585, 23400, 1685)
    assert (quotes[idle.key].bid, quotes[idle.key].ask, quotes[idle.key].last) == (None,) * 3
    broker.submit(order("long", low, "BUY", 2, 32585))
    broker.submit(order("short", high, "SELL", 2, 23400))
    broker.submit(order("put", put, "SELL", 1, 1685))
    waiting = broker.submit(order("idle", idle, "BUY", 1, 50000))
    assert [o.state for o in broker.orders()] == [OrderState.TRADED] * 3 + [OrderState.PENDING]
    assert broker.cancel(waiting.order_id).filled_units == 0
    with pytest.raises(Rejected, match="not a listed contract"):
        broker.submit(
            order("gone", low.__class__("NIFTY", EXPIRY, 2541000, low.right), "BUY", 1, 5)
        )
    cash = broker.funds().cash

    clock.at = ist("2026-02-24 15:29")
    assert len(broker.positions()) == 3
    clock.at = ist("2026-02-24 15:30")
    held = {p.instrument_key: p.net_units for p in broker.positions()}
    assert held == {"RELIANCE:SHARE": 500}
    settled = {f.instrument_key: f for f in broker.fills() if f.kind == "settlement"}
    # the file of the 24th prints 25,424.65 for NIFTY and 1,428.80 for RELIANCE
    assert {key: (f.price, f.units, f.side) for key, f in settled.items()} == {
        low.key: (24_65, 130, Side.SELL),
        high.key: (0, 130, Side.BUY),
        put.key: (11_20, 500, Side.BUY),
    }
    # exercise is taxed at 0.125 % of 3,204.50 until 2026-03-31
    assert settled[low.key].charges == 401
    # 500 shares received at 1,440 each: 0.1 % of tax and 0.015 % of stamps on 7,20,000
    assert settled[put.key].charges == 720_00 + 108_00
    # the put ends at 11.20, and its shares come in at 1,428.80: at 1,440.00 together
    assert broker.funds().cash == cash + 24_65 * 130 - 401 - 1_440_00 * 500 - 828_00
    assert broker.funds().margin_used == 0
    broker.close()
