"""What a history holds, month by month, and which trading days are missing from it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.history import ParquetHistory

if TYPE_CHECKING:
    import pandas as pd

_MONTH = "%Y-%m"


def coverage(history: ParquetHistory) -> pd.DataFrame:
    """Days stored of each dataset, by month.

    Months run from the first to the last with contracts, cash or quotes; index histories reach
    back much further and are counted only there.

    Returns
    -------
    DataFrame
        ``month`` (2026-02), ``trading_days`` between the first and last day stored,
        ``contracts``, ``cash``, ``indices``, ``quotes`` (days stored of each), ``missing``
        (list of trading days without contracts or quotes). Empty when nothing is stored.

    Raises
    ------
    DataError
        When a stored day is outside the known calendar.
    """
    import pandas as pd

    from strikeloom.nse.sessions import trading_days

    stored = {name: history.stored_days(name) for name in DATASETS}
    span = sorted({*stored["contracts"], *stored["cash"], *stored["quotes"]})
    expected = trading_days(span[0], span[-1]) if span else []
    held = {*stored["contracts"], *stored["quotes"]}
    months = sorted({day.strftime(_MONTH) for day in [*expected, *span]})
    days = _by_month(expected)
    counts = {name: _by_month(found) for name, found in stored.items()}
    missing: dict[str, list[date]] = {month: [] for month in months}
    for day in expected:
        if day not in held:
            missing[day.strftime(_MONTH)].append(day)
    return pd.DataFrame(
        {
            "month": months,
            "trading_days": [days[month] for month in months],
            **{name: [found[month] for month in months] for name, found in counts.items()},
            "missing": list(missing.values()),
        }
    )


def _by_month(days: list[date]) -> Counter[str]:
    return Counter(day.strftime(_MONTH) for day in days)
