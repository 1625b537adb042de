"""Output of a stage for the runner: its result and the tables for the run folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from strikeloom.domain.results import StageResult

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StageOutput:
    """Result of a stage and its tables by name (each becomes ``tables/<name>.parquet``)."""

    result: StageResult
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
