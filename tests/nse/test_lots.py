"""Index lots against the exchange's own contract files and lists."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from strikeloom.errors import DataError
from strikeloom.nse.lots import index_lot

if TYPE_CHECKING:
    import pandas as pd

INDICES = ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50"]


@pytest.mark.parametrize(
    ("symbol", "expiry", "day", "lot"),
    [
        ("NIFTY", date(2026, 2, 24), date(2026, 2, 10), 65),
        ("BANKNIFTY", date(2026, 2, 24), date(2026, 2, 10), 30),
        ("FINNIFTY", date(2026, 2, 24), date(2026, 2, 10), 60),
        ("MIDCPNIFTY", date(2026, 2, 24), date(2026, 2, 10), 120),
        ("NIFTYNXT50", date(2026, 2, 24), date(2026, 2, 10), 25),
        ("NIFTYFPI", date(2026, 9, 29), date(2026, 8, 12), 1100),
        # the January 2025 monthly kept its lot while the weeklies around it had the new one
        ("NIFTY", date(2025, 1, 23), date(2025, 1, 2), 75),
        ("NIFTY", date(2025, 1, 30), date(2025, 1, 2), 25),
        ("NIFTY", date(2025, 2, 6), date(2025, 1, 2), 75),
        # NSE/FAOP/70616: long contracts change after 2025-12-30, January's are listed with it
        ("NIFTY", date(2026, 3, 30), date(2025, 12, 30), 75),
        ("NIFTY", date(2026, 3, 30), date(2025, 12, 31), 65),
        ("NIFTY", date(2026, 1, 27), date(2025, 12, 30), 65),
        ("NIFTY", date(2025, 12, 30), date(2025, 12, 30), 75),
        ("BANKNIFTY", date(2025, 7, 31), date(2025, 4, 25), 35),
        ("BANKNIFTY", date(2025, 6, 26), date(2025, 4, 25), 30),
        # reviews of 2023 and 2024
        ("BANKNIFTY", date(2023, 6, 28), date(2023, 5, 2), 25),
        ("BANKNIFTY", date(2023, 7, 27), date(2023, 5, 2), 15),
        ("NIFTY", date(2024, 5, 2), date(2024, 4, 26), 25),
        ("NIFTY", date(2024, 5, 2), date(2024, 4, 25), 50),
    ],
)
def test_index_lots(symbol: str, expiry: date, day: date, lot: int) -> None:
    assert index_lot(symbol, expiry, day) == lot


def test_what_is_not_on_record_is_refused() -> None:
    with pytest.raises(DataError, match="no lot size is on record for RELIANCE"):
        index_lot("RELIANCE", date(2026, 2, 24), date(2026, 2, 10))
    with pytest.raises(DataError, match=r"NIFTY is on record .* from 2022-11-01, not for 2021"):
        index_lot("NIFTY", date(2021, 6, 24), date(2021, 6, 1))
    with pytest.raises(DataError, match="traded from 2026-08-12, not for 2026-09-29 on 2026-08-11"):
        index_lot("NIFTYFPI", date(2026, 9, 29), date(2026, 8, 11))


@pytest.mark.realdata
def test_every_index_contract_has_its_lot(official: dict[date, pd.DataFrame]) -> None:
    checked = 0
    for day, frame in official.items():
        listed = frame.loc[frame["type"].isin(["IDO", "IDF"]), ["symbol", "expiry", "lot"]]
        for symbol, expiry, lot in listed.drop_duplicates().itertuples(index=False):
            assert index_lot(symbol, expiry, day) == lot, (symbol, expiry, day)
            checked += 1
    assert checked > 150


@pytest.mark.realdata
def test_the_contract_file_of_july_2024(shared_data: Path) -> None:
    import pandas as pd

    path = shared_data / "reference" / "NSE_FO_contract_05072024.csv.gz"
    columns = ["TckrSymb", "XpryDt", "NewBrdLotQty"]
    frame = pd.read_csv(path, usecols=columns)[columns].drop_duplicates()
    frame = frame[frame["TckrSymb"].isin(INDICES)]
    epoch = pd.Timestamp("1980-01-01")
    for symbol, seconds, lot in frame.itertuples(index=False):
        expiry = (epoch + pd.Timedelta(seconds=seconds)).date()
        assert index_lot(symbol, expiry, date(2024, 7, 5)) == lot, (symbol, expiry)


@pytest.mark.realdata
def test_the_lists_of_market_lots(shared_data: Path) -> None:
    folder = shared_data / "reference"
    lists = [
        ("fo_mktlots_2022-11_original.csv", 1, date(2022, 11, 15), date(2022, 11, 24)),
        ("fo_mktlots_2025-10-06_simplified.csv", 0, date(2025, 10, 6), date(2025, 10, 28)),
    ]
    for name, place, day, expiry in lists:
        text = (folder / name).read_text(encoding="utf-8")
        table = [[field.strip() for field in line.split(",")] for line in text.splitlines()]
        lots = {line[place]: line[place + 1] for line in table if len(line) > place + 1}
        for symbol in INDICES[:4]:
            assert index_lot(symbol, expiry, day) == int(lots[symbol])
