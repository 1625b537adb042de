"""Stored days of a history by month, and the missing trading days."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.parquet.partitions import damaged, stored

if TYPE_CHECKING:
    import pandas as pd

_MONTH = "%Y-%m"
_COUNTED = ("contracts", "quotes")  # either makes a day a market day


def coverage(history: ParquetHistory) -> pd.DataFrame:
    """Days stored of each dataset, by month.

    Months run from the first to the last with contracts, cash or quotes; index histories reach
    back much further and are counted only in those months.

    Returns
    -------
    DataFrame
        ``month`` (2026-02), ``trading_days`` between the first and last day stored,
        ``contracts``, ``cash``, ``indices``, ``quotes`` (days stored of each), ``held`` (trading
        days with contracts or quotes), ``missing`` (list of the other trading days from the first
        to the last day of contracts, and of quotes: a day before the first file of its kind is
        not missing). Empty when nothing is stored.
    """
    import pandas as pd

    from strikeloom.nse.edges import is_known, known_days

    known = {name: history.stored_days(name) for name in DATASETS}
    span = sorted({*known["contracts"], *known["cash"], *known["quotes"]})
    # beyond the known calendar only what is stored is known to have been a session
    beyond = [day for day in span if not is_known(day)]
    expected = sorted([*known_days(span[0], span[-1]), *beyond]) if span else []
    held = {day for kind in _COUNTED for day in known[kind]}
    months = sorted({day.strftime(_MONTH) for day in [*expected, *span]})
    days = _by_month(expected)
    stored_days = _by_month([day for day in expected if day in held])
    counts = {name: _by_month(own) for name, own in known.items()}
    missing: dict[str, list[date]] = {month: [] for month in months}
    spans = [(each[0], each[-1]) for kind in _COUNTED if (each := known[kind])]
    for day in expected:
        if day not in held and any(first <= day <= last for first, last in spans):
            missing[day.strftime(_MONTH)].append(day)
    return pd.DataFrame(
        {
            "month": months,
            "trading_days": [days[month] for month in months],
            **{name: [by_month[month] for month in months] for name, by_month in counts.items()},
            "held": [stored_days[month] for month in months],
            "missing": list(missing.values()),
        }
    )


def days_without_ids(history: ParquetHistory) -> list[date]:
    """Days whose contracts have no ids, as in the exchange's old layout; from footers alone.

    On such days splits are found by strikes and demergers by settlements; renames and dividends
    that lowered strikes are not found.

    Raises
    ------
    StoreError
        When a partition is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    days = []
    for path in stored(history.folder / "contracts"):
        try:
            footer = pq.read_metadata(path)
        except (pa.ArrowException, OSError) as error:
            raise damaged(path, error) from error
        place = footer.schema.names.index("instrument_id")
        columns = [footer.row_group(i).column(place) for i in range(footer.num_row_groups)]
        if all(part.is_stats_set and part.statistics.max == 0 for part in columns):
            days.append(date.fromisoformat(path.stem))
    return days


def _by_month(days: list[date]) -> Counter[str]:
    return Counter(day.strftime(_MONTH) for day in days)
