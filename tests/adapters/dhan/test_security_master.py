"""The list of instruments: both layouts, their variants, and every trap on record."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.master_store import MasterStore
from strikeloom.adapters.dhan.security_master import parse_master, read_master
from strikeloom.domain.instruments import FutureContract, InstrumentKind, Share
from strikeloom.errors import BadFile, DataError, MissingHistory, StaleData
from strikeloom.nse.freeze import freeze_units
from support.dhan_client import Known
from support.fakes import ManualClock, ist, option

COMPACT = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,"
    "SEM_TRADING_SYMBOL,SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,"
    "SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,"
    "SM_SYMBOL_NAME"
)
ROWS = [
    "NSE,D,48953,OPTSTK,0,NBCC-Feb2026-69-PE,6500.0,NBCC 24 FEB 69 PUT,2026-02-24 14:30:00,"
    "69.00000,PE,1.0000,M,OP,,",
    "NSE,D,50001,OPTSTK,0,BAJAJ-AUTO-Feb2026-9500-CE,75.0,BAJAJ-AUTO 24 FEB 9500 CALL,"
    "2026-02-24 14:30:00,9500.00000,CE,5.0000,M,OP,,",
    "NSE,D,50002,OPTSTK,0,M&M-Feb2026-3427.5-CE,200.0,M&M 24 FEB 3427.5 CALL,"
    "2026-02-24 14:30:00,3427.50000,CE,10.0000,M,OP,,",
    "NSE,D,69345,OPTIDX,0,NIFTY-Feb2026-25000-CE,65.0,NIFTY 24 FEB 25000 CALL,"
    "2026-02-24 14:30:00,25000.00000,CE,0.0500,M,OP,,",
    "NSE,D,36690,FUTSTK,0,021NSETEST-Nov2036-FUT,50.0,021NSETEST 27 NOV FUT,2036-11-27 14:30:00,"
    "-0.01000,XX,5.0000,W,FUT,,",
    "NSE,D,36691,FUTSTK,0,NAM-INDIA-Feb2026-FUT,50.0,NAM-INDIA FEB FUT,2026-02-24 14:30:00,"
    "-0.01000,XX,5.0000,M,FUT,,",
    "NSE,E,50001,EQUITY,0,BAJAJ-AUTO,1.0,Bajaj Auto,,,,50.0000,NA,ES,EQ,BAJAJ AUTO LIMITED",
    "NSE,E,50003,EQUITY,0,BAJAJ-AUTO,1.0,A bond of Bajaj Auto,,,,1.0000,NA,DBT,N0,BAJAJ AUTO",
    "NSE,E,50004,EQUITY,0,SLOW,1.0,Slow,,,,1.0000,NA,ES,BE,SLOW LIMITED",
    "NSE,I,13,INDEX,0,NIFTY,1.0,Nifty 50,0001-01-01,,XX,0.0500,,INDEX,X,NIFTY",
    "BSE,E,48953,EQUITY,0,SOMETHING,1.0,Something,,,,5.0000,NA,ES,A,SOMETHING",
    "MCX,M,458602,OPTFUT,0,GOLD-24Mar2026-108400-CE,1.0,GOLD 24 MAR 108400 CALL,"
    "2026-03-24 00:00:00,108400.00000,CE,50.0000,M,OPTFUT,2,GOLD",
]


def _csv(rows=ROWS, head=COMPACT, end="\n") -> bytes:
    return (end.join([head, *rows]) + end).encode()


def _by_id(master, segment="NSE_FNO"):
    return {r["security_id"]: r for r in master.table.to_pylist() if r["segment"] == segment}


def test_traps_are_resolved() -> None:
    master = parse_master(_csv(), "a list")
    assert (master.layout, master.read, master.tests) == ("compact", 12, 1)
    found = _by_id(master)
    assert [found[n]["symbol"] for n in (48953, 50001, 50002, 36691)] == [
        "NBCC", "BAJAJ-AUTO", "M&M", "NAM-INDIA",
    ]  # fmt: skip
    assert [found[n]["tick"] for n in (48953, 50001, 50002, 69345)] == [1, 5, 10, 5]
    assert found[50002]["strike"] == 3427_50
    assert found[48953]["expiry"] == date(2026, 2, 24)
    assert (found[36691]["strike"], found[36691]["right"]) == (0, "XX")
    assert 36690 not in found
    index = _by_id(master, "IDX_I")[13]
    assert (index["expiry"], index["tick"]) == (None, 5)
    assert _by_id(master, "BSE_EQ")[48953]["symbol"] == "SOMETHING"  # ids repeat across segments
    assert _by_id(master, "MCX_COMM")[458602]["symbol"] == "GOLD"


def test_columns_are_found_by_name_in_any_order_and_number() -> None:
    names = COMPACT.split(",")
    plain = parse_master(_csv(), "a list").table
    turned = [",".join(reversed(row.split(","))) + ",more" for row in ROWS]
    head = ",".join(reversed(names)) + ",SOMETHING_NEW"
    assert parse_master(_csv(turned, head), "a list").table.equals(plain)


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + _csv(),
        _csv(end="\r\n"),
        _csv(head=COMPACT + ","),
        _csv([row + "," for row in ROWS]),
        _csv([row + "," for row in ROWS], COMPACT + ","),
        _csv(head=COMPACT.lower()),
        _csv().rstrip(b"\n"),
    ],
    ids=["bom", "crlf", "head comma", "row comma", "both commas", "lower case", "no last newline"],
)
def test_variants_in_the_wild_read_the_same(raw: bytes) -> None:
    assert parse_master(raw, "a list").table.equals(parse_master(_csv(), "a list").table)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not an instrument list"),
        (b"<html>busy</html>", "not an instrument list"),
        (b"SYMBOL,DATE\nA,B\n", "not an instrument list"),
        (_csv([]), "cannot be read"),
        (_csv([*ROWS, ROWS[0]]), "repeat segment, security_id"),
        (_csv([*ROWS, ROWS[0].replace("48953", "48954")]), "repeat segment, symbol"),
        (_csv([row.replace("24 14:30:00", "99") for row in ROWS]), "rows cannot be read"),
        (_csv([row[:40] for row in ROWS]), "cannot be read"),
    ],
)
def test_what_is_not_a_list_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        parse_master(raw, "a list")


def test_a_stray_row_is_reported_and_the_others_are_kept() -> None:
    many = [
        ROWS[0].replace("48953", str(100_000 + n)).replace("69.0", f"{n + 1}.0") for n in range(300)
    ]
    master = parse_master(_csv([*many, "NSE,D,not a number,OPTSTK" + "," * 12]), "a list")
    assert master.table.num_rows == 300
    assert len(master.unread) == 1
    assert "not a number" in master.unread[0]


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    plain, packed, zipped = (tmp_path / name for name in ("a.csv", "a.gz", "a.zip"))
    plain.write_bytes(_csv())
    packed.write_bytes(gzip.compress(_csv()))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("list.csv", _csv())
    tables = [read_master(path).table for path in (plain, packed, zipped)]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    packed.write_bytes(gzip.compress(_csv())[:-20])
    with pytest.raises(BadFile, match="fetch it again"):
        read_master(packed)
    with pytest.raises(BadFile, match="does not exist"):
        read_master(tmp_path / "none.csv")


@pytest.fixture
def store(tmp_path: Path) -> MasterStore:
    kept = MasterStore(tmp_path / "lists")
    kept.keep(parse_master(_csv(), "a list"), date(2026, 2, 10))
    return kept


def _listed(store: MasterStore, at: str, **more) -> DhanInstruments:
    return DhanInstruments(store, Known(), ManualClock(ist(at)), **more)  # type: ignore[arg-type]


def test_contracts_and_ids_lead_to_each_other(store: MasterStore) -> None:
    day, listed = date(2026, 2, 10), _listed(store, "2026-02-10 10:00")
    for key, number in (("M&M:2026-02-24:342750:CE", 50002), ("NBCC:2026-02-24:6900:PE", 48953)):
        assert listed.security_of(key, day) == ("NSE_FNO", number)
        assert listed.instrument_of(SecurityId("NSE_FNO", number), day).key == key
    nifty = listed.instrument("NIFTY:2026-02-24:2500000:CE", day)
    assert (nifty.kind, nifty.lot_size, nifty.tick) == (InstrumentKind.INDEX, 65, 5)
    found = listed.instrument_of(SecurityId("NSE_FNO", 50002), day)
    assert found.kind is InstrumentKind.STOCK
    assert listed.spot_of("NIFTY", day) == ("IDX_I", 13)
    for place in [("NSE_FNO", 1), ("NSE_FNO", 10**9), ("NSE_EQ", 36691), ("BSE_FNO", 50002)]:
        with pytest.raises(DataError, match="no instrument"):
            listed.instrument_of(SecurityId(*place), day)


def test_shares_and_futures_are_known_by_segment_and_id(store: MasterStore) -> None:
    day, listed = date(2026, 2, 10), _listed(store, "2026-02-10 10:00")
    future = listed.instrument("NAM-INDIA:2026-02-24:FUT", day)
    assert isinstance(future, FutureContract)
    assert (future.kind, future.lot_size, future.tick) == (InstrumentKind.STOCK, 50, 5)
    assert listed.security_of(future.key, day) == ("NSE_FNO", 36691)
    share = listed.instrument("BAJAJ-AUTO:SHARE", day)
    assert (share, share.lot_size, share.tick) == (Share("BAJAJ-AUTO"), 1, 50)
    option_id, share_id = SecurityId("NSE_FNO", 50001), SecurityId("NSE_EQ", 50001)
    assert listed.security_of(share.key, day) == share_id, "the id of an option, too"
    assert listed.instrument_of(share_id, day) == share
    assert listed.instrument_of(option_id, day).key == "BAJAJ-AUTO:2026-02-24:950000:CE"
    assert listed.order_limit(share, day) is None
    assert listed.instrument("SLOW:SHARE", day).tick == 1, "traded for delivery only"
    with pytest.raises(DataError, match="NSE_EQ 50003"):
        listed.instrument_of(SecurityId("NSE_EQ", 50003), day)
    with pytest.raises(DataError, match="no option on NAM-INDIA"):
        listed.tick("NAM-INDIA", InstrumentKind.STOCK, day)


def test_the_largest_order_is_the_broker_s_own_where_its_list_has_one(tmp_path: Path) -> None:
    """It prints the first quantity that is frozen: 1,821 for NIFTY means that 1,820 pass."""
    kept, day = MasterStore(tmp_path / "lists"), date(2026, 2, 10)
    freeze = {"69345": "1821.0", "50001": "0", "50002": ""}
    rows = [f"{row},{freeze.get(row.split(',')[2], '-1')}" for row in ROWS]
    kept.keep(parse_master(_csv(rows, f"{COMPACT},SM_FREEZE_QTY"), "a list"), day)
    listed = _listed(kept, "2026-02-10 10:00")
    limits = {
        "NIFTY:2026-02-24:2500000:CE": 1_820,
        "BAJAJ-AUTO:2026-02-24:950000:CE": 3_000,  # none published: the exchange's own list
        "M&M:2026-02-24:342750:CE": freeze_units("M&M", day),
        "NBCC:2026-02-24:6900:PE": freeze_units("NBCC", day),
    }
    for key, most in limits.items():
        assert listed.order_limit(listed.instrument(key, day), day) == most
    gone = option(24_000)
    assert listed.order_limit(gone, day) == 1_800  # an exit of a contract that the list lost


def test_a_list_stored_before_largest_orders_were_kept_reads_too(store: MasterStore) -> None:
    import pyarrow.parquet as pq

    day = date(2026, 2, 10)
    path = store.folder / f"{day}.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["largest_order"]), path)
    assert set(store.read(day)["largest_order"].to_pylist()) == {0}
    assert _listed(store, "2026-02-10 10:00").order_limit(option(25_000), day) == 1_800


def test_a_list_counts_for_its_own_day_and_is_fetched_for_another(store: MasterStore) -> None:
    key, day = "NIFTY:2026-02-24:2500000:CE", date(2026, 2, 11)
    with pytest.raises(StaleData, match=r"2026-02-11 is not stored.*2026-02-10.*--fetch"):
        _listed(store, "2026-02-11 10:00").instrument(key, day)
    recycled = _csv([row.replace("69345", "77777") for row in ROWS])
    listed = _listed(store, "2026-02-11 10:00", fetch=lambda: parse_master(recycled, "a list"))
    assert listed.security_of(key, day).number == 77777
    assert store.days() == [date(2026, 2, 10), day]
    with pytest.raises(MissingHistory, match="2026-02-12"):
        store.read(date(2026, 2, 12))


@pytest.mark.realdata
def test_the_whole_list_reads_as_the_exchange_lists_its_contracts(shared_data: Path) -> None:
    """Every contract of NSE's own file of the day: id, expiry, strike, right and lot."""
    import pandas as pd

    master = read_master(shared_data / "scrip_master" / "api-scrip-master.csv.gz")
    assert (master.read, master.unread) == (273_027, ())
    theirs = zipfile.ZipFile(
        shared_data / "fo_bhavcopy" / "udiff" / "BhavCopy_NSE_FO_0_0_0_20260210_F_0000.csv.zip"
    )
    bhav = pd.read_csv(io.BytesIO(theirs.read(theirs.namelist()[0])))
    bhav = bhav[bhav["OptnTp"].isin(["CE", "PE"])]
    ours = master.table.to_pandas()
    ours = ours[(ours["segment"] == "NSE_FNO") & (ours["right"] != "XX")].set_index("security_id")
    ours = ours.loc[bhav["FinInstrmId"]]
    assert (ours["symbol"].to_numpy() == bhav["TckrSymb"].to_numpy()).all()
    assert (ours["strike"].to_numpy() == (bhav["StrkPric"] * 100).round().to_numpy()).all()
    assert (ours["right"].to_numpy() == bhav["OptnTp"].to_numpy()).all()
    assert (ours["lot_size"].to_numpy() == bhav["NewBrdLotQty"].to_numpy()).all()
    expiries = pd.to_datetime(ours["expiry"]).to_numpy()
    assert (expiries == pd.to_datetime(bhav["XpryDt"]).to_numpy()).all()
    assert set(ours["tick"].unique()) <= {1.0, 5.0, 10.0}


@pytest.mark.realdata
def test_the_detailed_layout_reads_too(shared_data: Path) -> None:
    name = "api-scrip-master-detailed_NSE_E_I_2026-04.csv.gz"
    master = read_master(shared_data / "scrip_master" / name)
    assert (master.layout, master.read) == ("detailed", 9469)
    found = {(r["segment"], r["symbol"]): r for r in master.table.to_pylist()}
    assert found["IDX_I", "NIFTY"]["security_id"] == 13
    assert found["NSE_EQ", "ARE&M"]["security_id"] == 100
