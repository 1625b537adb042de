"""What became of contracts, against the exchange's own files read by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.desk import open_desk
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.frames import CASH, CONTRACTS
from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.errors import DataError
from strikeloom.nse.charges import Segment, trade_charges
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.ports.desk import Desk
from strikeloom.quant.quoted_width import quoted_width
from strikeloom.strategy_creation.later_days import read_later_days
from strikeloom.strategy_creation.since import ValuedBy, earned_since
from support.few_symbols import history_of
from support.near_legs import keys_of, near_straddle

#: Split, dividend under which names passed to other contracts, rename, and expiries that moved:
#: eve and day, symbol before and after, units for one, and rupees of a future's dividend.
NIGHTS = [
    ("2026-01-13", "2026-01-14", "KOTAKBANK", "KOTAKBANK", 5.0, 0.0),
    ("2026-02-04", "2026-02-05", "GAIL", "GAIL", 1.0, 5.0),
    ("2026-02-26", "2026-02-27", "LTIM", "LTM", 1.0, 0.0),
    ("2025-01-01", "2025-01-02", "BANKNIFTY", "BANKNIFTY", 1.0, 0.0),
]
ENDS = ["2026-01-23", "2026-01-27", "2026-02-24"]
EACH = 25


@pytest.fixture(scope="module")
def real_home(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("later")
    days = sorted({day for night in NIGHTS for day in night[:2]} | set(ENDS))
    symbols = sorted({name for night in NIGHTS for name in night[2:4]} | {"NIFTY"})
    history = history_of(shared_data, home, symbols, map(date.fromisoformat, days))
    history.find_actions()
    return home


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("eve", "day", "former", "later", "ratio", "dividend"), NIGHTS, ids=[n[2] for n in NIGHTS]
)
def test_changed_contracts_are_followed(
    real_home: Path, eve: str, day: str, former: str, later: str, ratio: float, dividend: float
) -> None:
    first, next_day = date.fromisoformat(eve), date.fromisoformat(day)
    history = ParquetHistory(real_home / "history" / "nse", "nse")
    before, after = history.contracts(first), history.contracts(next_day)
    before = before[(before["symbol"] == former) & (before["expiry"] >= pd.Timestamp(next_day))]
    pairs = before.assign(key=keys_of(before)).merge(
        after[after["symbol"] == later].assign(now=keys_of(after[after["symbol"] == later])),
        on=["instrument_id", "right"],
    )
    lowered = dividend * (pairs["right"] != "XX")
    same = (pairs["strike_x"] / ratio - lowered - pairs["strike_y"]).abs() <= 0.051
    pairs = pairs[same]  # else the id is another contract's by now
    futures = pairs[pairs["right"] == "XX"]
    pairs = pd.concat([pairs[pairs["right"] != "XX"].sample(EACH, random_state=7), futures])
    with open_desk("nse", first, home=real_home) as desk:
        held = [desk.instruments.instrument(key, first) for key in pairs["key"]]
        opened, found = read_later_days(desk, first, held, next_day)
    assert [it.key for it in found.instruments] == pairs["now"].tolist()
    assert found.units.tolist() == [ratio] * len(pairs)
    is_future = (pairs["right"] == "XX").to_numpy()
    assert found.paid.tolist() == [dividend * 100 * future for future in is_future]
    for listed, side in ((opened, "_x"), (found, "_y")):
        price = pairs[f"close{side}"].fillna(pairs[f"settle{side}"])
        assert listed.price == pytest.approx(price.to_numpy(), nan_ok=True)
        assert listed.lots.tolist() == pairs[f"lots_traded{side}"].tolist()
        assert listed.listed.all()
        assert np.isnan(listed.final).all()


@pytest.mark.realdata
def test_a_real_expiry_is_at_the_exchanges_final_value(real_home: Path) -> None:
    """NIFTY ended at 25175.40 on 2026-01-27, whatever its 25000 call closed at."""
    first = date(2026, 1, 23)
    with open_desk("nse", first, home=real_home) as desk:
        call = desk.instruments.instrument("NIFTY:2026-01-27:2500000:CE", first)
        put = desk.instruments.instrument("NIFTY:2026-01-27:2500000:PE", first)
        sold, bought = earned_since(
            desk, first, [[Leg(put, Side.SELL, 1, 100_00)], [Leg(call, Side.BUY, 1, 100_00)]]
        )
    assert (sold.day, sold.final, sold.by) == (date(2026, 1, 27), True, ValuedBy.SETTLEMENT)
    # 6,500 of premium: the way in costs half the measured width, charges, and the seller's tax;
    # the buyer pays 0.125 % of 65 x 175.40 at the end
    fees = (20 + 6500 * 0.03563 / 100) * 1.18 + 6500 * 0.0064 / 2
    assert sold.earned is not None
    assert bought.earned is not None
    assert sold.earned / 100 == pytest.approx(6500 - fees - 6.5, abs=0.05)
    gained, tax = 65 * (175.40 - 100), 65 * 175.40 * 0.00125
    assert bought.earned / 100 == pytest.approx(gained - fees - 0.195 - tax, abs=0.05)


@pytest.fixture
def drawn_desk(drawn_home: Path) -> Iterator[Desk]:
    history = ParquetHistory(drawn_home / "history" / "synthetic-7", "synthetic-7")
    with open_desk("synthetic-7", history.days()[-8], home=drawn_home) as desk:
        yield desk


def test_each_later_day_is_the_price_less_both_ways(drawn_desk: Desk) -> None:
    legs = near_straddle(drawn_desk)
    (found,) = earned_since(drawn_desk, drawn_desk.day, [legs])
    later = [day for day in drawn_desk.history.days() if day > drawn_desk.day]
    expiry = legs[0].instrument.expiry  # type: ignore[union-attr]
    assert [day for day, _ in found.path] == [day for day in later if day <= expiry]
    day, earned = found.path[0]
    expected = 0
    for leg in legs:
        ways = ((drawn_desk.day, leg.side, leg.price), (day, leg.side.opposite, None))
        for when, side, price in ways:
            rows = drawn_desk.history.contracts(when, symbols=["SYNDEX"])
            row = rows.iloc[keys_of(rows).index(leg.instrument.key)]
            paise = price or round((row["close"] if row["traded"] else row["settle"]) * 100)
            units = abs(leg.signed_units)
            width = quoted_width(
                np.array([paise / 100]), np.array([row["lots_traded"]]), np.array([True])
            )
            expected -= int(side) * units * paise + round(units * float(width[0]) * 50)
            expected -= trade_charges(side, units, paise, when, segment=Segment.OPTION).total
    assert earned == pytest.approx(expected, abs=1)


def test_it_ends_where_it_is_asked_to(drawn_desk: Desk) -> None:
    legs = near_straddle(drawn_desk)
    later = [day for day in drawn_desk.history.days() if day > drawn_desk.day]
    (whole,) = earned_since(drawn_desk, drawn_desk.day, [legs])
    (part,) = earned_since(drawn_desk, drawn_desk.day, [legs], later[0])
    assert part.path == whole.path[:1]
    (none,) = earned_since(drawn_desk, drawn_desk.day, [legs], drawn_desk.day)
    assert (none.earned, none.reason) == (None, f"no day after {drawn_desk.day} is stored")


def test_a_contract_that_is_on_no_list_has_its_reason(drawn_desk: Desk) -> None:
    legs = near_straddle(drawn_desk)
    held: Instrument = legs[0].instrument
    gone = type(held)(held.symbol, held.expiry, 1_00, held.right, held.kind, held.lot_size)  # type: ignore[union-attr,call-arg]
    day, later, *_ = (each for each in drawn_desk.history.days() if each >= drawn_desk.day)
    opened, found = read_later_days(drawn_desk, day, [gone, Share("SYNCO")], later)
    assert not opened.listed[0]
    assert found.why_not(0) == f"{gone.label} is not on the list of {later}"


class _Lists:
    """A history of stated lists; each view is of its day, as a stage reads it."""

    def __init__(self, lists: dict[date, pd.DataFrame], cash: dict[date, float]) -> None:
        self.lists, self.closes = lists, cash

    def as_of(self, _day: date) -> _Lists:
        return self

    def days(self) -> list[date]:
        return sorted(self.lists)

    def actions(self, _first: date, _last: date) -> list[CorporateAction]:
        return [CorporateAction("RELIANCE", NEXT, "split", 2.0)]

    def contracts(self, day: date, **_only: object) -> pd.DataFrame:
        return self.lists[day]

    def cash(self, day: date, _last: date, **_only: object) -> pd.DataFrame:
        closes = [(day, "RELIANCE", 0, 0, 0, self.closes[day], 0, 0)] if day in self.closes else []
        return CASH.table(closes)


START, NEXT, END = date(2026, 1, 22), date(2026, 1, 23), date(2026, 1, 27)


def _row(strike: float, right: str, close: float, final: float, level: float) -> list[object]:
    return [
        "RELIANCE", "stock", END, END, strike, right, 7, 500, None, None, None, close, None, final,
        None, level, 40, 0, 0, True,
    ]  # fmt: skip


def _desk_of(lists: _Lists, changes: list[ContractAdjustment]) -> Desk:
    class Adjusting:
        def adjustments(self, held: Instrument, _since: date, _until: date) -> object:
            return changes if isinstance(held, FutureContract) else []

    return cast("Desk", SimpleNamespace(history=lists, instruments=Adjusting()))


def test_a_share_is_at_its_close_and_at_the_final_value_where_contracts_end() -> None:
    nan = float("nan")
    lists = {
        START: CONTRACTS.table([_row(1400, "CE", 30, nan, 1400.5)]),
        NEXT: CONTRACTS.table([_row(1400, "CE", 31, nan, 1410.5)]),
        END: CONTRACTS.table([_row(1400, "CE", 32, 1450.0, 1449.0)]),
    }
    desk = _desk_of(_Lists(lists, {START: 1401.0, END: 1451.0}), [])
    found = read_later_days(desk, START, [Share("RELIANCE")], date.max)
    assert [day.price[0] for day in found] == [1401.0, 1410.5, 1450.0]


def test_a_dividend_after_a_split_is_paid_on_the_new_units() -> None:
    """One unit became two, of which each was paid 5 rupees: 1,000 paise a unit of the first day."""
    nan = float("nan")
    old = FutureContract("RELIANCE", END, InstrumentKind.STOCK, 500)
    changes = [
        ContractAdjustment(old.key, replace(old, lot_size=1000), 2, 1, NEXT, "split"),
        ContractAdjustment(old.key, replace(old, lot_size=1000), 1, 1, END, "dividend", 500),
    ]
    lists = {day: CONTRACTS.table([_row(0, "XX", 700, nan, 700)]) for day in (START, NEXT, END)}
    found = read_later_days(_desk_of(_Lists(lists, {}), changes), START, [old], date.max)
    assert [day.units[0] for day in found] == [1, 2, 2]
    assert [day.paid[0] for day in found] == [0, 0, 1000]
    assert [day.instruments[0].lot_size for day in found] == [500, 1000, 1000]


def test_what_is_not_known_of_a_contract_is_its_reason() -> None:
    class Refusing:
        def adjustments(self, *_given: object) -> object:
            raise DataError("what it became is not known")

    nan = float("nan")
    lists = {
        START: CONTRACTS.table([_row(1400, "CE", 30, nan, 1400)]),
        END: CONTRACTS.table([_row(1500, "CE", 30, nan, 1400)]),  # not on the list of its last day
    }
    history = _Lists(lists, {})
    history.actions = lambda _first, _last: []  # type: ignore[method-assign]
    desk = cast("Desk", SimpleNamespace(history=history, instruments=Refusing()))
    call = OptionContract("RELIANCE", END, 1400_00, Right.CALL, InstrumentKind.STOCK, 500)
    _, found = read_later_days(desk, START, [call], date.max)
    assert np.isnan(found.price[0])
    assert found.why_not(0) == "what it became is not known"
