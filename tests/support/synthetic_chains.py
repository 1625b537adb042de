"""A day's contracts priced by hand: known forwards, known volatilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from strikeloom.domain.frames import CONTRACTS
from strikeloom.nse.sessions import session, years_to_expiry
from strikeloom.quant.black76 import price

DAY = date(2026, 2, 10)
NEAR, FAR = date(2026, 2, 24), date(2026, 3, 30)
RATE = 0.065


def made(
    vols: Mapping[tuple[str, date], float],
    *,
    spot: float = 1000.0,
    index: Sequence[str] = (),
    silent: Sequence[tuple[str, date]] = (),
    day: date = DAY,
    ends: Mapping[tuple[str, date], date] | None = None,
) -> pd.DataFrame:
    """``CONTRACTS`` of flat smiles: 15 strikes 2 % apart, a future, 100 lots each.

    Parameters
    ----------
    vols : mapping of (symbol, expiry) to float
    silent : sequence of (symbol, expiry)
        Options listed there did not trade.
    ends : mapping of (symbol, expiry) to date
        Last days that come before the expiry; prices know of them.
    """
    ends = ends or {}
    rows: list[dict[str, Any]] = []
    for (symbol, expiry), vol in vols.items():
        years = years_to_expiry(session(day).close, ends.get((symbol, expiry), expiry))
        forward, discount = spot * np.exp(RATE * years), np.exp(-RATE * years)
        traded = (symbol, expiry) not in silent
        common = {
            "symbol": symbol,
            "kind": "index" if symbol in index else "stock",
            "expiry": pd.Timestamp(expiry),
            "last_day": pd.Timestamp(ends.get((symbol, expiry), expiry)),
            "instrument_id": 0,
            "lot_size": 100,
            "final_settlement": np.nan,
            "previous_close": np.nan,
            "underlying": spot,
            "open_interest": 1000,
            "oi_change": 0,
        }
        for strike in spot * (1 + 0.02 * np.arange(-7, 8)):
            for right in ("CE", "PE"):
                paid = float(price(forward, strike, years, vol, right == "CE", discount))
                close = paid if traded else np.nan
                bars = {"open": close, "high": close * 1.1, "low": close * 0.9, "close": close}
                rows.append(
                    {**common, **bars, "strike": float(strike), "right": right, "settle": paid,
                     "lots_traded": 100 if traded else 0, "traded": traded}
                )  # fmt: skip
        bars = dict.fromkeys(("open", "high", "low", "close", "settle"), forward)
        future = {"strike": 0.0, "right": "XX", "lots_traded": 100, "traded": True}
        rows.append({**common, **bars, **future})
    frame = pd.DataFrame(rows)
    for name in ("expiry", "last_day"):
        frame[name] = frame[name].astype("datetime64[s]")
    return CONTRACTS.check(frame, where="made")


def walk(symbols: Sequence[str], days: Sequence[date], *, seed: int = 3) -> pd.DataFrame:
    """Daily prices of a random walk that ends at 1000."""
    rng, tables = np.random.default_rng(seed), []
    for symbol in symbols:
        steps = rng.normal(0, 0.012, len(days))
        close = 1000 * np.exp(np.cumsum(steps) - np.sum(steps))
        open_ = np.append(close[0], close[:-1])
        tables.append(
            pd.DataFrame(
                {
                    "symbol": symbol,
                    "day": pd.to_datetime(list(days)).astype("datetime64[s]"),
                    "open": open_,
                    "high": np.maximum(open_, close) * 1.004,
                    "low": np.minimum(open_, close) * 0.996,
                    "close": close,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
