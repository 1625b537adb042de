"""What the structures of a day would have earned since, as part of ``explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from strikeloom.domain.outcomes import Outcome
    from strikeloom.ports.desk import Desk
    from strikeloom.strategy_creation.since import EarnedSince


def since_of(desk: Desk, outcomes: Sequence[Outcome]) -> dict[str, EarnedSince]:
    """By structure, of those with legs; empty while no later day is stored."""
    from strikeloom.strategy_creation.since import earned_since

    built = [row for row in outcomes if row.legs]
    if not built or desk.history.days()[-1] <= desk.day:
        return {}
    found = earned_since(desk, desk.day, [row.legs for row in built])
    return {row.template: each for row, each in zip(built, found, strict=True)}


def since_fields(found: EarnedSince | None) -> dict[str, Any] | None:
    """Every field; money in paise, the path by day."""
    if found is None:
        return None
    return {
        "earned": found.earned,
        "day": found.day,
        "final": found.final,
        "by": None if found.by is None else found.by.value,
        "reason": found.reason,
        "path": [{"day": day, "earned": earned} for day, earned in found.path],
    }


def show_since(outcomes: Sequence[Outcome], since: Mapping[str, EarnedSince]) -> None:
    """Print a row for each structure with a result, those that earned most first."""
    from strikeloom.cli import console

    known = [row for row in outcomes if row.template in since]
    if not known:
        return
    known.sort(key=lambda row: (-_order(since[row.template]), row.template))
    console.table(
        "What each would have earned since, after costs",
        ["structure", "was", "earned"],
        [(row.template, row.ending, _text(since[row.template], row.funds)) for row in known],
    )


def _order(found: EarnedSince) -> float:
    return float("-inf") if found.earned is None else float(found.earned)


def _text(found: EarnedSince, funds: int | None) -> str:
    """Amount, its share of the funds, and until when; else why it is not known."""
    from strikeloom.domain.money import rupees_text

    if found.earned is None:
        return f"not known: {found.reason}"
    share = f", {100 * found.earned / funds:+z.1f} % of its funds" if funds else ""
    until = f"ended on {found.day}" if found.final else f"by {found.day}"
    lacking = f"; then {found.reason}" if found.reason else ""
    return f"{rupees_text(found.earned, signed=True)}{share}, {until}{lacking}"
