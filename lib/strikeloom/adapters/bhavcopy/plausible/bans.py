"""A list of securities in the ban period against the calendar and the stocks with contracts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from strikeloom.adapters.bhavcopy.plausible.findings import Findings
from strikeloom.adapters.bhavcopy.plausible.sessions import check_sessions
from strikeloom.adapters.parquet.history import ParquetHistory

_NEAR = timedelta(days=10)
_WHOLE = 100  # stocks of a day that holds the whole market


def check_ban_list(
    history: ParquetHistory,
    day: date,
    symbols: Collection[str],
    name: str,
    accept: frozenset[str],
) -> tuple[str, str]:
    """Note on a list of a day, and the name of its source with the accepted checks.

    Raises
    ------
    BadFile
        When the day has no session, or a symbol no contracts in the files around that day.
    """
    found = Findings(name, len(symbols), accept)
    check_sessions([day], found)
    near = [item for item in history.days() if abs(item - day) <= _NEAR]
    if near:
        last = min(near, key=lambda item: abs(item - day))
        rows = history.contracts(last, columns=["symbol", "kind"])
        stocks = set(rows.loc[rows["kind"] == "stock", "symbol"])
        unknown = sorted(set(symbols) - stocks) if len(stocks) >= _WHOLE else []
        if unknown:
            found.object("symbols", f"{', '.join(unknown[:5])} has no contracts on {last}")
    if not symbols:
        found.remark(f"no security is in the ban period on {day}")
    checks, note = found.outcome()
    return note, f"{name} (accepted: {', '.join(checks)})" if checks else name
