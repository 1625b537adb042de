"""Corporate actions detected from contracts: invented shares and ratios, and no action."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import DataError
from strikeloom.nse.adjusted import adjusted_contracts, adjusted_prices
from strikeloom.nse.contract_changes import contract_changes
from strikeloom.nse.corporate_actions import CorporateAction, joined

BEFORE, DAY = date(2026, 5, 4), date(2026, 5, 5)
EXPIRY = pd.Timestamp("2026-05-26")
NO_CASH = pd.DataFrame({"day": pd.to_datetime([]), "symbol": [], "open": [], "close": []})


def chain(symbol: str = "ZEBRATECH", *, lot: int = 120, level: float = 3000.0) -> pd.DataFrame:
    """A future and twelve options of a stock."""
    strikes = [0.0, *(level + step for step in range(-150, 150, 50) for _ in "CP")]
    rows = len(strikes)
    return pd.DataFrame(
        {
            "symbol": symbol,
            "kind": "stock",
            "expiry": EXPIRY,
            "last_day": EXPIRY,
            "strike": strikes,
            "right": ["XX", *("CE", "PE") * 6],
            "instrument_id": np.arange(70_000, 70_000 + rows),
            "lot_size": lot,
            "final_settlement": np.nan,
            "underlying": level,
            "open_interest": 100 * lot,
            "oi_change": lot,
            **dict.fromkeys(("open", "high", "low", "close", "settle", "previous_close"), 60.0),
        }
    )


def after(frame: pd.DataFrame, ratio: float = 1.0, amount: float = 0.0) -> pd.DataFrame:
    """The contracts after adjustment by the exchange: strikes to the nearest tick, whole lots."""
    option = frame["right"] != "XX"
    strikes = ((frame["strike"] / ratio - amount) / 0.05).round() * 0.05
    return frame.assign(
        strike=strikes.where(option, 0.0).round(2),
        lot_size=np.rint(frame["lot_size"] * ratio).astype(int),
        underlying=(frame["underlying"] / ratio - amount) * 1.01,
    )


def find(
    old: pd.DataFrame, new: pd.DataFrame, cash: pd.DataFrame = NO_CASH
) -> list[CorporateAction]:
    return contract_changes(old, new, day=DAY, day_before=BEFORE, cash=cash)


@given(
    st.sampled_from(["7/1", "3/1", "5/4", "3/2", "10/1", "6/5", "4/3"]),
    st.sampled_from([12, 60, 120, 600]),
)
@settings(max_examples=20, deadline=None)
def test_a_split_of_an_invented_share(text: str, lot: int) -> None:
    ratio = float(Fraction(text))
    (found,) = find(chain(lot=lot), after(chain(lot=lot), ratio))
    assert (found.symbol, found.day, found.kind) == ("ZEBRATECH", DAY, "split")
    assert found.ratio == pytest.approx(ratio, rel=1e-12)
    assert found.seen_after == BEFORE
    assert "12 of 12 contracts keep their id" in found.evidence


def test_the_contracts_before_become_those_after() -> None:
    old = chain()
    (found,) = find(old, after(old, 7))
    new, ours = after(old, 7), adjusted_contracts(old, [found])
    assert (ours["strike"] == new["strike"]).all()
    assert (ours["lot_size"] == 840).all()
    assert (ours["open_interest"] == 700 * 120).all()
    # what a position is worth stays: price times lot
    assert (ours["close"] * ours["lot_size"]).to_numpy() == pytest.approx(60.0 * 120)


def test_a_dividend_lowers_strikes_alone() -> None:
    old = chain()
    (found,) = find(old, after(old, amount=72.5))
    assert (found.kind, found.amount, found.ratio) == ("dividend", 72.5, None)
    assert found.divisor == pytest.approx(3000 / 2927.5)
    ours = adjusted_contracts(old, [found])
    assert (ours["strike"] == after(old, amount=72.5)["strike"]).all()
    assert (ours["open_interest"] == old["open_interest"]).all()
    option = old["right"] != "XX"
    assert (ours.loc[option, "close"] == 60.0).all()
    assert (ours.loc[~option, "close"] == 60.0 - 72.5).all()


def test_all_contracts_ended_early_is_a_demerger_without_a_ratio() -> None:
    old = chain().assign(final_settlement=3000.0)
    (found,) = find(old, chain().assign(instrument_id=np.arange(13) + 90_000))
    assert (found.kind, found.ratio, found.divisor, found.breaks) == ("demerger", None, 1.0, True)
    # on its expiry day every chain ends; that is nothing
    assert find(chain().assign(final_settlement=3000.0, expiry=pd.Timestamp(BEFORE)), chain()) == []


@pytest.mark.realdata
def test_contracts_announced_to_end_are_a_demerger_whose_last_day_has_no_file(
    shared_data: Path, tmp_path: Path
) -> None:
    """The files of 2025-01-02 state that ITC's end on 01-03; those of 01-03 and 01-06 are lost."""
    history = ParquetHistory(tmp_path, "nse")
    for text in ("20250102", "20250108"):
        name = f"BhavCopy_NSE_FO_0_0_0_{text}_F_0000.csv"
        table = pd.read_csv(shared_data / "fo_bhavcopy" / "udiff" / f"{name}.zip", dtype=str)
        table[table["TckrSymb"].isin(["ITC", "WIPRO"])].to_csv(tmp_path / name, index=False)
        assert not import_paths([tmp_path / name], history).refused
    days = [date(2025, 1, 2), date(2025, 1, 8)]
    before, behind = (history.contracts(day) for day in days)
    (found,) = contract_changes(
        before, behind, day=days[1], day_before=days[0], cash=history.cash(*days)
    )
    assert (found.symbol, found.day, found.kind) == ("ITC", date(2025, 1, 6), "demerger")


def test_contracts_that_continue_under_another_name_are_a_rename() -> None:
    (found,) = find(chain(), chain("ZEBRA"))
    assert (found.kind, found.symbol, found.successor) == ("rename", "ZEBRATECH", "ZEBRA")
    assert adjusted_contracts(chain(), [found])["symbol"].unique().tolist() == ["ZEBRA"]


@pytest.mark.parametrize(
    "change",
    [
        {},  # nothing happened
        {"instrument_id": 0},  # the old layout has no ids
        {"kind": "index"},
        {"lot_size": 240},  # a change of lots alone
    ],
)
def test_what_is_no_action(change: dict[str, object]) -> None:
    assert find(chain().assign(**change), chain().assign(**change)) == []


def bare(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as in the old layout: no ids, lots or levels."""
    return frame.assign(instrument_id=0, lot_size=0, underlying=np.nan)


def opening(close: float, opened: float) -> pd.DataFrame:
    days = pd.to_datetime([BEFORE, DAY])
    return pd.DataFrame(
        {"day": days, "symbol": "ZEBRATECH", "open": [close, opened], "close": [close, opened]}
    )


@given(st.sampled_from(["7/1", "3/1", "5/4", "3/2", "10/1", "6/5", "4/3"]), st.floats(0.9, 1.1))
@settings(max_examples=40, deadline=None)
def test_a_split_is_found_without_ids_by_its_strikes_and_the_cash_market(
    text: str, move: float
) -> None:
    ratio = float(Fraction(text))
    opened = 3000 / ratio * move
    found = find(bare(chain()), bare(after(chain(), ratio)), opening(3000.0, opened))
    if opened > 3000 * 0.85:
        assert found == []  # a 6:5 hidden by a rise cannot be distinguished from a market move
        return
    (split,) = found
    assert (split.symbol, split.day, split.kind) == ("ZEBRATECH", DAY, "split")
    assert split.ratio == pytest.approx(ratio, rel=1e-12)
    assert "without ids" in split.evidence
    # one day with ids beside one without is no more
    mixed = find(bare(chain()), after(chain(), ratio), opening(3000.0, opened))
    assert [item.ratio for item in mixed] == [split.ratio]


def test_without_ids_what_proves_no_split_is_none() -> None:
    old, new = bare(chain()), bare(after(chain(), 5))
    assert find(old, new) == []  # no cash prices
    assert find(old, new, opening(3000.0, 2990.0)) == []  # no step in them
    assert find(old, new, opening(3000.0, 1500.0)) == []  # a step of another ratio
    assert find(old, old, opening(3000.0, 600.0)) == []  # a crash: the strikes stay
    assert find(old.head(5), new.head(5), opening(3000.0, 600.0)) == []  # too few to prove it
    # with ids on both days the ids decide
    assert find(chain(), chain(), opening(3000.0, 600.0)) == []


def test_a_few_reused_ids_prove_nothing() -> None:
    new = chain()
    new.loc[[1, 2], "strike"] /= 5
    assert find(chain(), new) == []


def test_a_change_by_no_known_rule_is_flagged_not_adjusted() -> None:
    new = after(chain(), 5).assign(lot_size=120)  # strikes divided, lots kept
    (found,) = find(chain(), new)
    assert (found.kind, found.ratio, found.divisor, found.breaks) == (
        "unexplained",
        None,
        1.0,
        True,
    )
    assert adjusted_contracts(chain(), [found]).equals(chain())


def test_a_ratio_that_prices_contradict_is_rejected() -> None:
    new = after(chain(), 5).assign(underlying=2950.0)
    (found,) = find(chain(), new)
    assert (found.kind, found.ratio) == ("unexplained", None)
    assert "does not match the ratio" in found.evidence


def test_the_cash_market_names_the_day_between_two_stored_ones() -> None:
    days = pd.to_datetime(["2026-04-30", "2026-05-04", "2026-05-05"])
    cash = pd.DataFrame(
        {"day": days, "symbol": "ZEBRATECH", "open": [2990.0, 601.0, 599.0],
         "close": [3000.0, 600.0, 610.0]}
    )  # fmt: skip
    old, new = chain(), after(chain(), 5)
    (found,) = contract_changes(old, new, day=DAY, day_before=date(2026, 4, 30), cash=cash)
    assert (found.day, found.ratio, found.seen_after) == (BEFORE, 5.0, date(2026, 4, 30))
    assert "cash close 3000.00 then open 601.00" in found.evidence


def test_prices_before_are_in_the_shares_of_later() -> None:
    """Split by 4 of the 5th, then a dividend of 10 on the 7th when the share stood at 200."""
    days = pd.to_datetime(["2026-05-04", "2026-05-05", "2026-05-06", "2026-05-07"])
    frame = pd.DataFrame(
        {
            "symbol": "ZEBRATECH",
            "day": days,
            **{side: [800.0, 200.0, 200.0, 190.0] for side in ("open", "high", "low", "close")},
            "previous_close": [800.0, 800.0, 200.0, 200.0],
            "volume": [1000, 4000, 4000, 4000],
        }
    )
    acts = [
        CorporateAction("ZEBRATECH", date(2026, 5, 7), "dividend", None, amount=10, reference=200),
        CorporateAction("ZEBRATECH", DAY, "split", 4.0),
        CorporateAction("OTHER", DAY, "split", 3.0),
    ]
    ours = adjusted_prices(frame, acts)
    assert ours["close"].to_numpy() == pytest.approx([190.0] * 4)
    assert ours["previous_close"].to_numpy() == pytest.approx([190.0] * 4)
    assert ours["volume"].tolist() == [4000] * 4
    assert frame["close"].iloc[0] == 800.0


def test_a_found_action_on_record_is_counted_once() -> None:
    seen = {"seen_after": date(2026, 1, 9)}
    late = CorporateAction("KOTAKBANK", date(2026, 1, 16), "split", 5.0, **seen)
    named = [item for item in joined([late]) if item.symbol == "KOTAKBANK"]
    assert [(item.day, item.ratio) for item in named] == [(date(2026, 1, 14), 5.0)]
    other = CorporateAction("ZEBRATECH", DAY, "split", 7.0)
    assert other in joined([other])
    wrong = CorporateAction("KOTAKBANK", date(2026, 1, 14), "split", 2.0, evidence="made up")
    with pytest.raises(DataError, match=r"changed by 2 \(made up\)"):
        joined([wrong])
