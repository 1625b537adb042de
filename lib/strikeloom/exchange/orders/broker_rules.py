"""The broker's own rules by date: limits of an order, market price protection.

Source: ``exchange/data/broker_rules.csv``, ``exchange/data/market_protection.csv``.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

from strikeloom.domain.legs import Side
from strikeloom.nse.tables import Row, in_force


@cache
def _rows(table: str) -> tuple[Row, ...]:
    text = files("strikeloom.exchange.data").joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=512)
def broker_rule(item: str, day: date) -> int:
    """Value of a rule in force.

    Raises
    ------
    DataError
        When none is in force that day.
    """
    known = [row for row in _rows("broker_rules") if row["item"] == item]
    return int(in_force(known, day, what=f"broker rule {item}")["value"])


@lru_cache(maxsize=512)
def _slabs(day: date) -> tuple[tuple[float, int], ...]:
    """Highest price and percent of each slab in force, cheapest first."""
    newest = in_force(_rows("market_protection"), day, what="market price protection")
    found = [
        (float(row["price_to"] or "inf"), int(row["percent"]))
        for row in _rows("market_protection")
        if row["effective_from"] == newest["effective_from"]
    ]
    return tuple(sorted(found))


def protected_limit(side: Side, reference: int, tick: int, day: date) -> int:
    """Limit in paise that a market order becomes: never further than the table's percent.

    Parameters
    ----------
    reference : int
        Paise: the last trade, or the trigger of a stop.
    """
    percent = next(share for most, share in _slabs(day) if reference <= most)
    if side is Side.BUY:
        return max(tick, reference * (100 + percent) // 100 // tick * tick)
    return max(tick, -(-reference * (100 - percent) // 100 // tick) * tick)
