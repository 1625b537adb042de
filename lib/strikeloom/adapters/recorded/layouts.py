"""Two layouts of recorded chains: the exchange's web page of 2019, last trades of 2026.

Each gives ``QUOTES`` rows; bid, ask and sizes are missing where none were recorded. A dash or a
zero is no price.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.errors import BadFile
from strikeloom.nse.expiries import monthly_expiry
from strikeloom.nse.sessions import IST

if TYPE_CHECKING:
    import pandas as pd

_PAGE = re.compile(r"(?:^|/)(?P<symbol>[^/_]+)_(?P<day>\d\d-\d\d-\d{4})_(?P<time>\d\d:\d\d)\.csv$")
_TRADES = re.compile(r"(?:^|/)(?:index_OC|option_chain)_(?P<day>\d{4}-\d\d-\d\d)_\d\d-\d\d\.csv$")
_WEEK = re.compile(r"/(?P<expiry>\d{1,2}[A-Z]{3}\d{4})/")
_SIDES = (("CE", "Call"), ("PE", "Put"))


def day_of(name: str) -> date | None:
    """Day of a file by its name; ``None`` when the name is of neither layout."""
    page, trades = _PAGE.search(name), _TRADES.search(name)
    if page:
        return datetime.strptime(page["day"], "%d-%m-%Y").replace(tzinfo=IST).date()
    return date.fromisoformat(trades["day"]) if trades else None


def rows_of(name: str, content: bytes) -> pd.DataFrame | None:
    """Rows of one file; ``None`` when the file has no rows.

    Raises
    ------
    BadFile
        When its columns are not those of its layout.
    """
    import pandas as pd

    frame = pd.read_csv(io.BytesIO(content), na_values=["-"])
    try:
        if _PAGE.search(name):
            return _page(name, frame) if len(frame) else None
        return _trades(frame) if len(frame) else None
    except KeyError as error:
        raise BadFile(f"{name} lacks column {error} of its layout", file=name) from error


def _page(name: str, frame: pd.DataFrame) -> pd.DataFrame | None:
    """The web page: bid and ask with sizes; volume in lots, open interest in units.

    A page of an index without an expiry in its path repeats one with an expiry.
    """
    import pandas as pd

    page, week = _PAGE.search(name), _WEEK.search(name)
    if page is None or (week is None and page["symbol"] in ("NIFTY", "BANKNIFTY")):
        return None
    day = datetime.strptime(page["day"], "%d-%m-%Y").replace(tzinfo=IST).date()
    at = datetime.combine(day, time.fromisoformat(page["time"]), IST)
    if week:
        expiry = datetime.strptime(week["expiry"], "%d%b%Y").replace(tzinfo=IST).date()
    else:
        expiry = monthly_expiry(day.year, day.month)
    parts = [
        _side(
            {
                "symbol": page["symbol"], "expiry": pd.Timestamp(expiry), "right": right,
                "strike": frame["StrikePrice"], "at": pd.Timestamp(at), "spot": frame["CurrentVal"],
                "bid": frame[f"{side}BidPrice"], "ask": frame[f"{side}AskPrice"],
                "last": frame[f"{side}LTP"], "bid_size": frame[f"{side}BidQty"],
                "ask_size": frame[f"{side}AskQty"], "volume": frame[f"{side}Volume"],
                "open_interest": frame[f"{side}OI"],
            }
        )
        for right, side in _SIDES
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _trades(frame: pd.DataFrame) -> pd.DataFrame:
    """Last trades: volume and open interest in units, neither bid nor ask."""
    import pandas as pd

    stock = "Stock" in frame.columns
    at = pd.to_datetime(frame["timestamp"], format="ISO8601").dt.tz_localize(IST).max()
    parts = [
        _side(
            {
                "symbol": frame["Stock" if stock else "Symbol"],
                "expiry": pd.to_datetime(frame["Expiry"]), "strike": frame["Strike"],
                "right": right, "at": at, "spot": frame["Stock_LTP" if stock else "Spot"],
                "bid": np.nan, "ask": np.nan, "bid_size": 0, "ask_size": 0,
                "last": frame[f"{right}_LTP"].where(frame[f"{right}_Volume"] > 0),
                "volume": frame[f"{right}_Volume"], "open_interest": frame[f"{right}_OI"],
            }
        )
        for right, _ in _SIDES
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _side(columns: Mapping[str, object]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(columns)
    for name in ("bid", "ask", "last", "spot"):
        frame[name] = frame[name].astype(np.float64)
        frame[name] = frame[name].where(frame[name] > 0)
    for side in ("bid", "ask"):  # a price without a size is not a quote
        frame[side] = frame[side].where(frame[f"{side}_size"] > 0)
    for name in ("bid_size", "ask_size", "volume", "open_interest"):
        frame[name] = frame[name].fillna(0).astype(np.int64)
    frame["expiry"] = frame["expiry"].astype("datetime64[s]")
    return frame
