"""Chains that others recorded: both layouts, their traps, and the exchange's own close."""

import tarfile
from datetime import date

import pandas as pd
import pytest

from strikeloom.adapters.recorded import recorded_day
from strikeloom.domain.instruments import FutureContract
from strikeloom.domain.legs import Side
from strikeloom.domain.quotes import QuoteSource
from strikeloom.errors import BadFile, MissingHistory
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.market.sources import tape_of_rows
from strikeloom.exchange.market.views import spot_view
from strikeloom.exchange.orders.request import Placement
from strikeloom.nse.charges import first_charge_day
from support.fakes import ist

PAGE = (
    ",CallOI,CallChnginOI,CallVolume,CallIV,CallLTP,CallNetChng,CallBidQty,CallBidPrice,"
    "CallAskPrice,CallAskQty,StrikePrice,PutBidQty,PutBidPrice,PutAskPrice,PutAskQty,PutNetChng,"
    "PutLTP,PutIV,PutVolume,PutChnginOI,PutOI,CurrentVal\n"
    "0,41925,11850,1038,10.08,243.90,21.00,300,242.00,250.35,75,10800.00,150,34.05,36.90,1050,"
    "-32.30,34.55,16.21,14825,174150,235425,11003.05\n"
    "1,-,-,-,-,-,-,-,-,1.00,-,12000.00,-,-,-,-,-,-,-,-,-,-,11003.05\n"
)
TRADES = (
    "Symbol,Expiry,Strike,CE_LTP,CE_OI,CE_Volume,PE_LTP,PE_OI,PE_Volume,Spot,%Change,timestamp,"
    "Max_Pain\n"
    "NIFTY,2026-02-24,25800.0,200.0,650,1300,0.0,0,0,25802.2,2.8,2026-02-03 {time},1\n"
    "NIFTY,2026-01-27,25800.0,1.0,65,65,1.0,65,65,25802.2,2.8,2026-02-03 {time},1\n"
)


def _page(folder, name, expiry="19SEP2019"):
    path = folder / "index" / "NIFTY" / expiry / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGE)


def test_the_web_page_has_bid_and_ask_and_counts_volume_in_contracts(tmp_path):
    _page(tmp_path, "NIFTY_09-09-2019_10:00.csv")
    day = recorded_day([tmp_path])
    assert (day.day, day.source) == (date(2019, 9, 9), QuoteSource.QUOTED)
    assert {(c.lot_size, c.tick) for c in day.contracts} == {(75, 5)}
    tape = tape_of_rows(day.rows, day.contracts, SteppedClock(ist("2019-09-09 10:00")))
    call, none = (tape.by_key(f"NIFTY:2019-09-19:{k}:CE").instrument for k in (1080000, 1200000))
    quote = tape.quotes([call, none])[call.key]
    assert (quote.bid, quote.ask, quote.last) == (24200, 25035, 24390)
    assert (quote.bid_size, quote.ask_size, quote.open_interest) == (300, 75, 41925)
    assert quote.volume == 1038 * 75
    # an ask without a size is not a quote
    assert none.key not in tape.quotes([none])


def test_last_trades_get_a_spread_labelled_synthetic(tmp_path):
    for time in ("09:40:00", "09:45"):
        name = f"index_OC_2026-02-03_{time[:5].replace(':', '-')}.csv"
        (tmp_path / name).write_text(TRADES.format(time=time))
    day = recorded_day([tmp_path])
    assert day.source is QuoteSource.SYNTHETIC_SPREAD
    assert {c.expiry for c in day.contracts} == {date(2026, 2, 24)}  # one expired before
    tape = tape_of_rows(
        day.rows, day.contracts, SteppedClock(ist("2026-02-03 09:50")), source=day.source
    )
    call = tape.by_key("NIFTY:2026-02-24:2580000:CE").instrument
    quote = tape.quotes([call])[call.key]
    assert (quote.last, quote.source) == (20000, QuoteSource.SYNTHETIC_SPREAD)
    assert 20000 - quote.bid == quote.ask - 20000 == 770  # 7.7 % wide: few lots
    put = tape.by_key("NIFTY:2026-02-24:2580000:PE").instrument
    assert tape.quotes([put]) == {}  # never traded: a zero is no price
    assert len(tape.day_columns.snapshots) == 2


def test_a_chain_that_one_snapshot_leaves_out_stays_as_old_as_it_is(tmp_path):
    _page(tmp_path, "NIFTY_09-09-2019_10:00.csv")
    _page(tmp_path, "NIFTY_09-09-2019_10:15.csv", expiry="26SEP2019")
    day = recorded_day([tmp_path])
    tape = tape_of_rows(day.rows, day.contracts, SteppedClock(ist("2019-09-09 10:20")))
    week, month = (tape.by_key(f"NIFTY:2019-09-{d}:1080000:CE").instrument for d in (19, 26))
    quotes = tape.quotes([week, month])
    assert quotes[week.key].at == ist("2019-09-09 10:00")
    assert quotes[month.key].at == ist("2019-09-09 10:15")
    assert tape.depths([week])[week.key].at == ist("2019-09-09 10:00")
    tape = tape_of_rows(day.rows, day.contracts, SteppedClock(ist("2019-09-09 10:05")))
    assert list(tape.quotes([week, month])) == [week.key]


def test_files_outside_the_session_and_of_other_days_are_left_out(tmp_path):
    for time in ("09:00", "10:00", "15:45"):
        _page(tmp_path, f"NIFTY_09-09-2019_{time}.csv")
    _page(tmp_path, "NIFTY_10-09-2019_10:00.csv")
    _page(tmp_path, "NIFTY_11-09-2019_17:00.csv")  # stale: the exchange had closed
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert set(recorded_day([tmp_path], date(2019, 9, 9)).rows["at"].dt.hour) == {10}
    assert recorded_day([tmp_path]).day == date(2019, 9, 10)
    with pytest.raises(MissingHistory, match=r"on 2019-09-11 .*: 2019-09-09, 2019-09-10, 2019-"):
        recorded_day([tmp_path], date(2019, 9, 11))


def test_archives_are_read_in_place_and_broken_ones_named(tmp_path):
    _page(tmp_path / "files", "NIFTY_09-09-2019_10:00.csv")
    with tarfile.open(tmp_path / "chains.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "files", arcname=".")
    one, other = recorded_day([tmp_path / "chains.tar.xz"]), recorded_day([tmp_path / "files"])
    assert one.rows.equals(other.rows)
    assert one.contracts == other.contracts
    (tmp_path / "broken.tar.xz").write_bytes((tmp_path / "chains.tar.xz").read_bytes()[:200])
    with pytest.raises(BadFile, match=r"broken\.tar\.xz is neither"):
        recorded_day([tmp_path / "broken.tar.xz"])
    _page(tmp_path / "other", "NIFTY_09-09-2019_10:00.csv")
    path = next((tmp_path / "other").rglob("*.csv"))
    path.write_text(PAGE.replace("CallBidQty", "Something"))
    with pytest.raises(BadFile, match="lacks column 'CallBidQty'"):
        recorded_day([tmp_path / "other"])


@pytest.mark.realdata
def test_a_recorded_day_ends_at_the_close_of_the_session(shared_data, tmp_path):
    """Index chains of 2026-02-03: NIFTY 03 Feb expired that day at 25,727.55 (its own file)."""
    path = shared_data / "option_chain" / "intraday_2026" / "indices_2026-02-02_to_04.tar.xz"
    day = recorded_day([path], date(2026, 2, 3))
    clock = SteppedClock(ist("2026-02-03 15:30"))
    tape = tape_of_rows(day.rows, day.contracts, clock, source=day.source)
    assert {c.symbol: c.lot_size for c in day.contracts} == {
        "NIFTY": 65, "BANKNIFTY": 30, "MIDCPNIFTY": 120,
    }  # fmt: skip
    assert tape.expiries("NIFTY") == [date(2026, 2, 3)]
    close = spot_view(tape, "NIFTY").last
    assert abs(close / 25_727_55 - 1) < 0.001
    assert tape.settlement("NIFTY", date(2026, 2, 3)) == close


@pytest.mark.realdata
def test_real_quotes_of_2019_are_traded(shared_data, tmp_path):
    path = shared_data / "option_chain" / "intraday_2019" / "chains_2019-09-09_to_12.tar.xz"
    day = recorded_day([path], date(2019, 9, 11))
    lots = {c.symbol: c.lot_size for c in day.contracts}
    # market lots of that month, which the recorded quantities must all be multiples of
    assert (lots["NIFTY"], lots["BANKNIFTY"], lots["RELIANCE"], lots["HDFC"]) == (75, 20, 500, 500)
    clock = SteppedClock(ist("2019-09-11 12:20"))
    tape = tape_of_rows(day.rows, day.contracts, clock)
    call = tape.by_key("NIFTY:2019-09-12:1095000:CE").instrument
    quote = tape.quotes([call])[call.key]
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (10750, 10795, 150, 75)
    assert first_charge_day() == date(2021, 1, 1)
    engine = Engine(
        Account(tmp_path / "a.db", 10**9), tape, clock, tape, charges_day=date(2021, 1, 1)
    )
    order = engine.place(Placement(call, Side.BUY, 75, limit=10795))
    assert (order.filled, order.average) == (75, 10795.0)
    # 8,096.25: brokerage 20.00, exchange 0.053 % 4.29, SEBI 0.00005 % 0.00, stamp 0.003 % 0.24,
    # GST 18 % of 24.29 = 4.37
    assert engine.trades()[0].charges == 2000 + 429 + 0 + 24 + 437
    clock.move_to(ist("2019-09-11 15:30"))
    engine.audit()


def test_a_month_has_a_future_and_a_stock_its_share(tmp_path):
    """C 23 and P 20 at 1,400 imply 1,403 and a little carry; neither was recorded."""
    (tmp_path / "option_chain_2026-02-03_09-40.csv").write_text(
        "Stock,Expiry,Strike,CE_LTP,CE_OI,CE_Volume,PE_LTP,PE_OI,PE_Volume,Stock_LTP,timestamp\n"
        "RELIANCE,2026-02-24,1400.0,23.0,500,500000,20.0,500,500000,1399.2,2026-02-03 09:40:00\n"
    )
    day = recorded_day([tmp_path])
    assert [it.key for it in day.contracts[:2]] == ["RELIANCE:SHARE", "RELIANCE:2026-02-24:FUT"]
    assert day.made == {"RELIANCE:SHARE", "RELIANCE:2026-02-24:FUT"}
    clock = SteppedClock(ist("2026-02-03 09:50"))
    tape = tape_of_rows(day.rows, day.contracts, clock, source=QuoteSource.QUOTED, made=day.made)
    share, future, call = day.contracts[:3]
    assert (share.tick, future.tick, future.lot_size) == (10, 10, call.lot_size)
    quotes = tape.quotes([share, future, call])
    assert quotes[call.key].source is QuoteSource.QUOTED
    for key, value in ((share.key, 139_920), (future.key, 140_301)):
        quote = quotes[key]
        assert quote.bid < value < quote.ask < value * 1.001
        assert quote.bid % 10 == quote.ask % 10 == 0
        assert quote.source is QuoteSource.SYNTHETIC_SPREAD
    assert quotes[share.key].last == 139_920
    assert quotes[future.key].last is None  # no trade of it was recorded
    assert tape.expiries("RELIANCE") == [date(2026, 2, 24)]


@pytest.mark.realdata
def test_futures_of_recorded_chains_are_near_those_of_the_days_file(shared_data):
    """2026-02-03 at 15:30: the future's own settlement price is in the exchange's file."""
    folder = shared_data / "option_chain" / "intraday_2026"
    day = recorded_day([folder], date(2026, 2, 3))
    clock = SteppedClock(ist("2026-02-03 15:30"))
    tape = tape_of_rows(day.rows, day.contracts, clock, source=day.source, made=day.made)
    name = "BhavCopy_NSE_FO_0_0_0_20260203_F_0000.csv.zip"
    file = pd.read_csv(shared_data / "fo_bhavcopy" / "udiff" / name)
    file = file[file["FinInstrmTp"].isin(["IDF", "STF"]) & (file["XpryDt"] == "2026-02-24")]
    settled = dict(zip(file["TckrSymb"], file["SttlmPric"], strict=True))
    futures = [it for it in day.contracts if isinstance(it, FutureContract)]
    assert len(futures) > 150
    quotes = tape.quotes(futures)
    apart = [
        abs((quotes[it.key].bid + quotes[it.key].ask) / 200 / settled[it.symbol] - 1)
        for it in futures
        if it.key in quotes
    ]
    assert len(apart) > 0.95 * len(futures)
    assert sorted(apart)[len(apart) // 2] < 0.001
