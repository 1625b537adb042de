"""What became of a contract, by two lists of the broker; rules of NSE Clearing by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.master_store import MasterStore
from strikeloom.adapters.dhan.security_master import parse_master
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import (
    FutureContract,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.errors import StaleData
from support.dhan_client import Known
from support.fakes import ManualClock, ist, option

HEAD = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,"
    "SYMBOL_NAME,DISPLAY_NAME,INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,"
    "OPTION_TYPE,TICK_SIZE,\n"
)
EVE, DAY, NEXT = date(2026, 2, 11), date(2026, 2, 12), date(2026, 2, 13)
STRIKES = [900 + 20 * step for step in range(10)]
HELD = option(1_000, symbol="LOOMCO", kind=InstrumentKind.STOCK, lot=100)


def row(
    number: int, strike: float, *, symbol: str = "LOOMCO", lot: int = 100,
    expiry: str = "2026-02-24", right: str = "CE",
) -> str:  # fmt: skip
    return (
        f"NSE,D,{number},NA,OPTSTK,1,{symbol},{symbol}-x,{symbol} x,OP,NA,{lot}.0,{expiry},"
        f"{strike:.5f},{right},5.0000,\n"
    )


def listed(folder: Path, lists: dict[date, list[str]], now: str = "2026-02-12 09:15"):
    store = MasterStore(folder)
    for day, rows in lists.items():
        store.keep(parse_master((HEAD + "".join(rows)).encode(), "the test"), day)
    return DhanInstruments(store, Known(), ManualClock(ist(now)))  # type: ignore[arg-type]


def eve() -> list[str]:
    return [row(n, strike) for n, strike in enumerate(STRIKES, start=40_001)]


def after(change: Callable[[int, int], str]) -> list[str]:
    return [change(n, strike) for n, strike in enumerate(STRIKES, start=40_001)]


def found(instruments: DhanInstruments, held: OptionContract = HELD) -> list[ContractAdjustment]:
    return instruments.adjustments(held, EVE, DAY)


def test_a_split_a_dividend_a_rename_and_a_moved_expiry(tmp_path: Path) -> None:
    cases: dict[str, tuple[Callable[[int, int], str], str, int, tuple[int, int], str]] = {
        "split": (lambda n, k: row(n, k / 5, lot=500), "LOOMCO:2026-02-24:20000:CE", 500,
                  (500, 100), "strikes were divided by 5 and lots multiplied"),
        "bonus": (lambda n, k: row(n, round(k / 1.5 * 20) / 20, lot=150),
                  "LOOMCO:2026-02-24:66665:CE", 150, (150, 100), "strikes were divided by 1.5"),
        "dividend": (lambda n, k: row(n, k - 20), "LOOMCO:2026-02-24:98000:CE", 100, (1, 1),
                     "strikes were lowered by 20"),
        "rename": (lambda n, k: row(n, k, symbol="WEAVECO"), "WEAVECO:2026-02-24:100000:CE",
                   100, (1, 1), "LOOMCO became WEAVECO"),
        "moved": (lambda n, k: row(n, k, expiry="2026-02-23"), "LOOMCO:2026-02-23:100000:CE",
                  100, (1, 1), "moved the expiry 2026-02-24 of LOOMCO to 2026-02-23"),
    }  # fmt: skip
    for name, (change, key, lot, units, cause) in cases.items():
        lists = {EVE: eve(), DAY: after(change)}
        (only,) = found(listed(tmp_path / name, lists))
        assert (only.old, only.new.key, only.new.lot_size) == (HELD.key, key, lot), name
        assert ((only.new_units, only.old_units), only.day) == (units, DAY), name
        assert cause in only.cause, name


@pytest.mark.parametrize(
    "change",
    [
        row,
        lambda n, k: row(80_011 - n, k),  # every id is another contract's
        lambda n, k: row(n, k, right="PE"),
        lambda n, k: row(n + 500, k),  # new ids under the same names
        lambda n, k: row(n, k - 20 if n < 40_005 else k),  # four of ten changed
        lambda n, k: row(n, k / 5),  # divided, but lots were not multiplied
        lambda n, k: row(n, k - n % 7),  # by no rule
        lambda n, k: row(n, k + 20),  # raised
    ],
    ids=["same", "turned", "puts", "new ids", "few", "no lots", "no rule", "raised"],
)
def test_what_is_no_adjustment(change: Callable[[int, int], str], tmp_path: Path) -> None:
    assert found(listed(tmp_path, {EVE: eve(), DAY: after(change)})) == []


def test_a_contract_that_ended_is_not_followed_to_the_next_owner_of_its_id(
    tmp_path: Path,
) -> None:
    ending = [row(n, strike, expiry="2026-02-11") for n, strike in enumerate(STRIKES, 40_001)]
    held = option(1_000, symbol="LOOMCO", lot=100, expiry=EVE)
    moved = after(lambda n, k: row(n, k - 20))
    assert found(listed(tmp_path, {EVE: ending, DAY: moved}), held) == []


def test_two_changes_follow_each_other(tmp_path: Path) -> None:
    split = after(lambda n, k: row(n, k / 5, lot=500))
    lowered = after(lambda n, k: row(n, k / 5 - 4, lot=500))
    instruments = listed(tmp_path, {EVE: eve(), DAY: split, NEXT: lowered}, "2026-02-13 09:15")
    first, second = instruments.adjustments(HELD, EVE, NEXT)
    assert (first.new.key, second.old) == ("LOOMCO:2026-02-24:20000:CE", first.new.key)
    assert (second.new.key, second.day) == ("LOOMCO:2026-02-24:19600:CE", NEXT)
    # the name on the day itself is where the search begins: nothing is found twice
    assert instruments.adjustments(first.new, DAY, NEXT) == [second]
    assert instruments.adjustments(second.new, NEXT, NEXT) == []


def test_a_day_whose_list_is_missing_is_an_error_once_it_should_be_there(tmp_path: Path) -> None:
    early = listed(tmp_path, {EVE: eve()}, "2026-02-12 07:00")
    assert found(early) == []
    with pytest.raises(StaleData, match="the instrument list of 2026-02-12 is not stored"):
        found(listed(tmp_path, {EVE: eve()}))


def test_a_lot_that_changed_for_an_expiry(tmp_path: Path) -> None:
    other = [row(n + 100, k, expiry="2026-03-30") for n, k in enumerate(STRIKES, start=40_001)]
    lists = {EVE: eve() + other, DAY: after(lambda n, k: row(n, k, lot=75)) + other}
    instruments = listed(tmp_path, lists)
    (only,) = found(instruments)
    assert (only.old, only.new.key, only.new.lot_size) == (HELD.key, HELD.key, 75)
    assert (only.units(-200), only.day) == (-200, DAY)
    assert only.cause == (
        "the exchange changed the lot of LOOMCO contracts from 100 to 75 on 2026-02-12"
    )
    assert found(instruments, option(1_000, symbol="LOOMCO", expiry=date(2026, 3, 30))) == []
    # carried already, by the exchange's file
    assert found(instruments, option(1_000, symbol="LOOMCO", lot=75)) == []


def test_a_lot_of_one_contract_alone_is_no_change(tmp_path: Path) -> None:
    one = after(lambda n, k: row(n, k, lot=75 if k == 1_000 else 100))
    assert found(listed(tmp_path, {EVE: eve(), DAY: one})) == []


def test_a_put_keeps_its_right(tmp_path: Path) -> None:
    held = option(1_000, Right.PUT, symbol="LOOMCO", lot=100)
    before = [row(n, strike, right="PE") for n, strike in enumerate(STRIKES, 40_001)]
    now = after(lambda n, k: row(n, k - 20, right="PE"))
    (only,) = found(listed(tmp_path, {EVE: before, DAY: now}), held)
    assert only.new.key == "LOOMCO:2026-02-24:98000:PE"


FUTURE = FutureContract("LOOMCO", date(2026, 2, 24), InstrumentKind.STOCK, 100, 5)
SHARE = Share("LOOMCO")


def unit(number: int, kind: str, *, symbol: str = "LOOMCO", lot: int = 1, expiry: str = "") -> str:
    segment, group, series, right = ("E", "ES", "EQ", "") if kind == "EQUITY" else (
        "D", "FUT", "NA", "XX")  # fmt: skip
    return (
        f"NSE,{segment},{number},NA,{kind},1,{symbol},{symbol}-x,{symbol} x,{group},{series},"
        f"{lot}.0,{expiry},-0.01000,{right},5.0000,\n"
    )


def units(*, symbol: str = "LOOMCO", lot: int = 100, expiry: str = "2026-02-24") -> list[str]:
    """A future, and the share with the number of an option."""
    future = unit(41_000, "FUTSTK", symbol=symbol, lot=lot, expiry=expiry)
    return [future, unit(40_001, "EQUITY", symbol=symbol)]


@pytest.mark.parametrize(
    ("options", "after_units", "future", "replaced", "share"),
    [
        (lambda n, k: row(n, k / 5, lot=500), {"lot": 500}, "LOOMCO:2026-02-24:FUT", (500, 100),
         None),
        (lambda n, k: row(n, k, symbol="WEAVECO"), {"symbol": "WEAVECO"},
         "WEAVECO:2026-02-24:FUT", (1, 1), "WEAVECO:SHARE"),
        (lambda n, k: row(n, k, expiry="2026-02-23"), {"expiry": "2026-02-23"},
         "LOOMCO:2026-02-23:FUT", (1, 1), None),
        (lambda n, k: row(n, k, lot=125), {"lot": 125}, "LOOMCO:2026-02-24:FUT", (1, 1), None),
        (lambda n, k: row(n, k - 20), {}, "LOOMCO:2026-02-24:FUT", (1, 1), None),
    ],
    ids=["split", "rename", "moved", "lot", "dividend"],
)  # fmt: skip
def test_a_future_changes_by_its_own_rule_and_a_share_by_its_name(
    options: Callable[[int, int], str],
    after_units: dict[str, Any],
    future: str,
    replaced: tuple[int, int],
    share: str | None,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    lists = {EVE: eve() + units(), DAY: after(options) + units(**after_units)}
    instruments = listed(tmp_path, lists)
    changed = instruments.adjustments(FUTURE, EVE, DAY)
    shown = [(it.old, it.new.key, (it.new_units, it.old_units), it.day) for it in changed]
    assert shown == [(FUTURE.key, future, replaced, DAY)]
    assert [it.new.lot_size for it in changed] == [after_units.get("lot", 100)]
    lowered = 20_00 if "[dividend]" in request.node.name else 0
    assert [it.amount for it in changed] == [lowered]
    found_share = instruments.adjustments(SHARE, EVE, DAY)
    assert [it.new.key for it in found_share] == ([share] if share else [])


def test_a_dividend_between_other_days_lowers_a_future_once(tmp_path: Path) -> None:
    """The day after has the same strikes; the future has one id, name and lot throughout."""
    lowered = after(lambda n, k: row(n, k - 20)) + units()
    instruments = listed(
        tmp_path, {EVE: eve() + units(), DAY: lowered, NEXT: lowered}, "2026-02-13 10:00"
    )
    (only,) = instruments.adjustments(FUTURE, EVE, NEXT)
    assert (only.day, only.amount, only.new) == (DAY, 20_00, FUTURE)
    assert "LOOMCO on 2026-02-12: strikes were lowered by 20" in only.cause
    assert instruments.adjustments(FUTURE, DAY, NEXT) == []


def test_the_number_of_a_future_is_not_followed_to_an_option(tmp_path: Path) -> None:
    gone = [row(41_000, 900), unit(40_001, "EQUITY", symbol="OTHERCO")]
    others = [row(n, k) for n, k in enumerate(STRIKES[1:], start=40_002)]
    instruments = listed(tmp_path, {EVE: eve() + units(), DAY: others + gone})
    assert instruments.adjustments(FUTURE, EVE, DAY) == []
