"""A sold straddle at the money of the synthetic index, at the closes of a day."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from strikeloom.domain.instruments import instrument_key
from strikeloom.domain.legs import Leg, Side
from strikeloom.ports.desk import Desk

INDEX = "SYNDEX"


def keys_of(rows: pd.DataFrame) -> list[str]:
    """Key of each row of ``CONTRACTS``."""
    parts = zip(rows["symbol"], rows["expiry"].dt.date, rows["strike"], rows["right"], strict=True)
    return [instrument_key(*part) for part in parts]


def near_straddle(desk: Desk) -> list[Leg]:
    """Two lots of each, of the nearest expiry four days ahead or more."""
    rows = desk.history.contracts(desk.day, symbols=[INDEX])
    rows = rows[(rows["right"] != "XX") & rows["traded"]]
    ahead = pd.Timestamp(desk.day + timedelta(days=4))
    rows = rows[rows["expiry"] == rows.loc[rows["expiry"] >= ahead, "expiry"].min()]
    both = rows.groupby("strike")["right"].nunique()
    strikes = both[both == 2].index
    near = strikes[np.abs(strikes - rows["underlying"].iloc[0]).argmin()]
    chosen = rows[rows["strike"] == near]
    prices = (chosen["close"] * 100).round().astype(int)
    return [
        Leg(desk.instruments.instrument(key, desk.day), Side.SELL, 2, price)
        for key, price in zip(keys_of(chosen), prices, strict=True)
    ]
