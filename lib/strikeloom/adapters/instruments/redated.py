"""Contracts whose expiry the exchange changed during their life."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

_UNCHANGED = ["symbol", "strike", "right", "instrument_id"]
_KEY = ["symbol", "expiry", "strike", "right"]


def redated(history: History, day_before: date, day: date) -> pd.DataFrame:
    """Contracts listed with one expiry on ``day_before`` and with another on ``day``.

    A contract is followed by its instrument id, symbol, strike and right together: ids alone
    are reused for other contracts. Its old expiry must not have passed, and it must be absent
    from the list under it; a day without ids (old file layout) shows none. Example:
    2,582 index contracts on 2025-01-02.

    Returns
    -------
    DataFrame
        ``symbol``, ``strike`` (rupees), ``right``, ``instrument_id``, ``old_expiry``,
        ``new_expiry``; empty when there are none.

    Raises
    ------
    MissingHistory
        When one of the days is not stored.
    """
    import pandas as pd

    before, after = history.contracts(day_before), history.contracts(day)
    removed = _absent_from(before, after)
    removed = removed[(removed["expiry"] >= pd.Timestamp(day)) & (removed["instrument_id"] != 0)]
    added = _absent_from(after, before)
    pairs = removed.merge(added, on=_UNCHANGED, suffixes=("_old", "_new"))
    pairs = pairs.rename(columns={"expiry_old": "old_expiry", "expiry_new": "new_expiry"})
    columns = [*_UNCHANGED, "old_expiry", "new_expiry"]
    return pairs.sort_values(columns, ignore_index=True)[columns]


def _absent_from(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Contracts of one list whose key is not on the other."""
    joined = rows[[*_KEY, "instrument_id"]].merge(others[_KEY], how="left", indicator="where")
    return joined[joined["where"] == "left_only"].drop(columns="where")
