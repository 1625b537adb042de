"""Quotes of recorded days as of the replay's clock.

Days recorded with quotes return them unchanged. End-of-day files give two snapshots, the open
and the close of contracts that traded, with a labelled synthetic spread; a contract that did
not trade has no quote.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.instruments.dated_ticks import DatedTicks
from strikeloom.adapters.instruments.series_ends import SeriesEnds
from strikeloom.adapters.replay.timeline import Timeline
from strikeloom.domain.instruments import InstrumentKind, OptionContract, contract_key
from strikeloom.domain.money import paise
from strikeloom.domain.quotes import Quote, QuoteSource
from strikeloom.errors import NoQuote
from strikeloom.nse.sessions import session, trading_days
from strikeloom.ports.clock import Clock
from strikeloom.ports.history import History
from strikeloom.settings.desk import ReplaySettings

if TYPE_CHECKING:
    import pandas as pd

#: Older prices than this are not used.
_OLDEST = timedelta(days=10)


class ReplayFeed:
    """``ports.feed.RecordedFeed`` over stored history. Never reads later than the clock."""

    def __init__(self, history: History, clock: Clock, settings: ReplaySettings) -> None:
        self._history = history
        self._clock = clock
        self._settings = settings
        self._snapshot = lru_cache(maxsize=256)(self._load)
        self._timeline = Timeline(history)
        self._ends = SeriesEnds(history)
        self._ticks = DatedTicks(history)

    def _latest(self) -> datetime | None:
        """Latest snapshot at or before the clock, of today or of the last days."""
        now = self._clock.now()
        for day in reversed(trading_days(now.date() - _OLDEST, now.date())):
            past = [at for at in self._timeline.moments(day) if at <= now]
            if past:
                return past[-1]
        return None

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        """Snapshots later than ``after``, up to ``until`` and the clock inclusive."""
        until = min(until, self._clock.now())
        return self._timeline.between(after, until)

    def quotes(self, contracts: Iterable[OptionContract]) -> dict[str, Quote]:
        """Quotes by contract key; a contract without any quote is absent."""
        at = self._latest()
        return self.quotes_at(at, contracts) if at else {}

    def quotes_at(self, at: datetime, contracts: Iterable[OptionContract]) -> dict[str, Quote]:
        """Quotes of one snapshot by contract key.

        Raises
        ------
        NoQuote
            When the moment is later than the clock.
        """
        if at > self._clock.now():
            raise NoQuote(f"{at:%Y-%m-%d %H:%M} is later than the replay's clock")
        found: dict[str, Quote] = {}
        for contract in contracts:
            quote = self._snapshot(at, contract.symbol)[0].get(contract.key)
            if quote is not None:
                found[contract.key] = quote
        return found

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Underlying's level in paise and its time."""
        at = self._latest()
        level = self._snapshot(at, symbol)[1] if at else None
        if at is None or level is None:
            raise NoQuote(
                f"no level of {symbol} is known at {self._clock.now():%Y-%m-%d %H:%M}",
                symbol=symbol,
            )
        return level, at

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Last day of a series according to the files from ``since`` to the clock's day."""
        return self._ends.last_day(symbol, expiry, since, self._clock.now().date())

    def settlement(self, symbol: str, day: date) -> int | None:
        """Final settlement value in paise, once the day is over and its file is stored."""
        return None if self._clock.now() < session(day).close else self._ends.final(symbol, day)

    def _load(self, at: datetime, symbol: str) -> tuple[dict[str, Quote], int | None]:
        if self._history.quote_times(at.date()):
            return _recorded(self._history.quotes(at, symbols=[symbol]), at)
        frame = self._history.contracts(at.date(), symbols=[symbol])
        options = frame[(frame["right"] != "XX") & frame["traded"]]
        opening = at < session(at.date()).close
        quotes = self._synthetic_quotes(options, at, opening=opening)
        return quotes, self._level(frame, symbol, at, opening=opening)

    def _level(
        self, frame: pd.DataFrame, symbol: str, at: datetime, *, opening: bool
    ) -> int | None:
        """Spot of an end-of-day file: its close, or for the open the first price of the day."""
        known = frame["underlying"].dropna()
        if not opening:
            return paise(known.iloc[0], what="spot") if len(known) else None
        day = at.date()
        cash = self._history.cash(day, day, symbols=[symbol])
        levels = cash if len(cash) else self._published(day, symbol)
        opens = levels["open"].dropna()
        if not len(opens):
            # close to the spot, and right on the day of a split, unlike yesterday's close
            futures = frame[(frame["right"] == "XX") & frame["traded"]].sort_values("expiry")
            opens = futures["open"].dropna()
        return paise(opens.iloc[0], what="spot") if len(opens) else None

    def _tick(self, options: pd.DataFrame, day: date) -> int:
        """Price step in paise of the options of one symbol."""
        if not len(options):
            return 1
        symbol, kind = options["symbol"].iloc[0], InstrumentKind(options["kind"].iloc[0])
        return self._ticks.tick(symbol, kind, day)

    def _published(self, day: date, symbol: str) -> pd.DataFrame:
        """Levels of an index on a day, the exchange's own first."""
        levels = self._history.indices(day, day, names=[symbol])
        return levels.iloc[(levels["publisher"] != "nse").argsort(kind="stable")]

    def _synthetic_quotes(
        self, options: pd.DataFrame, at: datetime, *, opening: bool
    ) -> dict[str, Quote]:
        """Quotes of one symbol around traded prices, with the spread of the settings.

        At the open nothing has traded yet and open interest is that of the evening before.
        """
        price = np.rint(options["open" if opening else "close"].to_numpy() * 100).astype(np.int64)
        settings = self._settings
        tick = self._tick(options, at.date())
        half = np.maximum(
            tick * settings.min_half_spread_ticks,
            np.ceil(price * settings.half_spread_percent / 100 / tick).astype(np.int64) * tick,
        )
        lots, lot = options["lots_traded"].to_numpy(), options["lot_size"].to_numpy()
        interest = options["open_interest"].to_numpy()
        interest = interest - options["oi_change"].to_numpy() * opening
        shown = np.maximum(1, np.floor(lots * settings.depth_share_of_volume)).astype(np.int64)
        size = shown * lot
        bid = np.floor_divide(price - half, tick) * tick
        ask = -np.floor_divide(-(price + half), tick) * tick
        rows = zip(
            options["symbol"],
            options["expiry"].dt.date,
            options["strike"],
            options["right"],
            bid.tolist(),
            ask.tolist(),
            price.tolist(),
            size.tolist(),
            (lots * lot * (not opening)).tolist(),
            interest.tolist(),
            strict=True,
        )
        return {
            (key := contract_key(symbol, expiry, strike, right)): Quote(
                key,
                b if b > 0 else None,
                a,
                p,
                s if b > 0 else 0,
                s,
                volume,
                open_interest,
                at,
                QuoteSource.SYNTHETIC_SPREAD,
            )
            for symbol, expiry, strike, right, b, a, p, s, volume, open_interest in rows
        }


def _recorded(frame: pd.DataFrame, at: datetime) -> tuple[dict[str, Quote], int | None]:
    columns = (
        frame["symbol"],
        frame["expiry"].dt.date,
        frame["strike"],
        frame["right"],
        *(_paise(frame[name]) for name in ("bid", "ask", "last")),
        *(frame[name].tolist() for name in ("bid_size", "ask_size", "volume", "open_interest")),
    )
    quotes = {
        (key := contract_key(symbol, expiry, strike, right)): Quote(
            key, b, a, p, bs, ask, v, oi, at
        )
        for symbol, expiry, strike, right, b, a, p, bs, ask, v, oi in zip(*columns, strict=True)
    }
    return quotes, paise(frame["spot"].iloc[0], what="spot") if len(frame) else None


def _paise(column: pd.Series) -> list[int | None]:
    rounded = np.rint(column.to_numpy() * 100)
    return [None if np.isnan(value) else int(value) for value in rounded]
