"""A frame is checked when handed over: columns, families, keys."""

from __future__ import annotations

import pandas as pd
import pytest

from strikeloom.domain.frames import CASH
from strikeloom.errors import BadFrame


@pytest.fixture
def cash() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "volume": [10, 20],
            "day": pd.to_datetime(["2026-02-10", "2026-02-10"]),
            "symbol": ["TCS", "INFY"],
            "open": [1.0, 2.0],
            "high": [1.0, 2.0],
            "low": [1.0, 2.0],
            "close": [1.0, 2.0],
            "previous_close": [1.0, 2.0],
            "extra": ["a", "b"],
        }
    )


def test_columns_come_out_in_the_order_of_the_schema(cash: pd.DataFrame) -> None:
    assert list(CASH.check(cash, where="here").columns) == list(CASH.columns)


def test_a_missing_column_is_named(cash: pd.DataFrame) -> None:
    with pytest.raises(BadFrame, match=r"here: table cash lacks column close"):
        CASH.check(cash.drop(columns="close"), where="here")


def test_a_wrong_family_is_named(cash: pd.DataFrame) -> None:
    with pytest.raises(BadFrame, match=r"column close of cash is .*expected price"):
        CASH.check(cash.assign(close=["1", "2"]), where="here")


def test_a_repeated_key_is_named(cash: pd.DataFrame) -> None:
    with pytest.raises(BadFrame, match=r"1 rows of cash repeat their key.*TCS"):
        CASH.check(cash.assign(symbol="TCS"), where="here")
