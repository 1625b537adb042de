"""What became of a contract, by stored lists: made rows, and counts of the exchange's files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import OptionContract
from strikeloom.errors import DataError
from support.fakes import option
from support.few_symbols import history_of
from support.nse_files import legacy, save, udiff

TUE, WED, THU = date(2026, 2, 10), date(2026, 2, 11), date(2026, 2, 12)
HELD = option(25_900)
SHARE = {"FinInstrmTp": "STO", "TckrSymb": "LOOMCO", "NewBrdLotQty": "100"}
STRIKES = range(900, 1100, 20)


def days(
    history: ParquetHistory, folder: Path, lists: Mapping[date, list[dict[str, str]]]
) -> HistoryInstruments:
    """Instruments over a history with these rows by day."""
    files = [
        save(folder / f"{day}.csv", udiff(*({**row, "TradDt": str(day)} for row in rows)))
        for day, rows in lists.items()
    ]
    # an id that is another right the day after is stored where a person insists
    assert not import_paths(files, history, accept=["contracts"]).refused
    history.find_actions()
    return HistoryInstruments(history, {})


def _moved(expiry: str, **more: str) -> dict[str, str]:
    same = {"FinInstrmId": "40001"}  # the id of a contract stays
    return {"XpryDt": expiry, "FininstrmActlXpryDt": expiry, **same, **more}


def share(change: int = 0, ids: int = 1, **more: str) -> list[dict[str, str]]:
    """Ten calls of a made share, with strikes raised by so much."""
    return [
        {**SHARE, "FinInstrmId": str(n), "StrkPric": f"{strike + change}.00", **more}
        for n, strike in enumerate(STRIKES, start=ids)
    ]


def of_share(strike: int) -> OptionContract:
    return option(strike, symbol="LOOMCO", lot=100)


def found(
    instruments: HistoryInstruments, held: OptionContract, since: date = TUE, until: date = WED
) -> list[ContractAdjustment]:
    return instruments.adjustments(held, since, until)


def test_a_moved_expiry_is_followed_by_the_id(history: ParquetHistory, tmp_path: Path) -> None:
    lists = {TUE: [_moved("2026-02-24")], WED: [_moved("2026-02-26")], THU: [_moved("2026-02-23")]}
    instruments = days(history, tmp_path, lists)
    first, second = found(instruments, HELD, until=THU)
    assert (first.new.key, first.day) == ("NIFTY:2026-02-26:2590000:CE", WED)
    assert (second.old, second.new.key) == (first.new.key, "NIFTY:2026-02-23:2590000:CE")
    assert (first.new_units, first.old_units, second.day) == (1, 1, THU)
    assert found(instruments, HELD, until=WED) == [first]
    assert found(instruments, first.new, since=WED, until=THU) == [second]
    # opened on the day itself, or nothing later is stored
    assert found(instruments, HELD, since=THU, until=date(2026, 2, 13)) == []


@pytest.mark.parametrize(
    "after",
    [
        _moved("2026-02-26", FinInstrmId="7"),
        _moved("2026-02-26", StrkPric="26000.00"),
        _moved("2026-02-26", OptnTp="PE"),
        _moved("2026-02-26", TckrSymb="BANKNIFTY", NewBrdLotQty="30"),
    ],
    ids=["another id", "another strike", "another right", "another index"],
)
def test_what_only_looks_like_it(
    history: ParquetHistory, tmp_path: Path, after: dict[str, str]
) -> None:
    instruments = days(history, tmp_path, {TUE: [_moved("2026-02-24")], WED: [after]})
    assert found(instruments, HELD) == []


def test_an_id_is_not_followed_past_the_end_of_its_contract(
    history: ParquetHistory, tmp_path: Path
) -> None:
    lists = {TUE: [_moved("2026-02-10")], WED: [_moved("2026-02-26")]}
    instruments = days(history, tmp_path, lists)
    assert found(instruments, option(25_900, expiry=TUE)) == []


def test_a_name_that_passed_to_another_contract(history: ParquetHistory, tmp_path: Path) -> None:
    instruments = days(history, tmp_path, {TUE: share(), WED: share(-20)})
    (only,) = found(instruments, of_share(1_000))
    assert (only.new.key, only.day) == ("LOOMCO:2026-02-24:98000:CE", WED)
    assert "LOOMCO had a dividend of 20 rupees a share on 2026-02-11" in only.cause
    # opened on that day, the name is that of the new list; whether its file is there or not
    assert found(instruments, of_share(980), since=WED, until=THU) == []
    assert found(instruments, of_share(980), since=date(2026, 2, 11), until=WED) == []


def test_a_changed_lot_is_followed_with_its_units(history: ParquetHistory, tmp_path: Path) -> None:
    lots = {TUE: "25", WED: "75", THU: "65"}
    lists = {day: [{"NewBrdLotQty": lot}] for day, lot in lots.items()}
    instruments, held = days(history, tmp_path, lists), option(25_900, lot=25)
    first, second = found(instruments, held, until=THU)
    assert (first.old, first.new.key, first.new.lot_size) == (held.key, held.key, 75)
    assert (first.units(-100), first.day, second.day) == (-100, WED, THU)
    assert first.cause == (
        "the exchange changed the lot of NIFTY contracts from 25 to 75 on 2026-02-11"
    )
    assert (second.new.lot_size, second.units(75)) == (65, 75)
    assert found(instruments, held, until=WED) == [first]
    assert found(instruments, first.new, since=WED, until=THU) == [second]
    # opened with the new lot on a day without a list: nothing had changed
    assert found(instruments, option(25_900, lot=65), until=THU) == []


def test_a_lot_that_changes_while_the_contract_is_on_no_list(
    history: ParquetHistory, tmp_path: Path
) -> None:
    """As NIFTY 28-Dec-2028 18,000 PE: 25 on 2024-12-26, absent, 75 on 2025-03-27."""
    lists = {TUE: [{"NewBrdLotQty": "25"}], WED: [{"StrkPric": "26000.00", "FinInstrmId": "7"}],
             THU: [{"NewBrdLotQty": "75"}]}  # fmt: skip
    instruments, held = days(history, tmp_path, lists), option(25_900, lot=25)
    assert found(instruments, held) == []
    (only,) = found(instruments, held, until=THU)
    assert (only.new.key, only.new.lot_size, only.day) == (held.key, 75, THU)


def test_a_lot_that_changes_with_the_expiry_is_one_adjustment(
    history: ParquetHistory, tmp_path: Path
) -> None:
    lists = {TUE: [{"NewBrdLotQty": "75"}], WED: [_moved("2026-02-26", NewBrdLotQty="65")]}
    (only,) = found(days(history, tmp_path, lists), option(25_900, lot=75))
    assert (only.new.key, only.new.lot_size) == ("NIFTY:2026-02-26:2590000:CE", 65)
    assert only.units(75) == 75


def test_a_lot_on_record_is_followed_where_files_have_none(
    history: ParquetHistory, tmp_path: Path
) -> None:
    """The whole of NIFTY on 2024-04-26, from 50 to 25, by lists of the old layout."""
    eve, day = date(2024, 4, 25), date(2024, 4, 26)
    row = {"XpryDt": "2024-06-27", "StrkPric": "22000.00"}
    files = [save(tmp_path / f"{at}.csv", legacy({**row, "TradDt": str(at)})) for at in (eve, day)]
    # an id that is another right the day after is stored where a person insists
    assert not import_paths(files, history, accept=["contracts"]).refused
    held = option(22_000, expiry=date(2024, 6, 27), lot=50)
    (only,) = found(HistoryInstruments(history, {}), held, since=eve, until=day)
    assert (only.new.lot_size, only.units(150), only.day) == (25, 150, day)


def test_a_name_that_another_took_on_a_day_without_a_list(
    history: ParquetHistory, tmp_path: Path
) -> None:
    """Opened on a day that is not stored: the name of then may be either contract's."""
    lists = {TUE: [_moved("2026-02-24")],
             THU: [_moved("2026-02-26"), _moved("2026-02-24", FinInstrmId="7")]}  # fmt: skip
    assert found(days(history, tmp_path, lists), HELD, since=WED, until=THU) == []


def test_a_change_by_no_rule_is_an_error(history: ParquetHistory, tmp_path: Path) -> None:
    """Ids are kept and strikes changed by no rule: no contract is taken for the held one."""
    after = share(-20)
    after[5] = {**after[5], "StrkPric": "1500.00"}  # the id of 1,000
    instruments = days(history, tmp_path, {TUE: share(), WED: after})
    with pytest.raises(DataError, match="changed unexplained on 2026-02-11; compare the holding"):
        found(instruments, of_share(1_000))


def test_a_demerger_ends_a_contract(history: ParquetHistory, tmp_path: Path) -> None:
    """Listed again under the same names with other strikes: those are other contracts."""
    early = {"FininstrmActlXpryDt": "2026-02-10"}
    instruments = days(history, tmp_path, {TUE: share(**early), WED: share(-100)})
    assert [a.kind for a in history.actions(WED, WED)] != []
    assert [c.new.key for c in found(instruments, of_share(1_000))] == []


def test_a_split_without_ids_is_followed_by_its_ratio(
    history: ParquetHistory, tmp_path: Path
) -> None:
    """The old layout has neither ids nor lots: the record of KOTAKBANK's split and the ladder."""
    rows = {"FinInstrmTp": "STO", "TckrSymb": "KOTAKBANK", "XpryDt": "2026-01-27"}
    before, after = ({**rows, "StrkPric": strike} for strike in ("2100.00", "420.00"))
    eve, day = {"TradDt": "2026-01-13"}, {"TradDt": "2026-01-14"}
    files = [save(tmp_path / "a.csv", legacy({**before, **eve})),
             save(tmp_path / "b.csv", legacy({**after, **day}))]  # fmt: skip
    # an id that is another right the day after is stored where a person insists
    assert not import_paths(files, history, accept=["contracts"]).refused
    held = option(2_100, symbol="KOTAKBANK", lot=400, expiry=date(2026, 1, 27))
    instruments = HistoryInstruments(history, {})
    (only,) = instruments.adjustments(held, date(2026, 1, 13), date(2026, 1, 14))
    assert (only.new.key, only.new.lot_size) == ("KOTAKBANK:2026-01-27:42000:CE", 2000)
    assert (only.new_units, only.old_units) == (2000, 400)


def test_a_file_that_came_later_finds_what_had_happened(
    history: ParquetHistory, tmp_path: Path
) -> None:
    """The day itself is not stored: the pair of its neighbours shows it."""
    instruments = days(history, tmp_path, {TUE: share(), THU: share(-20)})
    assert found(instruments, of_share(1_000)) == []
    (only,) = found(instruments, of_share(1_000), until=THU)
    assert only.new.key == "LOOMCO:2026-02-24:98000:CE"


@pytest.mark.realdata
def test_every_option_that_was_moved_on_2025_01_02(real_history: ParquetHistory) -> None:
    """2,582 contracts of all indices by the files, futures included."""
    eve, day = date(2025, 1, 1), date(2025, 1, 2)
    instruments = HistoryInstruments(real_history, {})
    before, after = (
        rows[(rows["kind"] == "index") & (rows["right"] != "XX")]
        for rows in (real_history.contracts(each) for each in (eve, day))
    )
    before = before[before["expiry"].dt.date >= day]
    same = ["symbol", "strike", "right", "instrument_id"]
    pairs = before.merge(after, on=same, suffixes=("_old", "_new"))
    moved = pairs[pairs["expiry_old"] != pairs["expiry_new"]]
    assert len(moved) > 2_500
    for row in moved.sample(60, random_state=1).itertuples():
        held = instruments.instrument(
            f"{row.symbol}:{row.expiry_old.date()}:{round(row.strike * 100)}:{row.right}", eve
        )
        (only,) = instruments.adjustments(held, eve, day)
        assert only.new.expiry == row.expiry_new.date()


@pytest.mark.realdata
def test_no_contract_changes_on_an_ordinary_night(real_history: ParquetHistory) -> None:
    instruments = HistoryInstruments(real_history, {})
    stored = [day for day in real_history.days() if day.year == 2026][1:8]
    for symbol in ("NIFTY", "RELIANCE"):
        rows = real_history.contracts(stored[0], symbols=[symbol])
        rows = rows[(rows["right"] != "XX") & (rows["expiry"].dt.date > stored[-1])]
        for row in rows.sample(20, random_state=1).itertuples():
            key = f"{symbol}:{row.expiry.date()}:{round(row.strike * 100)}:{row.right}"
            held = instruments.instrument(key, stored[0])
            assert instruments.adjustments(held, stored[0], stored[-1]) == []


def test_a_contract_that_was_removed_at_an_event_continues_by_its_rule(
    history: ParquetHistory, tmp_path: Path
) -> None:
    """No one held it, but a simulated account may: the old strike has no meaning any more."""
    after = [row for row in share(-20) if row["StrkPric"] != "980.00"]
    instruments = days(history, tmp_path, {TUE: share(), WED: after})
    (only,) = found(instruments, of_share(1_000))
    assert (only.new.key, only.new.lot_size) == ("LOOMCO:2026-02-24:98000:CE", 100)
    assert (only.units(100), only.day) == (100, WED)


@pytest.mark.realdata
def test_contracts_removed_at_a_split(
    shared_data: Path, history: ParquetHistory, tmp_path: Path
) -> None:
    """ANGELONE on 2026-02-26, 10 to 1: 16 of 106 contracts had no open interest and went."""
    eve, day = date(2026, 2, 25), date(2026, 2, 26)
    cut = history_of(shared_data, tmp_path, ["ANGELONE"], [eve, day])
    cut.find_actions()
    instruments = HistoryInstruments(cut, {})
    held = instruments.instrument("ANGELONE:2026-04-28:320000:PE", eve)
    (only,) = instruments.adjustments(held, eve, day)
    assert (only.new.key, only.new.lot_size) == ("ANGELONE:2026-04-28:32000:PE", 2500)
    assert only.units(-250) == -2500
