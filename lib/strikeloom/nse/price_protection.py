"""Limit price protection: the allowed distance of an order price from its reference.

The exchange refuses a buy above the upper end and a sell below the lower one. A stop is checked
when its trigger releases it. Source: ``price_protection.csv``.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.tables import in_force, rows


@lru_cache(maxsize=1024)
def _rule(kind: InstrumentKind, day: date) -> tuple[int, int, int] | None:
    """Reference up to which the fixed width applies, that width in paise, and percent beyond."""
    known = [row for row in rows("price_protection") if row["kind"] == kind.value]
    begun = [row for row in known if date.fromisoformat(row["effective_from"]) <= day]
    if not begun:
        return None
    near = in_force([r for r in begun if r["reference_to"]], day, what="price protection")
    far = in_force([r for r in begun if not r["reference_to"]], day, what="price protection")
    return int(near["reference_to"]), int(near["paise"]), int(far["percent"])


def protected_range(kind: InstrumentKind, reference: int, day: date) -> tuple[int, int] | None:
    """Lowest and highest price in paise for an order; ``None`` before there was a rule.

    Parameters
    ----------
    reference : int
        Paise: last traded price of the contract, or its theoretical value without a trade.
    """
    rule = _rule(kind, day)
    if rule is None:
        return None
    up_to, paise, percent = rule
    width = paise if reference <= up_to else reference * percent // 100
    return max(0, reference - width), reference + width
