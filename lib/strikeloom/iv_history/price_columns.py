"""What a day's summary has from daily prices: realised volatility, some spots and flags.

All else comes from the day's own contracts. When only prices of earlier days or corporate actions
were added or corrected, these columns are worked out again and the smiles are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.volatility import Flag
from strikeloom.iv_history.realised import Realised

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def spots(levels: Floats, past: Realised) -> Floats:
    """Levels of the underlyings in the contracts, else the closes of the day."""
    return np.asarray(np.where(np.isfinite(levels), levels, past.spot))


def realised_columns(past: Realised, month: Floats) -> dict[str, NDArray[np.generic]]:
    """Realised volatilities, and volatility 30 days ahead less one of them."""
    return {**past.vols, "iv_minus_rv": month - past.vols["rv_cc_20"]}


def price_flags(past: Realised) -> dict[Flag, Flags]:
    """Flags that come from prices; they are the last of a row."""
    return {
        Flag.PRICE_GAP: past.gap,
        Flag.BROKEN: past.broken,
        Flag.ASKED: past.asked,
        Flag.NO_PRICE: np.isnan(past.spot),
    }


def flag_texts(rows: dict[Flag, Flags], start: list[list[str]]) -> NDArray[np.object_]:
    """Names of the flags that are set, a text a row, after those that it starts with."""
    for flag, is_set in rows.items():
        for row in np.flatnonzero(is_set).tolist():
            start[row].append(flag.value)
    return np.array([" ".join(names) for names in start], dtype=object)


def repriced(summary: pd.DataFrame, levels: Floats, past: Realised) -> pd.DataFrame:
    """Summary of a day with other prices behind it.

    Parameters
    ----------
    summary : DataFrame
        ``IV_SUMMARY`` of the day from the same contracts.
    levels : ndarray
        Level of each underlying in the contracts; NaN where they have none.
    """
    month = summary["atm_iv_30d"].to_numpy()
    columns = {"spot": spots(levels, past), **realised_columns(past, month)}
    if summary["expiries_listed"].any():  # without any expiry there is one flag alone
        flags = price_flags(past)
        own = {flag.value for flag in flags}
        texts = summary["flags"].fillna("").str.split()
        kept = [[name for name in names if name not in own] for names in texts]
        columns["flags"] = flag_texts(flags, kept)
    return summary.assign(**columns)
