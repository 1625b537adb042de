"""Drawing the whole synthetic market and writing it through the history port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.domain.market_names import SYNTHETIC
from strikeloom.errors import SettingsError
from strikeloom.exchange.market.synthetic.activity import (
    NOTHING,
    CarriedActivity,
    active,
    expected_lots,
)
from strikeloom.exchange.market.synthetic.delta_one_quotes import (
    DeltaOneListing,
    delta_one_quotes,
    listed_delta_one,
)
from strikeloom.exchange.market.synthetic.frames import (
    QuoteInputs,
    contracts_frame,
    futures_frame,
    on_tick,
    quotes_frame,
    ticks,
)
from strikeloom.exchange.market.synthetic.option_ladders import (
    MONTHS,
    RATE,
    listed,
    strike_ladders,
    values,
)
from strikeloom.exchange.market.synthetic.paths import Paths, daily_paths, intraday_paths
from strikeloom.exchange.market.synthetic.smiles import atm_variance
from strikeloom.exchange.market.synthetic.underlyings import (
    LISTINGS,
    SPLIT_RATIO,
    SPLIT_SYMBOL,
    VOL_INDEX,
)
from strikeloom.nse.expiries import monthly_expiries
from strikeloom.nse.sessions import (
    next_trading_day,
    session,
    trading_days,
    years_array,
    years_to_expiry,
)
from strikeloom.nse.ticks import review_day

if TYPE_CHECKING:
    import pandas as pd

LAST_DAY = date(2026, 6, 10)
DAYS = 90
SNAPSHOT_MINUTES = 5
_PREFIX = SYNTHETIC
_SPLIT_AFTER = 45
_PLACES = {row.symbol: place for place, row in enumerate(LISTINGS)}


class Sink(Protocol):
    """What the market is written to (a history that can keep its underlyings)."""

    def write(self, dataset: str, frame: pd.DataFrame, *, source: str) -> int:
        """Merge rows into a dataset."""
        ...

    def find_actions(self) -> object:
        """Find the market's split in its contracts, as an import does."""
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


def synthetic_days() -> tuple[date, date, date]:
    """First and last end-of-day date, and the next day, which exists only as quotes."""
    days = _days()
    return days[0], days[-1], next_trading_day(days[-1])


def _days() -> list[date]:
    return trading_days(LAST_DAY - timedelta(days=2 * DAYS), LAST_DAY)[-DAYS:]


def generate_synthetic(
    seed: int, history: Sink, *, progress: Callable[[int, int], None] | None = None
) -> tuple[date, date]:
    """Write 90 days of end-of-day data and the next day's intraday quotes.

    The same seed gives the same rows, so a run that was interrupted is finished by another.
    The underlyings are written last: where they are, the market is whole.

    Parameters
    ----------
    progress : callable, optional
        Called with days done and days in all.

    Returns
    -------
    last_day, quote_day : datetime.date
        The last end-of-day date, and the day that exists only as quotes.
    """
    days = _days()
    paths = daily_paths(seed, DAYS)
    ladders = strike_ladders(paths.low.min(axis=0), paths.high.max(axis=0))
    rng = np.random.default_rng([seed, 3])
    carried = NOTHING
    source = market_name(seed)
    for row, day in enumerate(days):
        frame, carried = _day(day, row, paths, ladders, carried, rng)
        history.write("contracts", frame, source=source)
        if progress:
            progress(row + 1, DAYS + 1)
    history.write("cash", _cash(days, paths), source=source)
    history.write("indices", _indices(days, paths), source=source)
    quote_day = next_trading_day(LAST_DAY)
    history.write("quotes", _quotes(seed, quote_day, paths, ladders, carried), source=source)
    history.find_actions()
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


def _shares(paths: Paths, row: int) -> np.ndarray:
    """Shares traded in a day: as many times more after the split as there are shares."""
    volume: np.ndarray = paths.volume[row].copy()
    if row > _SPLIT_AFTER:
        volume[_PLACES[SPLIT_SYMBOL]] *= SPLIT_RATIO
    return volume


def _day(
    day: date,
    row: int,
    paths: Paths,
    ladders: list[np.ndarray],
    before: CarriedActivity,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, CarriedActivity]:
    """Contracts of a day, and what it leaves to the next."""
    import pandas as pd

    hours = session(day)
    ladder = listed(day, ladders, split=row > _SPLIT_AFTER)
    spot, opening = _levels(paths.close, row), _levels(paths.open, row)
    vol, vol_before = paths.spot_vol[row], paths.spot_vol[max(row - 1, 0)]
    tick = ticks(spot, day)[ladder.place]
    closes = on_tick(values(ladder, spot, vol, paths.long_vol[row], hours.close), tick)
    opens = on_tick(values(ladder, opening, vol_before, paths.long_vol[row], hours.open), tick)
    expected = expected_lots(ladder, spot, vol, years_array(hours.open, ladder.expiry))
    activity = active(ladder.number, expected, before, rng)
    options = contracts_frame(day, ladder, spot, opens, closes, activity, rng)
    months = monthly_expiries(day, MONTHS)
    carry = np.exp([RATE * years_to_expiry(hours.close, month) for month in months])
    lots = np.zeros(len(LISTINGS), dtype=np.int64)
    lots[ladder.place] = ladder.lot
    futures = futures_frame(day, months, lots, (opening, spot), carry, rng)
    frame = pd.concat([options, futures], ignore_index=True)
    return frame, activity.carry(ladder.number, closes)


def _cash(days: list[date], paths: Paths) -> pd.DataFrame:
    import pandas as pd

    frames = []
    stocks = [i for i, row in enumerate(LISTINGS) if row.kind is InstrumentKind.STOCK]
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
                    "volume": _shares(paths, row)[stocks],
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
        if row.kind is InstrumentKind.INDEX:
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
    seed: int, day: date, paths: Paths, ladders: list[np.ndarray], before: CarriedActivity
) -> pd.DataFrame:
    """Two-sided quotes through the session, every five minutes from the open to the close."""
    import pandas as pd

    rng = np.random.default_rng([seed, 4])
    hours = session(day)
    moments = [
        hours.open + timedelta(minutes=m)
        for m in range(0, int(hours.minutes) + 1, SNAPSHOT_MINUTES)
    ]
    start, vol, long_vol = _levels(paths.close, DAYS - 1), paths.spot_vol[-1], paths.long_vol[-1]
    spots, vols = intraday_paths(seed, start, vol, len(moments))
    ladder = listed(day, ladders, split=True)
    expected = expected_lots(ladder, start, vol, years_array(hours.open, ladder.expiry))
    held = before.of(ladder.number)[1] * ladder.lot
    book = QuoteInputs(ladder, ticks(start, day)[ladder.place], expected, held)
    volume = np.zeros(len(ladder.place), dtype=np.int64)
    units, drawn = _delta_one_of(day, paths), np.random.default_rng([seed, 5])
    traded = np.zeros(len(units.place), dtype=np.int64)
    frames = []
    for at, spot, now_vol in zip(moments, spots, vols, strict=True):
        value = values(ladder, spot, now_vol, long_vol, at)
        volume = volume + rng.poisson(expected / len(moments)) * ladder.lot
        frames.append(quotes_frame(at, book, spot, value, volume, rng))
        traded = traded + drawn.poisson(units.expected / len(moments)) * units.lot
        frames.append(delta_one_quotes(at, units, spot, traded, drawn))
    return pd.concat(frames, ignore_index=True)


def _delta_one_of(day: date, paths: Paths) -> DeltaOneListing:
    """Futures and shares of the day of quotes."""
    reviewed = _levels(paths.close, _days().index(review_day(day)))
    lots = np.array([row.lot for row in LISTINGS], dtype=np.int64)
    lots[_PLACES[SPLIT_SYMBOL]] *= SPLIT_RATIO
    return listed_delta_one(
        day, monthly_expiries(day, MONTHS), lots, _shares(paths, DAYS - 1), reviewed
    )
