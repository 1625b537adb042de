"""Final settlement values: from the exchange's file where it is imported, else a day's close."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.errors import DhanRefusal, call_checked
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.adapters.instruments.series_ends import SeriesEnds
from strikeloom.domain.instruments import FutureContract, InstrumentKind
from strikeloom.domain.money import paise
from strikeloom.errors import BrokerError, DataError
from strikeloom.nse.edges import ending
from strikeloom.nse.sessions import IST
from strikeloom.ports.history import History

#: Closing prices are computed from the last half hour, and published after it.
_PUBLISHED_AFTER = timedelta(minutes=30)
_ASK_AGAIN = timedelta(minutes=1)


class Settlements:
    """Settlement values of underlyings, each read once.

    Dhan does not report settlement values: the close of the underlying's daily candle is used
    until the exchange's file of the day is imported. Nor does its list show that a series ends
    before its expiry: that is known from the exchange's files of the days it is held, once the
    file that shows it is imported; until then a position that Dhan drops is a difference.
    """

    def __init__(self, client: DhanClient, instruments: DhanInstruments, history: History) -> None:
        self._client = client
        self._instruments = instruments
        self._ends = SeriesEnds(history)
        self._known: dict[tuple[str, date], int] = {}
        self._requested: dict[tuple[str, date], datetime] = {}

    def last_day(self, symbol: str, expiry: date, since: date, now: datetime) -> date:
        """Last day of a series, by the imported files from ``since`` to today."""
        return self._ends.last_day(symbol, expiry, since, now.date())

    def of_future(self, future: FutureContract, day: date, now: datetime) -> int | None:
        """Settlement price of a future, once the file of the day is imported.

        The broker's positions are carried at it already; only figures of our own need it.
        """
        return None if now < ending(day) else self._ends.daily(future, day)

    def value(self, symbol: str, day: date, now: datetime) -> int | None:
        """Value in paise at which series that end on a day settle; ``None`` until it is known.

        Raises
        ------
        BrokerError
            When Dhan could not be reached.
        """
        if now < ending(day):
            return None
        place = symbol, day
        if place not in self._known:
            found = self._ends.final(symbol, day)
            if found is None and now >= ending(day) + _PUBLISHED_AFTER:
                found = self._close_of_candle(symbol, day, now)
            if found is None:
                return None
            self._known[place] = found
        return self._known[place]

    def _close_of_candle(self, symbol: str, day: date, now: datetime) -> int | None:
        before = self._requested.get((symbol, day))
        if before is not None and now - before < _ASK_AGAIN:
            return None
        self._requested[symbol, day] = now
        security = self._instruments.spot_of(symbol, now.date())
        kind = self._instruments.underlying(symbol).kind
        try:
            body = call_checked(
                self._client,
                CallClass.DATA,
                "historical_daily_data",
                str(security.number),
                security.segment,
                "INDEX" if kind is InstrumentKind.INDEX else "EQUITY",
                str(day),
                str(day + timedelta(days=1)),  # the end is exclusive
                what=f"the close of {symbol}",
            )
        except DhanRefusal:
            return None  # there is no candle of that day yet
        return close_of(body, day)


def close_of(body: Any, day: date) -> int | None:
    """Close of a day in paise, from a response with daily candles; ``None`` when it has none.

    Raises
    ------
    BrokerError
        When the response has no daily candles.
    """
    try:
        # candles count true seconds of UTC, from midnight in India
        days = [datetime.fromtimestamp(seconds, IST).date() for seconds in body["timestamp"]]
        closes = dict(zip(days, body["close"], strict=True))
        return paise(closes[day], what="close") if day in closes else None
    except (KeyError, TypeError, ValueError, DataError) as error:
        raise BrokerError(f"Dhan's daily candles cannot be read: {error}") from None
