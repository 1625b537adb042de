"""Last days and final values of series, from the stored files of contracts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date

from strikeloom.domain.instruments import FutureContract
from strikeloom.domain.money import paise
from strikeloom.exchange.market.settlement_prices import settlement_price
from strikeloom.ports.history import History


class SeriesEnds:
    """Last days and final values over a history; each day is read once.

    The file of a day shows what the exchange had announced by that morning: ITC's of 2025-01-01
    that its series of three months end on 2025-01-03.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._stored: list[date] = []
        self._read: dict[date, dict[tuple[str, date], date]] = {}

    def last_day(self, symbol: str, expiry: date, since: date, until: date) -> date:
        """Day on which a series that was held on ``since`` ends, as known on ``until``.

        The first announcement of an early end counts: a series listed again under the same
        name, as ITC's were on 2025-01-06, is another one. Days that are not stored show nothing,
        and a series without an announcement ends on its expiry.
        """
        days = self._days(until)
        for day in days[bisect_left(days, since) : bisect_right(days, min(until, expiry))]:
            ends = self._early(day).get((symbol, expiry))
            if ends is not None:
                return ends
        return expiry

    def final(self, symbol: str, day: date) -> int | None:
        """Value in paise at which the series that end on a day settle; ``None`` if unknown."""
        if day not in self._history.days():
            return None
        names = ("symbol", "expiry", "last_day", "final_settlement")
        frame = self._history.contracts(day, symbols=[symbol], columns=names)
        ended = frame["last_day"].fillna(frame["expiry"]).dt.date == day
        final = frame.loc[ended, "final_settlement"].dropna()
        return paise(final.iloc[0], what="final settlement") if len(final) else None

    def daily(self, future: FutureContract, day: date) -> int | None:
        """Settlement price in paise of a future on a day; ``None`` if the file has none."""
        return settlement_price(self._history, future, day)

    def _days(self, until: date) -> list[date]:
        """Stored days, looked up again while the last requested one is missing."""
        if until not in self._stored:
            self._stored = self._history.days()
        return self._stored

    def _early(self, day: date) -> dict[tuple[str, date], date]:
        """Last days by symbol and expiry, of the series of a day that end before their expiry."""
        if day not in self._read:
            frame = self._history.contracts(day, columns=("symbol", "expiry", "last_day"))
            early = frame[frame["last_day"] < frame["expiry"]].sort_values("last_day")
            early = early.drop_duplicates(["symbol", "expiry"])
            rows = zip(early["symbol"], early["expiry"], early["last_day"], strict=True)
            self._read[day] = {(name, e.date()): last.date() for name, e, last in rows}
        return self._read[day]
