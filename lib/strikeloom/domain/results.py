"""Result of a stage run: a versioned record, the same for every stage."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

RESULT_VERSION = 1


class Stage(StrEnum):
    """The five stages, named like their notebooks."""

    IV_HISTORY = "iv-history"
    STRATEGY_CREATION = "strategy-creation"
    ALLOCATION = "allocation"
    EXECUTION = "execution"
    MONITOR = "monitor"

    @property
    def upstream(self) -> Stage | None:
        """The stage whose finished run is this stage's input."""
        order = list(Stage)
        place = order.index(self)
        return order[place - 1] if place else None

    @property
    def notebook(self) -> str:
        """File name under ``notebooks/``."""
        return f"{list(Stage).index(self) + 1:02d}_{self.value.replace('-', '_')}.ipynb"


class Verdict(StrEnum):
    """Outcome of a run. ``partial``: some items were refused, the others are stored."""

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"


class StageResult(BaseModel):
    """JSON record of one stage run (``result.json``).

    ``counts`` always holds ``universe``, ``done`` and ``refused``, and
    ``done + refused == universe``. ``refused`` counts by reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = RESULT_VERSION
    run_id: str
    stage: Stage
    market: str
    account: str
    day: date
    verdict: Verdict
    counts: dict[str, int]
    refused: dict[str, int] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)
    outputs: dict[str, int] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    error: str = ""

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse a result whose counts do not add up."""
        counts = self.counts
        if counts and counts["done"] + counts["refused"] != counts["universe"]:
            raise ValueError(f"{self.stage} run {self.run_id}: counts do not add up: {counts}")
