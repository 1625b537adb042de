"""Open interest and volume of each chain, read for all chains at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.quant.flow import max_pain, put_call, walls

if TYPE_CHECKING:
    import pandas as pd

_FEWEST = 10  # chains whose median is a usual level


@dataclass(frozen=True)
class Flow:
    """What is open and what traded in one chain; NaN where the chain does not say.

    Attributes
    ----------
    put_call_interest, put_call_volume : float
        Puts over calls of the expiry, by units open and by units traded.
    usual_interest, usual_volume : float
        Medians of these over the day's chains: calls are always the more traded, so 1 is no
        neutral level. NaN with fewer than ten chains.
    call_wall, put_wall : float
        Strikes with most calls and most puts open, rupees.
    max_pain : float
        Level at which all open options together are worth least at expiry, rupees.
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

    Give all chains of the exchange, also for a view of one: the medians are taken over them.
    """
    import pandas as pd

    if not chains:
        return []
    count = len(chains)
    rows = pd.concat(chains, ignore_index=True)
    group = np.repeat(np.arange(count), [len(chain) for chain in chains])
    strike, call = rows["strike"].to_numpy(), (rows["right"] == "CE").to_numpy()
    interest = rows["open_interest"].to_numpy(dtype=np.float64)
    traded = (rows["lots_traded"] * rows["lot_size"]).to_numpy(dtype=np.float64)
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
