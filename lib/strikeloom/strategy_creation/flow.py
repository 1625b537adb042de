"""Open interest and volume of each chain, read for all chains at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.quant.flow import max_pain, put_call, walls

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Flow:
    """What is open and what traded in one chain; NaN where the chain does not say.

    Attributes
    ----------
    put_call_interest, put_call_volume : float
        Puts over calls of the expiry, by units open and by units traded.
    call_wall, put_wall : float
        Strikes with most calls and most puts open, rupees.
    max_pain : float
        Level at which all open options together are worth least at expiry, rupees.
    """

    put_call_interest: float
    put_call_volume: float
    call_wall: float
    put_wall: float
    max_pain: float


def read_flow(chains: Sequence[pd.DataFrame], forward: Sequence[float]) -> list[Flow]:
    """Flow of each chain (``CONTRACTS`` rows of one expiry, untraded ones too), in order."""
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
    columns = (
        put_call(interest, call, group, count),
        put_call(traded, call, group, count),
        wall.call,
        wall.put,
        max_pain(strike, interest, call, group),
    )
    return [Flow(*(float(value) for value in row)) for row in zip(*columns, strict=True)]
