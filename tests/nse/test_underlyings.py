"""Every underlying has a kind and the exchange's own sector."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.nse.underlyings import known, underlying

if TYPE_CHECKING:
    import pandas as pd


def test_an_underlying_by_symbol() -> None:
    assert (underlying("NIFTY").kind, underlying("NIFTY").sector) == (InstrumentKind.INDEX, "Index")
    assert (underlying("M&M").kind, underlying("INFY").sector) == (
        InstrumentKind.STOCK,
        "Information Technology",
    )


def test_an_unknown_symbol_names_its_neighbour() -> None:
    with pytest.raises(DataError, match="did you mean RELIANCE"):
        underlying("RELIANC")
    with pytest.raises(DataError, match="QQQQQQQQ has no row; add it"):
        underlying("QQQQQQQQ")


def test_no_sector_is_left_open() -> None:
    assert all(item.sector for item in known().values())
    indices = {symbol for symbol, item in known().items() if item.kind is InstrumentKind.INDEX}
    assert {symbol for symbol, item in known().items() if item.sector == "Index"} == indices


@pytest.mark.realdata
def test_sectors_are_the_exchanges(shared_data: Path) -> None:
    path = shared_data / "reference" / "ind_nifty500list.csv"
    with path.open(encoding="utf-8") as stream:
        stated = {row["Symbol"]: row["Industry"] for row in csv.DictReader(stream)}
    ours = {s: item.sector for s, item in known().items() if s in stated}
    assert ours == {symbol: stated[symbol] for symbol in ours}
    assert len(ours) > 250


@pytest.mark.realdata
def test_every_underlying_of_the_real_files_is_known(official: dict[date, pd.DataFrame]) -> None:
    for frame in official.values():
        for symbol, kind in set(zip(frame["symbol"], frame["type"].str[0], strict=True)):
            assert underlying(symbol).kind is (
                InstrumentKind.INDEX if kind == "I" else InstrumentKind.STOCK
            )
