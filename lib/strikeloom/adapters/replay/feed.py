"""Quotes of recorded days as of the replay's clock.

Days recorded with quotes return them unchanged. End-of-day files give two snapshots, made of
what the day's contracts show (``exchange.market.end_of_day``): the open and the close of those
that traded, labelled. One that did not trade has no side, only its settlement price at the close.
Futures and shares of those days are made when one is requested.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.instruments.dated_ticks import DatedTicks
from strikeloom.adapters.instruments.series_ends import SeriesEnds
from strikeloom.adapters.replay.timeline import Timeline
from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    OptionContract,
    instrument_key,
)
from strikeloom.domain.money import paise
from strikeloom.domain.quotes import Quote, QuoteSource
from strikeloom.errors import NoQuote
from strikeloom.exchange.market.end_of_day import CLOSE, OPEN, option_rows, priced_day
from strikeloom.exchange.market.end_of_day_chains import published_bars
from strikeloom.exchange.market.end_of_day_delta_one import (
    DeltaOneDay,
    delta_one_of,
    delta_one_rows,
)
from strikeloom.nse.edges import ending, expected_days
from strikeloom.nse.sessions import IST
from strikeloom.ports.clock import Clock
from strikeloom.ports.history import History
from strikeloom.settings.desk import ReplaySettings

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = (OPEN, CLOSE)
#: Older prices than this are not used.
_OLDEST = timedelta(days=10)


class ReplayFeed:
    """``ports.feed.RecordedFeed`` over stored history. Never reads later than the clock."""

    def __init__(self, history: History, clock: Clock, settings: ReplaySettings) -> None:
        self._history = history
        self._clock = clock
        self._settings = settings
        self._snapshot = lru_cache(maxsize=256)(self._load)
        self._day = lru_cache(maxsize=128)(self._made)
        self._delta_one = lru_cache(maxsize=256)(self._delta_one_snapshot)
        self._delta_one_day = lru_cache(maxsize=128)(self._made_delta_one)
        self._published = lru_cache(maxsize=4)(partial(published_bars, history))
        self._timeline = Timeline(history)
        self._ends = SeriesEnds(history)
        self._ticks = DatedTicks(history)

    def _latest(self) -> datetime | None:
        """Latest snapshot at or before the clock, of today or of the last days."""
        now = self._clock.now()
        for day in reversed(expected_days(now.date() - _OLDEST, now.date())):
            past = [at for at in self._timeline.moments(day) if at <= now]
            if past:
                return past[-1]
        return None

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        """Snapshots later than ``after``, up to ``until`` and the clock inclusive."""
        until = min(until, self._clock.now())
        return self._timeline.between(after, until)

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes by contract key; a contract without any quote is absent."""
        at = self._latest()
        return self.quotes_at(at, contracts) if at else {}

    def quotes_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes of one snapshot by contract key.

        Raises
        ------
        NoQuote
            When the moment is later than the clock.
        """
        if at > self._clock.now():
            raise NoQuote(f"{at:%Y-%m-%d %H:%M} is later than the replay's clock")
        found: dict[str, Quote] = {}
        for instrument in contracts:
            option = isinstance(instrument, OptionContract)
            shown = (
                self._snapshot(at, instrument.symbol)[0]
                if option
                else self._delta_one(at, instrument.symbol)
            )
            quote = shown.get(instrument.key)
            if quote is not None:
                found[instrument.key] = quote
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
        return None if self._clock.now() < ending(day) else self._ends.final(symbol, day)

    def daily_settlement(self, future: FutureContract, day: date) -> int | None:
        """Settlement price in paise, once the day is over and its file is stored."""
        return None if self._clock.now() < ending(day) else self._ends.daily(future, day)

    def _load(self, at: datetime, symbol: str) -> tuple[dict[str, Quote], int | None]:
        if self._history.quote_times(at.date()):
            rows = self._history.quotes(at, symbols=[symbol])
            return _quotes(rows, QuoteSource.QUOTED, [None] * len(rows))
        rows = self._day(at.date(), symbol)[0]
        rows = rows[(rows["at"] == at).to_numpy()]
        return _quotes(rows, QuoteSource.SYNTHETIC_SPREAD, _paise(rows["settle"]))

    def _made(self, day: date, symbol: str) -> tuple[pd.DataFrame, DeltaOneDay]:
        """Rows of the options of an underlying, and what its futures and share are made of."""
        priced = priced_day(
            self._history,
            day,
            lambda name, kind: self._ticks.tick(name, kind, day),
            [symbol],
            self._published(day),
        )
        return option_rows(priced, self._settings, _SHOWN), delta_one_of(*priced)

    def _delta_one_snapshot(self, at: datetime, symbol: str) -> dict[str, Quote]:
        """Quotes of the futures and the share of a symbol at a snapshot."""
        if self._history.quote_times(at.date()):
            return self._snapshot(at, symbol)[0]
        rows = self._delta_one_day(at.date(), symbol)
        rows = rows[(rows["at"] == at).to_numpy()]
        return _quotes(rows, QuoteSource.SYNTHETIC_SPREAD, _paise(rows["settle"]))[0]

    def _made_delta_one(self, day: date, symbol: str) -> pd.DataFrame:
        return delta_one_rows(
            self._day(day, symbol)[1],
            self._history.cash(day, day, symbols=[symbol]),
            lambda name, kind, right: self._ticks.tick(name, kind, day, right),
            self._settings,
            _SHOWN,
        )


def _quotes(
    frame: pd.DataFrame, source: QuoteSource, settled: list[int | None]
) -> tuple[dict[str, Quote], int | None]:
    """Quotes of one moment by contract key, and the underlying's level in paise."""
    if not len(frame):
        return {}, None
    at = frame["at"].iloc[0].to_pydatetime().astimezone(IST)
    columns = (
        frame["symbol"],
        frame["expiry"].dt.date,
        frame["strike"],
        frame["right"],
        *(_paise(column) for column in (frame["bid"], frame["ask"], frame["last"])),
        *(frame[name].tolist() for name in ("bid_size", "ask_size", "volume", "open_interest")),
        settled,
    )
    quotes = {
        (key := instrument_key(symbol, expiry, strike, right)): Quote(
            key, b, a, p, bs, ask, v, oi, at, source, settle
        )
        for symbol, expiry, strike, right, b, a, p, bs, ask, v, oi, settle in zip(
            *columns, strict=True
        )
    }
    spot = frame["spot"].iloc[0]
    return quotes, None if np.isnan(spot) else paise(spot, what="spot")


def _paise(column: pd.Series) -> list[int | None]:
    rounded = np.rint(column.to_numpy() * 100)
    return [None if np.isnan(value) else int(value) for value in rounded]
