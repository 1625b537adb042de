"""Corporate actions against the price steps of the cash market."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from strikeloom.nse.corporate_actions import actions
from strikeloom.nse.tables import rows

if TYPE_CHECKING:
    import pandas as pd


def test_actions_are_dated() -> None:
    assert actions("KOTAKBANK", date(2026, 1, 13)) == []
    (split,) = actions("KOTAKBANK", date(2026, 1, 14))
    assert (split.day, split.kind, split.ratio) == (date(2026, 1, 14), "split", 5.0)
    assert str(split) == "KOTAKBANK had a split on 2026-01-14: one share became 5"
    (renamed,) = actions("LTIM", date(2026, 3, 1))
    assert str(renamed) == "LTIM became LTM on 2026-02-27"
    demerged, became = actions("TATAMOTORS", date(2026, 1, 1))
    assert (demerged.kind, demerged.ratio, became.successor) == ("demerger", None, "TMPV")
    assert str(demerged) == "TATAMOTORS had a demerger on 2025-10-14"


@pytest.fixture(scope="module")
def cash(shared_data: Path) -> pd.DataFrame:
    """Previous close over open of every F&O stock and day, and each symbol's first day."""
    import pandas as pd

    name = "fno_underlyings_2024-12-02_to_2026-03-19.csv.gz"
    frame = pd.read_csv(shared_data / "cm_bhavcopy" / name, skipinitialspace=True)
    frame["day"] = pd.to_datetime(frame["DATE1"].str.strip(), format="%d-%b-%Y")
    frame = frame.sort_values(["SYMBOL", "day"], ignore_index=True)
    frame["step"] = frame.groupby("SYMBOL")["CLOSE_PRICE"].shift() / frame["OPEN_PRICE"]
    return frame.set_index(["SYMBOL", "day"])


@pytest.mark.realdata
def test_prices_opened_at_the_stated_ratio(cash: pd.DataFrame) -> None:
    steps = cash["step"]
    for row in rows("corporate_actions"):
        if row["ratio"]:
            step = steps[row["symbol"], row["effective_from"]]
            assert step == pytest.approx(float(row["ratio"]), rel=0.05), row


@pytest.mark.realdata
def test_no_large_step_is_without_its_action(cash: pd.DataFrame) -> None:
    large = cash.index[cash["step"] > 1.4]
    stated = {
        (row["symbol"], row["effective_from"])
        for row in rows("corporate_actions")
        if row["action"] != "rename"
    }
    assert {(symbol, f"{day:%Y-%m-%d}") for symbol, day in large} <= stated
    assert len(large) > 20


@pytest.mark.realdata
def test_a_renamed_symbol_begins_where_the_old_one_ends(cash: pd.DataFrame) -> None:
    days = cash.reset_index().groupby("SYMBOL")["day"].agg(["min", "max"])
    for row in rows("corporate_actions"):
        if row["action"] == "rename":
            assert f"{days.loc[row['successor'], 'min']:%Y-%m-%d}" == row["effective_from"]
            if row["symbol"] in days.index:
                assert f"{days.loc[row['symbol'], 'max']:%Y-%m-%d}" < row["effective_from"]
