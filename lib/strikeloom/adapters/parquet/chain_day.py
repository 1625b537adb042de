"""Chains read from a broker, as the contracts of a day without a bhavcopy yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.reading import among, read_frame, read_tables
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.underlyings import known

if TYPE_CHECKING:
    import pandas as pd

_WIDEST = 0.25  # share of the mid above which a spread is too wide for a price
_NARROW = 0.5  # rupees; always narrow enough, whatever share of a small mid
_CHAIN = ["symbol", "expiry"]


def chain_path(folder: Path, day: date) -> Path:
    """Partition of the chains read on a day."""
    return folder / "chains" / f"{day}.parquet"


def chain_times(folder: Path, day: date) -> dict[str, datetime]:
    """When each underlying was last read on a day; empty when none was."""
    from strikeloom.nse.sessions import IST

    path = chain_path(folder, day)
    if not path.exists():
        return {}
    table = read_tables([path], DATASETS["chains"], columns=["symbol", "at"])
    last = table.group_by("symbol", use_threads=False).aggregate([("at", "max")])
    times = last["at_max"].to_pylist()
    return {
        symbol: at.astimezone(IST)
        for symbol, at in zip(last["symbol"].to_pylist(), times, strict=True)
    }


def contracts_of_chains(
    folder: Path, day: date, lots: pd.Series, *, symbols: Sequence[str] | None = None
) -> pd.DataFrame:
    """``CONTRACTS`` of the options read on a day, each as last read.

    Parameters
    ----------
    lots : Series
        Last known lot size by symbol and expiry. The exchange changes it for expiries after some
        day; an unknown expiry gets the lot of the symbol's last one.

    Returns
    -------
    DataFrame
        ``close`` is the mid of a two-sided quote that is not too wide; ``traded`` is true where
        there is one. ``open``, ``high``, ``low``, ``settle`` are NaN: not published yet.
        ``lot_size`` is 0 where unknown; lots traded are then one.
    """
    import pandas as pd

    dataset = DATASETS["chains"]
    quotes = read_frame([chain_path(folder, day)], dataset, among("symbol", symbols))
    latest = quotes.groupby(_CHAIN)["at"].transform("max")
    quotes = quotes[quotes["at"] == latest].reset_index(drop=True)
    bid, ask = quotes["bid"].to_numpy(), quotes["ask"].to_numpy()
    middle = (bid + ask) / 2
    with np.errstate(invalid="ignore"):
        narrow = (ask - bid) <= np.maximum(_WIDEST * middle, _NARROW)
        quoted = (bid > 0) & (ask >= bid) & narrow
    lot = lots_of(quotes, lots)
    traded = np.maximum(quotes["volume"].to_numpy() // np.maximum(lot, 1), 1)
    kinds = {symbol: item.kind.value for symbol, item in known().items()}
    nothing = np.full(len(quotes), np.nan)
    frame = pd.DataFrame(
        {
            "symbol": quotes["symbol"],
            "kind": quotes["symbol"].map(kinds).fillna(InstrumentKind.STOCK.value),
            "expiry": quotes["expiry"],
            "last_day": np.full(len(quotes), np.datetime64("NaT", "s")),
            "strike": quotes["strike"],
            "right": quotes["right"],
            "instrument_id": np.int64(0),
            "lot_size": lot,
            **dict.fromkeys(("open", "high", "low"), nothing),
            "close": np.where(quoted, middle, np.nan),
            **dict.fromkeys(("settle", "final_settlement", "previous_close"), nothing),
            "underlying": quotes["spot"],
            "lots_traded": np.where(quoted, np.where(lot > 0, traded, 1), 0).astype(np.int64),
            "open_interest": quotes["open_interest"],
            "oi_change": np.int64(0),
            "traded": quoted,
        }
    )
    key = list(DATASETS["contracts"].schema.key)
    return frame.sort_values(key, ignore_index=True)[list(DATASETS["contracts"].schema.columns)]


def lots_of(quotes: pd.DataFrame, lots: pd.Series) -> np.ndarray:
    """Lot size of each quote, 0 where none is known."""
    import pandas as pd

    own = lots.reindex(pd.MultiIndex.from_frame(quotes[["symbol", "expiry"]])).to_numpy()
    newest = lots.sort_index().groupby(level=0).last()
    lot = np.where(np.isnan(own), quotes["symbol"].map(newest).to_numpy(dtype=float), own)
    return np.asarray(np.nan_to_num(lot), dtype=np.int64)
