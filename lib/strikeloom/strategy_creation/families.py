"""The best structure of each family, over all symbols of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from strikeloom.domain.frames import Schema
from strikeloom.domain.money import rupees
from strikeloom.domain.outcomes import Ending, Outcome
from strikeloom.domain.templates import Family
from strikeloom.strategy_creation.catalogue import TEMPLATES

if TYPE_CHECKING:
    import pandas as pd

#: One row a family. Money in rupees; the score in per cent of the funds a month.
FAMILIES = Schema(
    "families",
    {
        "family": "text", "built": "count", "picked": "count", "structure": "text",
        "symbol": "text", "score": "number", "expected_value": "price", "funds": "price",
        "ending": "text", "reason": "text",
    },
    ("family",),
)  # fmt: skip


def families_table(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """``FAMILIES`` rows: how many were built and picked, the best, and why if it was not picked.

    A family that no symbol has a structure of gets the rule that stopped most of it.
    """
    members: dict[Family, list[Outcome]] = {family: [] for family in Family}
    for row in outcomes:
        members[TEMPLATES[row.template].family].append(row)
    return FAMILIES.table(_row(family, rows) for family, rows in members.items())


def _row(family: Family, rows: list[Outcome]) -> tuple[object, ...]:
    built = [row for row in rows if row.score is not None]
    picked = sum(row.ending is Ending.PICKED for row in rows)
    if not built:
        rules = Counter(row.rule.value for row in rows).most_common(1)
        why = f"{rules[0][1]} of {len(rows)} refused by rule: {rules[0][0]}" if rules else ""
        return (family.value, 0, picked, "", "", None, None, None, "", why)
    order = {Ending.PICKED: 0, Ending.BEATEN: 1, Ending.REFUSED: 2}
    best = min(built, key=lambda row: (order[row.ending], -(row.score or 0.0), row.symbol))
    return (
        family.value,
        len(built),
        picked,
        best.template,
        best.symbol,
        best.score,
        None if best.expected_value is None else rupees(best.expected_value),
        None if best.funds is None else rupees(best.funds),
        best.ending.value,
        "" if best.ending is Ending.PICKED else best.reason,
    )
