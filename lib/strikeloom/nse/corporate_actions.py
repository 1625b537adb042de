"""Splits, demergers and renames by date. Source: ``corporate_actions.csv``."""

from __future__ import annotations

from datetime import date

from strikeloom.nse.tables import rows


def splits(symbol: str) -> list[tuple[date, float]]:
    """Ex-days and ratios (5 means one share became five), ascending."""
    return sorted(
        (date.fromisoformat(row["effective_from"]), float(row["ratio"]))
        for row in rows("corporate_actions")
        if row["symbol"] == symbol and row["action"] == "split"
    )


def steps(symbol: str) -> list[date]:
    """Days on which the price stepped without a ratio (demergers), ascending."""
    return sorted(
        date.fromisoformat(row["effective_from"])
        for row in rows("corporate_actions")
        if row["symbol"] == symbol and row["action"] == "demerger"
    )


def renamed(symbol: str) -> tuple[str, date] | None:
    """Successor of a symbol and the day it took over."""
    for row in rows("corporate_actions"):
        if row["symbol"] == symbol and row["action"] == "rename":
            return row["successor"], date.fromisoformat(row["effective_from"])
    return None
