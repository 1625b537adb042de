"""Open interest and volume of each chain, read for all chains at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.quant.flow import max_pain, put_call, walls

if TYPE_CHECKING:
    import pandas as pd

_FEWEST = 10  # chains needed for a meaningful median


@dataclass(frozen=True)
class Flow:
    """Open interest and volume of one chain; NaN where the chain lacks the data.

    Attributes
    ----------
    put_call_interest, put_call_volume : float
        Put-call ratio of the expiry, by open units and by traded units.
    usual_interest, usual_volume : float
        Medians of these over the day's chains. Calls always trade more, so 1 is not the neutral
        level. NaN with fewer than ten chains.
    call_wall, put_wall : float
        Strikes with the largest open interest in calls and in puts, rupees.
    max_pain : float
        Level at which all open options together have the least value at expiry, rupees.
    """

    put_call_interest: float
    put_call_volume: float
    usual_interest: float
    usual_volume: float
    call_wall: float
    put_wall: float
    max_pain: float


def read_flow(chains: Sequence[pd.DataFrame], forward: Sequence[float]) -> list[Flow]:
    """Flow of each chain (``CONTRACTS`` rows of one expiry, untraded ones too), in order.

    Pass all chains of the exchange, even for a view of one symbol: medians are over all.
    """
    if not chains:
        return []
    count = len(chains)
    group = np.repeat(np.arange(count), [len(chain) for chain in chains])
    strike, interest, lots, size = (
        np.concatenate([chain[name].to_numpy(dtype=np.float64) for chain in chains])
        for name in ("strike", "open_interest", "lots_traded", "lot_size")
    )
    call = np.concatenate([(chain["right"] == "CE").to_numpy() for chain in chains])
    traded = lots * size
    wall = walls(strike, interest, call, np.asarray(forward, dtype=np.float64), group, count)
    by_interest = put_call(interest, call, group, count)
    by_volume = put_call(traded, call, group, count)
    columns = (
        by_interest,
        by_volume,
        np.full(count, _usual(by_interest)),
        np.full(count, _usual(by_volume)),
        wall.call,
        wall.put,
        max_pain(strike, interest, call, group),
    )
    return [Flow(*(float(value) for value in row)) for row in zip(*columns, strict=True)]


def _usual(ratios: np.ndarray) -> float:
    known = ratios[np.isfinite(ratios)]
    return float(np.median(known)) if len(known) >= _FEWEST else float("nan")
