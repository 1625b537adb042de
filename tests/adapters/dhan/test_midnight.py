"""A watcher left on overnight: which list counts, and what ids of yesterday may not do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.master_store import MasterStore, fetch_master
from strikeloom.adapters.dhan.security_master import SecurityMaster, parse_master
from strikeloom.errors import RateLimited, StaleData
from support.dhan_client import Known, OurSide, eventually
from support.fakes import ManualClock, ist, option
from support.local_exchange import LocalExchange

HEAD = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,"
    "SYMBOL_NAME,DISPLAY_NAME,INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,"
    "OPTION_TYPE,TICK_SIZE,\n"
)
CALL, OTHER = option(25_000), option(25_100)
TUESDAY, WEDNESDAY = date(2026, 2, 10), date(2026, 2, 11)


def _row(number: int, strike: int, expiry: str = "2026-02-24") -> str:
    return (
        f"NSE,D,{number},NA,OPTIDX,26000,NIFTY,NIFTY-x,NIFTY x,OP,NA,65.0,{expiry},"
        f"{strike}.00000,CE,5.0000,\n"
    )


def _master(*rows: str) -> SecurityMaster:
    return parse_master((HEAD + "".join(rows)).encode(), "the test")


class Served:
    """What the broker serves, by the clock; counts how often it was asked."""

    def __init__(self, clock: ManualClock, published: str) -> None:
        self.clock, self.published, self.asked = clock, ist(published), 0

    def __call__(self) -> SecurityMaster:
        self.asked += 1
        if self.clock.now() < self.published:
            return _master(
                _row(40_001, 25_000), _row(40_002, 25_100), _row(40_003, 1, "2026-02-10")
            )
        return _master(_row(40_002, 25_000), _row(40_001, 25_100))  # the ids have changed hands


def _instruments(folder: Path, served: Served) -> DhanInstruments:
    return DhanInstruments(MasterStore(folder), Known(), served.clock, served)  # type: ignore[arg-type]


def _number(listed: DhanInstruments, clock: ManualClock) -> int:
    return listed.security_of(CALL.key, clock.now().date()).number


def test_until_the_morning_the_list_of_the_day_before_counts(tmp_path: Path) -> None:
    clock = ManualClock(ist("2026-02-10 15:00"))
    listed = _instruments(tmp_path, served := Served(clock, "2026-02-11 07:45"))
    assert _number(listed, clock) == 40_001
    clock.at = ist("2026-02-11 00:05")
    assert _number(listed, clock) == 40_001
    assert listed.in_force() == TUESDAY
    assert MasterStore(tmp_path).days() == [TUESDAY]  # nothing is kept as Wednesday's
    assert served.asked == 1
    clock.at = ist("2026-02-11 08:31")
    assert _number(listed, clock) == 40_002
    assert listed.in_force() == WEDNESDAY
    assert MasterStore(tmp_path).days() == [TUESDAY, WEDNESDAY]


def test_what_is_fetched_at_night_is_kept_as_the_day_before(tmp_path: Path) -> None:
    clock = ManualClock(ist("2026-02-11 00:05"))
    listed = _instruments(tmp_path, Served(clock, "2026-02-11 07:45"))
    assert _number(listed, clock) == 40_001
    assert MasterStore(tmp_path).days() == [TUESDAY]
    clock.at = ist("2026-02-11 09:15")
    assert _number(listed, clock) == 40_002


def test_a_list_that_is_late_is_named_and_never_taken_for_the_day_s(tmp_path: Path) -> None:
    clock = ManualClock(ist("2026-02-10 15:00"))
    listed = _instruments(tmp_path, served := Served(clock, "2026-02-11 09:05"))
    _number(listed, clock)
    clock.at = ist("2026-02-11 08:40")
    for _ in range(5):
        with pytest.raises(StaleData, match=r"2026-02-11 is not out yet.*expired on 2026-02-10"):
            _number(listed, clock)
    assert served.asked == 2  # asked once a minute, not once a look
    clock.at += timedelta(minutes=1)
    with pytest.raises(StaleData, match="not out yet"):
        _number(listed, clock)
    assert MasterStore(tmp_path).days() == [TUESDAY]
    clock.at = ist("2026-02-11 09:06")
    assert _number(listed, clock) == 40_002


@pytest.fixture
def feed(ours: OurSide) -> Iterator[DhanFeed]:
    made = ours.feed()
    yield made
    made.close()


def test_an_id_that_changed_hands_does_not_tick_into_the_other_contract(
    feed: DhanFeed, ours: OurSide, local: LocalExchange
) -> None:
    local.market.show(CALL, 99_00, 100_00)
    feed.quotes([CALL])
    level, _ = feed.spot("NIFTY")
    assert level == 25_000_00
    eventually(lambda: feed.status.connected)
    local.clock.at = ist("2026-02-12 09:20")
    numbers = {CALL.strike: local.id_of(OTHER), OTHER.strike: local.id_of(CALL)}
    rows = [_row(int(number), strike // 100) for strike, number in numbers.items()]
    index = "NSE,I,13,NA,INDEX,0,NIFTY,NIFTY,Nifty 50,INDEX,NA,1.0,0001-01-01,0,XX,0.05,\n"
    ours.instruments._store.keep(_master(*rows, index), local.clock.now().date())
    feed.quotes([CALL])  # by Thursday's ids: what is OTHER at the exchange

    def seen() -> bool:
        local.market.show(CALL, 55_00, 56_00)
        local.market.show(OTHER, 77_00, 78_00)
        local.push()
        held = feed.cache.get([CALL.key])
        return bool(held) and held[CALL.key].bid == 77_00

    eventually(seen)
    for _ in range(20):
        local.market.show(CALL, 54_00, 56_00)
        local.push()
        assert feed.cache.get([CALL.key])[CALL.key].bid == 77_00


def test_yesterday_s_level_is_not_today_s(ours: OurSide, local: LocalExchange) -> None:
    feed = ours.feed(streaming=False)
    assert feed.spot("NIFTY")[0] == 25_000_00
    local.clock.at = ist("2026-02-12 09:20")
    ours.instruments._store.keep(fetch_master(local.instruments), local.clock.now().date())
    local.fault("too-many", on="quotes")
    with pytest.raises(RateLimited, match="slow down"):
        feed.spot("NIFTY")
