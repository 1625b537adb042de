"""The model chain as research reads it: flat volatility, no interest, one strike without trades."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from strikeloom.research.known_chain import KnownChain
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.model_chain import model_chain

UNTRADED = 150.0
OPEN_INTEREST = 12_300


def known_chain(chain: Chain | None = None, **changes: object) -> KnownChain:
    """Research's view of a chain; the strike ``UNTRADED`` is listed and did not trade."""
    whole = chain or model_chain()
    traded = tuple(
        replace(it, rows=it.rows[it.rows["strike"] != UNTRADED]) for it in whole.expiries
    )
    listed: dict[object, pd.DataFrame] = {}
    for it in whole.expiries:
        rows = it.rows.assign(open_interest=OPEN_INTEREST, oi_change=-100)
        listed[it.expiry] = rows.assign(traded=rows["strike"] != UNTRADED)
    whole = replace(whole, expiries=traded)
    made = KnownChain("model", whole, whole, listed, load_settings().creation, 0.0, ())
    return replace(made, **changes)
