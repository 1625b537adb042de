"""A symbol's stored days as one series, those of its former names included.

Stored rows have the names of their own days; here they have those of the desk's day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.volatility import IvRank
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.renames import names_of, under_later_names
from strikeloom.ports.desk import Desk

if TYPE_CHECKING:
    import pandas as pd


def read_history(desk: Desk, *, first: date | None = None) -> pd.DataFrame:
    """``IV_SUMMARY`` columns and ``method`` up to the desk's day, by symbol and day."""
    return under_present_names(desk, desk.store.iv_history(desk.day, first=first))


def under_present_names(desk: Desk, frame: pd.DataFrame) -> pd.DataFrame:
    """Stored rows under the names of the desk's day, by symbol and day."""
    if frame.empty:
        return frame
    days = frame["day"].to_numpy().astype("datetime64[D]")
    named = under_later_names(frame["symbol"].to_numpy(), days, _actions(desk, days.min().item()))
    return frame.assign(symbol=named).sort_values(
        ["symbol", "day"], kind="stable", ignore_index=True
    )


def read_ranks(desk: Desk, symbol: str, *, first: date | None = None) -> list[IvRank]:
    """Ranks of a symbol and of its former names up to the desk's day, oldest first."""
    actions = _actions(desk, date.min)
    rows = [
        row
        for name in names_of(symbol, actions)
        for row in desk.store.rank_history(name, desk.day, first=first)
    ]
    stored = np.array([row.symbol for row in rows], dtype=object)
    days = np.array([row.day for row in rows], dtype="datetime64[D]")
    named = under_later_names(stored, days, actions)
    # a former name may have been another underlying's on other days
    mine = np.flatnonzero(named == symbol).tolist()
    found = [replace(rows[place], symbol=symbol) for place in mine]
    return sorted(found, key=lambda row: row.day)


def _actions(desk: Desk, first: date) -> list[CorporateAction]:
    return desk.history.as_of(desk.day).actions(first, desk.day)
