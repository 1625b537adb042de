"""The exchange's own contract files, read without the package's readers."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd

#: Both sides of the change of expiry weekday, of a lot review and of three tick reviews.
DAYS = ("2025-01-01", "2025-01-02", "2025-01-08", "2026-01-01", "2026-02-26", "2026-03-19")
COLUMNS = {
    "FinInstrmTp": "type",
    "TckrSymb": "symbol",
    "XpryDt": "expiry",
    "ClsPric": "close",
    "TtlTradgVol": "volume",
    "NewBrdLotQty": "lot",
}


@pytest.fixture(scope="session")
def official(shared_data: Path) -> dict[date, pd.DataFrame]:
    """Contracts of a few days by trade date: type, symbol, expiry, close, volume, lot."""
    import pyarrow.csv as pc

    wanted = pc.ConvertOptions(include_columns=list(COLUMNS))
    found = {}
    for text in DAYS:
        name = f"BhavCopy_NSE_FO_0_0_0_{text.replace('-', '')}_F_0000.csv"
        path = shared_data / "fo_bhavcopy" / "udiff" / f"{name}.zip"
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(archive.read(archive.namelist()[0]))
        table = pc.read_csv(content, convert_options=wanted)
        found[date.fromisoformat(text)] = table.to_pandas().rename(columns=COLUMNS)
    return found
