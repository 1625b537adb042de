"""``strikeloom data status``: stored days of each market by month, and the missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from strikeloom.cli.options import Json

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 12
_SETS = ("contracts", "cash", "indices", "quotes", "worked_out")


class _Month(NamedTuple):
    """One month of a market: trading days, days stored of each kind, sessions held, and missing."""

    month: str
    trading_days: int
    contracts: int
    cash: int
    indices: int
    quotes: int
    worked_out: int
    held: int
    missing: list[date]


def _read_months(months: pd.DataFrame) -> list[_Month]:
    columns = (months[name].to_list() for name in _Month._fields)
    return [_Month(*row) for row in zip(*columns, strict=True)]


def status(
    market: Annotated[
        str, typer.Option(help="Only this market; default: all.", show_default=False)
    ] = "",
    plot: Annotated[
        Path | None,
        typer.Option(help="Write the months as a figure to this HTML file.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the stored days of each market by month, and the trading days without a file.

    Example: strikeloom data status --market nse --plot coverage.html
    """
    from strikeloom.adapters.parquet.coverage import days_without_ids
    from strikeloom.adapters.parquet.history import ParquetHistory
    from strikeloom.cli import console
    from strikeloom.desk.markets import resolve_market
    from strikeloom.desk.places import places
    from strikeloom.settings.all import load_settings

    where = places()
    market = resolve_market(market, load_settings(), where) if market else ""
    found: dict[str, tuple[list[date], pd.DataFrame]] = {}
    bare: dict[str, list[date]] = {}
    for folder in sorted(where.histories.glob("[!.]*/")):
        history = ParquetHistory(folder, folder.name)
        days = history.days()
        if days and market in ("", folder.name):
            found[folder.name] = days, _months(history, where.volatility(folder.name))
            bare[folder.name] = days_without_ids(history)
    if plot is not None and found:
        _write(plot, {name: months for name, (_, months) in found.items()})
        console.note(f"figure written to {plot}")
    if as_json:
        bodies = [_body(name, *item) for name, item in found.items()]
        console.as_json([{**body, "days_without_ids": bare[body["market"]]} for body in bodies])
        return
    if not found:
        named = f"market {market}" if market else "no market"
        console.print_line(
            f"{named} is {'not ' if market else ''}stored under {where.home}; get the exchange's "
            "files with strikeloom data fetch --from DAY or strikeloom data import PATH"
        )
        return
    console.table(
        "Stored markets",
        ["market", "first", "last", "days>", "missing>"],
        [
            (name, days[0], days[-1], len(days), sum(map(len, months["missing"])))
            for name, (days, months) in found.items()
        ],
    )
    for name, (_, months) in found.items():
        _print_months(name, months)
        if bare[name]:
            console.note(_old_layout_note(bare[name]))


def _old_layout_note(days: Sequence[date]) -> str:
    return (
        f"{len(days)} days from {days[0]} to {days[-1]} are in the exchange's old layout, without "
        "contract ids. Splits there are found by strikes and cash files; renames, and dividends "
        "that lowered strikes, only where they are on record. A series that ends before its "
        "expiry is known on its last day only, so the volatilities before it are too low"
    )


def _months(history: Any, worked_out: Path) -> pd.DataFrame:
    """Coverage by month, with the number of days that stage 01 has calculated."""
    from strikeloom.adapters.parquet.coverage import coverage
    from strikeloom.adapters.parquet.day_tables import DayTables
    from strikeloom.iv_history import SUMMARY

    months = coverage(history)
    done = [day.strftime("%Y-%m") for day in DayTables(worked_out, SUMMARY).stamps()]
    return months.assign(worked_out=[done.count(month) for month in months["month"]])


def _print_months(market: str, months: pd.DataFrame) -> None:
    from strikeloom.cli import console

    console.print_line()
    console.table(
        f"{market}: days stored by month",
        ["month", "sessions>", "contracts>", "", "cash>", "indices>", "calculated>", "missing"],
        [
            (
                row.month,
                row.trading_days,
                row.contracts,
                _bar(row.held, row.trading_days),
                row.cash,
                row.indices,
                row.worked_out,
                _spans(row.missing, row.trading_days),
            )
            for row in _read_months(months)
        ],
    )


def _bar(held: int, sessions: int) -> str:
    full = round(_WIDTH * held / sessions) if sessions else 0
    # a month that lacks a day is never shown whole, one that has a day never empty
    full = min(full, _WIDTH - 1) if held < sessions else full
    full = max(full, 1) if held else full
    return "█" * full + "░" * (_WIDTH - full)


def _spans(days: Sequence[date], sessions: int) -> str:
    """Days as text; consecutive sessions as a span, a month without any as a whole."""
    from strikeloom.nse.edges import expected_after

    if len(days) == sessions and days:
        return "the whole month"
    spans: list[list[date]] = []
    for day in days:
        if spans and expected_after(spans[-1][-1]) == day:
            spans[-1].append(day)
        else:
            spans.append([day])
    return ", ".join(str(s[0]) if len(s) == 1 else f"{s[0]} to {s[-1]}" for s in spans)


def _write(path: Path, months: dict[str, pd.DataFrame]) -> None:
    from strikeloom.errors import SettingsError
    from strikeloom.views.figures import coverage_figure

    try:
        coverage_figure(months).write_html(path, include_plotlyjs=True)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error}") from error


def _body(name: str, days: Sequence[date], months: pd.DataFrame) -> dict[str, Any]:
    return {
        "market": name,
        "first": days[0],
        "last": days[-1],
        "days": len(days),
        "missing": [day for found in months["missing"] for day in found],
        "months": [
            {
                "month": row.month,
                "sessions": row.trading_days,
                **{name: getattr(row, name) for name in _SETS},
                "missing": row.missing,
            }
            for row in _read_months(months)
        ],
    }
