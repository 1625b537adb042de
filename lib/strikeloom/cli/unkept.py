"""Proposals of a run that keeps nothing: printed from its folder, the only place that has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = ("symbol", "template", "score", "conviction", "edge", "error", "margin", "funds", "legs")


def proposal_rows(folder: Path) -> list[dict[str, Any]]:
    """Rows of the run's proposals, highest score first; what is not known is ``None``."""
    import pandas as pd

    found = pd.read_parquet(folder / "tables" / "proposals.parquet")
    return [
        {str(name): _known(value) for name, value in row.items()}
        for row in found.to_dict("records")
    ]


def _known(value: Any) -> Any:
    """``unlimited`` of an infinite value, ``None`` of what is not a number."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else "unlimited"


def show_proposals(folder: Path) -> None:
    """Print a run's proposals; without an earner what came nearest."""
    import pandas as pd

    from strikeloom.cli import console
    from strikeloom.domain.outcomes import Ending, Outcome, Rule
    from strikeloom.domain.templates import StructurePurpose
    from strikeloom.strategy_creation.propose import why_nothing

    rows = proposal_rows(folder)
    if rows:
        console.table(
            "Proposals, which are not kept",
            [name if name in ("symbol", "template", "legs") else f"{name}>" for name in _SHOWN],
            [[_text(row[name]) for name in _SHOWN] for row in rows],
        )
    if any(row["purpose"] != StructurePurpose.PROTECT.value for row in rows):
        return
    table = pd.read_parquet(folder / "tables" / "outcomes.parquet")
    built = table[table["score"].notna()]
    names = ("symbol", "template", "reason", "value", "threshold", "remedy", "score", "failed")
    outcomes = []
    for row in built.to_dict("records"):
        known: dict[str, Any] = {n: None if pd.isna(row[n]) else row[n] for n in names}
        outcomes.append(Outcome(**known, ending=Ending(row["ending"]), rule=Rule(row["rule"])))
    for sentence in why_nothing(outcomes):
        console.print_line(sentence)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:z,.2f}" if isinstance(value, float) else str(value)
