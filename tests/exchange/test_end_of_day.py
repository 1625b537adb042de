"""A day made from an end-of-day file is quoted on each underlying's own tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.exchange.market.end_of_day import end_of_day_rows

if TYPE_CHECKING:
    from strikeloom.adapters.parquet.history import ParquetHistory


@pytest.mark.parametrize("paise", [1, 5, 10])
def test_quotes_are_on_the_tick_around_the_price(
    synthetic_history: ParquetHistory, paise: int
) -> None:
    day = synthetic_history.days()[-1]
    requested: set[tuple[str, InstrumentKind]] = set()

    def tick_of(symbol: str, kind: InstrumentKind) -> int:
        requested.add((symbol, kind))
        return paise

    rows = end_of_day_rows(synthetic_history, day, tick_of)
    for name in ("bid", "ask"):
        price = np.rint(rows[name].dropna().to_numpy() * 100)
        assert (price % paise == 0).all()
    assert ((rows["bid"] < rows["last"]) | rows["bid"].isna()).all()
    assert (rows["ask"] > rows["last"]).all()
    width = np.rint((rows["ask"] - rows["last"]).to_numpy() * 100)
    half = np.maximum(paise, np.ceil(np.round(rows["last"].to_numpy() * 0.5 / paise, 6)) * paise)
    assert (width >= half - 1e-9).all()
    assert (width < half + paise + 1e-9).all()
    assert {symbol for symbol, _ in requested} == set(rows["symbol"])
