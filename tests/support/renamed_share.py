"""A share with the names and the day of a real rename: ZOMATO became ETERNAL on 2025-04-09."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from strikeloom import iv_history
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import HereWorkers
from strikeloom.desk import open_desk
from strikeloom.nse.sessions import trading_days
from strikeloom.ports.desk import Desk
from support.synthetic_chains import made, walk

FORMER, LATER, RENAMED = "ZOMATO", "ETERNAL", date(2025, 4, 9)
NOTE = "ZOMATO became ETERNAL on 2025-04-09"
LAST, EXPIRIES = date(2025, 4, 22), (date(2025, 4, 24), date(2025, 5, 29))
CASH_DAYS = trading_days(date(2024, 12, 2), LAST)
DAYS = CASH_DAYS[-26:]
EVE = max(day for day in DAYS if day < RENAMED)


def home_of(folder: Path, former: str, later: str) -> Desk:
    """26 days of a share whose volatility wanders, worked out and ranked."""
    history = ParquetHistory(folder / "history" / "nse", "nse")
    vols = np.random.default_rng(11).permutation(np.linspace(0.2, 0.45, len(DAYS)))
    for day, vol in zip(DAYS, vols, strict=True):
        name = later if day >= RENAMED else former
        frame = made({(name, expiry): float(vol) for expiry in EXPIRIES}, day=day)
        frame = frame.assign(
            day=pd.Timestamp(day), instrument_id=np.arange(9000, 9000 + len(frame))
        )
        history.write("contracts", frame, source=f"fo {day}")
    prices = walk(["X"], CASH_DAYS).round(2)
    late = prices["day"] >= pd.Timestamp(RENAMED)
    prices = prices.assign(
        symbol=np.where(late, later, former),
        previous_close=prices["close"].shift(fill_value=1000.0),
        volume=1000,
    )
    history.write("cash", prices, source="cash")
    history.find_actions()
    desk = open_desk("nse", LAST, home=folder)
    gaps = iv_history.find_gaps(desk, DAYS[0])
    iv_history.save(desk, "run", gaps, iv_history.collect(desk, gaps, HereWorkers()))
    return desk
