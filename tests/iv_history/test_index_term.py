"""Expiries of an index: along the other indices, never along stocks; its own quotes by error."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from strikeloom.domain.volatility import Flag, Quality
from strikeloom.iv_history import DaySummary, summarise_day
from strikeloom.settings.all import load_settings
from support.synthetic_chains import DAY, FAR, NEAR, made, walk

IV = load_settings().iv
INDICES = ["BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTY"]
NOTHING = walk(INDICES[:1], [DAY]).head(0)


def _levels() -> dict[tuple[str, date], float]:
    """Far volatilities of stocks 40 % above the near ones, of indices 4 %, as before an expiry."""
    stocks = {(f"PEER{n:02d}", NEAR): 0.2 + 0.02 * n for n in range(14)}
    near = stocks | {(name, NEAR): 0.24 + 0.04 * n for n, name in enumerate(INDICES)}
    up = {name: 1.04 if name in INDICES else 1.4 for name, _ in near}
    return near | {(name, FAR): up[name] * vol for (name, _), vol in near.items()}


def _far(found: DaySummary, symbol: str) -> pd.Series:
    rows = found.expiries
    return rows[(rows["symbol"] == symbol) & (rows["expiry"] == pd.Timestamp(FAR))].iloc[0]


def test_an_index_expiry_that_did_not_trade_is_carried_along_indices() -> None:
    frame = made(_levels(), index=INDICES, silent=[("FINNIFTY", FAR), ("PEER05", FAR)])
    found = summarise_day(frame, NOTHING, DAY, IV)
    index, stock = _far(found, "FINNIFTY"), _far(found, "PEER05")
    assert index["quality"] == stock["quality"] == Quality.C.value
    assert index["term_iv"] == pytest.approx(0.28 * 1.04, rel=2e-3)
    assert stock["term_iv"] == pytest.approx(0.30 * 1.4, rel=2e-3)


def test_an_index_with_one_other_is_not_carried() -> None:
    levels = {key: vol for key, vol in _levels().items() if key[0] not in INDICES[2:]}
    frame = made(levels, index=INDICES, silent=[("FINNIFTY", FAR)])
    far = _far(summarise_day(frame, NOTHING, DAY, IV), "FINNIFTY")
    assert (far["quality"], np.isnan(far["term_iv"])) == ("", True)


def test_an_index_keeps_its_own_level_weighed_by_its_error() -> None:
    """A thin smile at 40 % where the other indices point to 29.1 %: between them, by error."""
    levels = _levels() | {("FINNIFTY", FAR): 0.4}
    frame = made(levels, index=INDICES)
    rows = (frame["symbol"] == "FINNIFTY") & (frame["expiry"] == pd.Timestamp(FAR))
    far_out = rows & frame["right"].ne("XX") & ~frame["strike"].isin([980, 1000, 1020])
    frame.loc[far_out, ["open", "high", "low", "close"]] = np.nan
    frame.loc[far_out, "traded"] = False
    frame.loc[far_out, "lots_traded"] = 0
    frame.loc[rows & ~far_out, "lots_traded"] = 2
    found = summarise_day(frame, NOTHING, DAY, IV)
    far = _far(found, "FINNIFTY")
    assert far["atm_iv"] == pytest.approx(0.4, rel=0.01)
    assert far["quality"] == Quality.B.value
    assert 0.28 * 1.04 < far["term_iv"] < 0.4
    own = (np.log(far["term_iv"]) - np.log(0.2912)) / (np.log(far["atm_iv"]) - np.log(0.2912))
    share = far["atm_error"] ** -2 / (far["atm_error"] ** -2 + (0.04**2 * 4 / 3) ** -1)
    assert own == pytest.approx(share, rel=0.1)
    row = found.summary[found.summary["symbol"] == "FINNIFTY"].iloc[0]
    assert Flag.CARRIED.value not in row["flags"].split()
