"""Open interest with which a day began.

A file states it as open interest less its change, but not on the day on which the exchange moved
the expiry of a contract: then all of its open interest is stated as its change, as if it were new.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["instrument_id", "expiry", "strike", "open_interest"]


def opening_interest(history: History, day: date, rows: pd.DataFrame) -> NDArray[np.int64]:
    """Open interest of contracts at the beginning of a day, in units.

    Of a contract whose expiry was moved since the stored day before, by the same instrument id, it
    is that day's.

    Parameters
    ----------
    rows : DataFrame
        ``CONTRACTS`` of the day.
    """
    held = rows["open_interest"].to_numpy(dtype=np.int64)
    opening: NDArray[np.int64] = np.maximum(held - rows["oi_change"].to_numpy(dtype=np.int64), 0)
    numbered = rows["instrument_id"].to_numpy() > 0
    new = np.flatnonzero((opening == 0) & numbered)
    before = [stored for stored in history.days() if stored < day]
    if not (held[new] > 0).any() or not before:
        return opening
    symbols = sorted(set(rows["symbol"].iloc[new]))
    former = history.contracts(before[-1], symbols=symbols, columns=_COLUMNS)
    former = former[former["instrument_id"] > 0].drop_duplicates("instrument_id")
    both = rows.iloc[new][_COLUMNS].merge(
        former, on=["instrument_id", "strike"], how="left", suffixes=("", "_before")
    )
    # an id of a contract that has ended may be another's now
    live = both["expiry_before"].to_numpy() >= np.datetime64(day, "D")
    moved = live & (both["expiry_before"] != both["expiry"]).to_numpy()
    opening[new[moved]] = both["open_interest_before"].to_numpy()[moved].astype(np.int64)
    return opening
