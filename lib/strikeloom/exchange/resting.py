"""An order that waits for its price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Validity


@dataclass(frozen=True, slots=True)
class Resting:
    """An order that can still trade. ``untouched``: nothing of it has traded yet."""

    number: int
    contract: OptionContract
    side: Side
    remaining: int
    untouched: bool
    limit: int
    validity: Validity
    placed_at: datetime
