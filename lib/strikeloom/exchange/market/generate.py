"""Drawing the whole synthetic market and writing it through the history port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from strikeloom.domain.instruments import Kind, Underlying
from strikeloom.errors import SettingsError
from strikeloom.exchange.market.contracts import MONTHS, RATE, listed, strike_ladders, values
from strikeloom.exchange.market.frames import contracts_frame, futures_frame, quotes_frame
from strikeloom.exchange.market.names import LISTINGS, SPLIT_RATIO, SPLIT_SYMBOL, VOL_INDEX
from strikeloom.exchange.market.paths import Paths, daily_paths, intraday_spots
from strikeloom.exchange.market.smiles import atm_variance
from strikeloom.nse.expiries import monthly_expiries
from strikeloom.nse.sessions import next_trading_day, session, trading_days, years_to_expiry

if TYPE_CHECKING:
    import pandas as pd

LAST_DAY = date(2026, 6, 10)
DAYS = 90
SNAPSHOT_MINUTES = 5
_PREFIX = "synthetic-"
_SPLIT_AFTER = 45
_PLACES = {row.symbol: place for place, row in enumerate(LISTINGS)}


class Sink(Protocol):
    """What the market is written to (a history that can keep its underlyings)."""

    def write(self, dataset: str, frame: pd.DataFrame, *, source: str) -> int:
        """Merge rows into a dataset."""
        ...

    def write_underlyings(self, rows: list[Underlying]) -> None:
        """Keep the underlyings."""
        ...


def market_name(seed: int) -> str:
    """Name of the synthetic market of a seed."""
    return f"{_PREFIX}{seed}"


def seed_of(market: str) -> int | None:
    """Seed of a synthetic market's name; ``None`` for another market.

    Raises
    ------
    SettingsError
        When the name begins as a synthetic market's but has no seed.
    """
    if not market.startswith(_PREFIX):
        return None
    text = market.removeprefix(_PREFIX)
    if not text.isdigit():
        raise SettingsError(f"market {market!r} has no seed; write synthetic-7", market=market)
    return int(text)


def generate_synthetic(
    seed: int, history: Sink, *, progress: Callable[[int, int], None] | None = None
) -> tuple[date, date]:
    """Write 90 days of end-of-day data and the next day's intraday quotes.

    Parameters
    ----------
    progress : callable, optional
        Called with days done and days in all.

    Returns
    -------
    last_day, quote_day : datetime.date
        The last end-of-day date, and the day that exists only as quotes.
    """
    days = trading_days(LAST_DAY - timedelta(days=2 * DAYS), LAST_DAY)[-DAYS:]
    paths = daily_paths(seed, DAYS)
    ladders = strike_ladders(paths.low.min(axis=0), paths.high.max(axis=0))
    rng = np.random.default_rng([seed, 3])
    before: dict[int, float] = {}
    source = market_name(seed)
    for row, day in enumerate(days):
        frame = _day(day, row, paths, ladders, before, rng)
        history.write("contracts", frame, source=source)
        if progress:
            progress(row + 1, DAYS + 1)
    history.write("cash", _cash(days, paths), source=source)
    history.write("indices", _indices(days, paths), source=source)
    quote_day = next_trading_day(LAST_DAY)
    history.write("quotes", _quotes(seed, quote_day, paths, ladders, rng), source=source)
    history.write_underlyings([row.underlying for row in LISTINGS])
    if progress:
        progress(DAYS + 1, DAYS + 1)
    return LAST_DAY, quote_day


def _levels(table: np.ndarray, row: int) -> np.ndarray:
    """Levels of a day as they are quoted: divided once the split has happened."""
    levels: np.ndarray = table[row].copy()
    if row > _SPLIT_AFTER:
        levels[_PLACES[SPLIT_SYMBOL]] /= SPLIT_RATIO
    return levels


def _day(
    day: date,
    row: int,
    paths: Paths,
    ladders: list[np.ndarray],
    before: dict[int, float],
    rng: np.random.Generator,
) -> pd.DataFrame:
    import pandas as pd

    hours = session(day)
    ladder = listed(day, ladders, split=row > _SPLIT_AFTER)
    spot, opening = _levels(paths.close, row), _levels(paths.open, row)
    yesterday = max(row - 1, 0)
    long_vol = paths.long_vol[row]
    closes = values(ladder, spot, paths.spot_vol[row], long_vol, hours.close)
    opens = values(ladder, opening, paths.spot_vol[yesterday], long_vol, hours.open)
    options = contracts_frame(day, ladder, spot, opens, closes, before, rng)
    months = monthly_expiries(day, MONTHS)
    carry = np.exp([RATE * years_to_expiry(hours.close, month) for month in months])
    lots = np.zeros(len(LISTINGS), dtype=np.int64)
    lots[ladder.place] = ladder.lot
    return pd.concat([options, futures_frame(day, months, lots, spot, carry)], ignore_index=True)


def _cash(days: list[date], paths: Paths) -> pd.DataFrame:
    import pandas as pd

    frames = []
    stocks = [i for i, row in enumerate(LISTINGS) if row.kind is Kind.STOCK]
    for row, day in enumerate(days):
        # like the exchange's file, the previous close is not adjusted on the day of a split
        previous = _levels(paths.close, row - 1) if row else np.full(len(LISTINGS), np.nan)
        frames.append(
            pd.DataFrame(
                {
                    "day": pd.Timestamp(day),
                    "symbol": [LISTINGS[i].symbol for i in stocks],
                    **{
                        name: _levels(getattr(paths, name), row)[stocks].round(2)
                        for name in ("open", "high", "low", "close")
                    },
                    "previous_close": previous[stocks].round(2),
                    "volume": paths.volume[row][stocks],
                }
            )
        )
    return pd.concat(frames, ignore_index=True).astype({"day": "datetime64[s]"})


def _indices(days: list[date], paths: Paths) -> pd.DataFrame:
    import pandas as pd

    month = np.full(len(days), 30 / 365)
    theta = atm_variance(paths.spot_vol[:, 0], paths.long_vol[:, 0], month)
    vix = (100 * np.sqrt(theta / month)).round(2)
    tables = {VOL_INDEX: dict.fromkeys(("open", "high", "low", "close"), vix)}
    for place, row in enumerate(LISTINGS):
        if row.kind is Kind.INDEX:
            tables[row.symbol] = {
                name: getattr(paths, name)[:, place].round(2)
                for name in ("open", "high", "low", "close")
            }
    frames = [
        pd.DataFrame(
            {"day": pd.to_datetime(days), "index": name, "publisher": "synthetic", **table}
        )
        for name, table in tables.items()
    ]
    return pd.concat(frames, ignore_index=True).astype({"day": "datetime64[s]"})


def _quotes(
    seed: int, day: date, paths: Paths, ladders: list[np.ndarray], rng: np.random.Generator
) -> pd.DataFrame:
    import pandas as pd

    hours = session(day)
    moments = [
        hours.open + timedelta(minutes=m)
        for m in range(0, int(hours.minutes) + 1, SNAPSHOT_MINUTES)
    ]
    vol, long_vol = paths.spot_vol[-1], paths.long_vol[-1]
    spots = intraday_spots(seed, _levels(paths.close, DAYS - 1), vol, len(moments))
    ladder = listed(day, ladders, split=True)
    pace = np.exp(4.0 - 1.2 * ladder.order) * ladder.lot
    volume = np.zeros(len(ladder.place), dtype=np.int64)
    frames = []
    for at, spot in zip(moments, spots, strict=True):
        worth = values(ladder, spot, vol, long_vol, at)
        volume = (
            volume
            + (np.floor(pace * rng.random(len(pace)) / ladder.lot)).astype(np.int64) * ladder.lot
        )
        frames.append(quotes_frame(at, ladder, spot, worth, volume, rng))
    return pd.concat(frames, ignore_index=True)
