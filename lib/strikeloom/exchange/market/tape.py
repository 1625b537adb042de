"""A market day being played: quotes, depth and levels as of a clock, from columns in memory.

The day is synthetic, recorded, or made from an end-of-day file. What was not recorded is
labelled: prices between two snapshots, spreads around a traded price, depth below the best.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property

import numpy as np

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import FutureContract, Instrument, OptionContract, order_of
from strikeloom.domain.quotes import Quote, QuoteSource
from strikeloom.errors import DataError, NoQuote
from strikeloom.exchange.market.candles import Candles, candles
from strikeloom.exchange.market.columns import DayColumns, DayMoment, Ints, QuoteColumns
from strikeloom.exchange.market.day_bands import day_bands
from strikeloom.exchange.market.day_facts import DayFacts
from strikeloom.exchange.market.depth_ladder import depth_of, ladders
from strikeloom.exchange.market.securities import Listed, ListedUnderlying
from strikeloom.exchange.market.settlement_prices import SettledOn
from strikeloom.exchange.market.views import SpotView, View, spot_view, views
from strikeloom.nse.edges import ending
from strikeloom.ports.clock import Clock


class Tape:
    """``ports.feed.DepthFeed`` over one day. Never shows a moment after the clock.

    Parameters
    ----------
    source : QuoteSource
        Of the quotes at the snapshots; those between are always synthetic.
    settled : callable, optional
        Settlement price of a future on an earlier day.
    """

    def __init__(
        self,
        day: date,
        listed: tuple[Listed, ...],
        underlyings: tuple[ListedUnderlying, ...],
        columns: DayColumns,
        facts: DayFacts,
        clock: Clock,
        source: QuoteSource,
        settled: SettledOn | None = None,
    ) -> None:
        self.day = day
        self.listed = listed
        self.underlyings = underlyings
        self.facts = facts
        self.quotes_source = source
        self.day_columns = columns
        self.clock = clock
        self._settled = settled
        self._rows = {item.instrument.key: item.row for item in listed}
        self._ids = {item.security_id: item for item in listed}
        self._spots = {item.symbol: place for place, item in enumerate(underlyings)}

    # what is listed

    def by_id(self, security_id: int) -> Listed:
        """Instrument of a security id.

        Raises
        ------
        DataError
            When nothing listed has it.
        """
        found = self._ids.get(security_id)
        if found is None:
            raise DataError(f"no instrument has the security id {security_id}", id=security_id)
        return found

    def by_key(self, key: str) -> Listed:
        """Instrument of a key.

        Raises
        ------
        DataError
            When it is not listed.
        """
        row = self._rows.get(key)
        if row is None:
            raise DataError(f"{key} is not listed on {self.day}", key=key)
        return self.listed[row]

    def instrument(self, key: str, day: date) -> Instrument:  # noqa: ARG002 (a port's form)
        """Contract as listed: its lot and tick.

        Raises
        ------
        DataError
            When it is not listed.
        """
        return self.by_key(key).instrument

    @cached_property
    def by_symbol(self) -> dict[str, list[Listed]]:
        """Options by underlying, ascending by expiry and strike."""
        found: dict[str, list[Listed]] = {item.symbol: [] for item in self.underlyings}
        for item in sorted(self.listed, key=lambda item: order_of(item.instrument)):
            if isinstance(item.instrument, OptionContract):
                found[item.instrument.symbol].append(item)
        return found

    def expiries(self, symbol: str) -> list[date]:
        """Expiries of the options on an underlying, ascending; empty for an unknown one."""
        held = (item.instrument for item in self.by_symbol.get(symbol, []))
        return sorted({it.expiry for it in held if isinstance(it, OptionContract)})

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        """Lowest and highest price of the day in paise; ``None`` when no base price is known."""
        row = self._rows.get(instrument.key)
        if row is None:
            return None
        lower, upper = int(self.bands[0][row]), int(self.bands[1][row])
        return (lower, upper) if upper else None

    @cached_property
    def bands(self) -> tuple[Ints, Ints]:
        """Lower and upper end of the day's prices by row; 0 where no base price is known."""
        return day_bands(self)

    # what a broker reports of it

    def views(self, keys: Iterable[str]) -> dict[str, View]:
        """Instruments as of the clock, by key; one without any price is absent."""
        return views(self, keys)

    def spot_view(self, symbol: str) -> SpotView:
        """Underlying as of the clock.

        Raises
        ------
        NoQuote
            When no level of it is known.
        """
        return spot_view(self, symbol)

    def bars(self, name: str, minutes: int) -> Candles:
        """Candles of an instrument (by key) or an underlying (by symbol) up to the clock."""
        return candles(self, name, minutes)

    # the feed

    def place(self, at: datetime | None = None) -> DayMoment | None:
        """Where a moment lies in the day; default: the clock's."""
        return self.day_columns.place(at or self.clock.now())

    def rows_of(self, contracts: Iterable[Instrument]) -> tuple[list[str], Ints]:
        """Keys and rows of those that are listed."""
        keys = [c.key for c in contracts if c.key in self._rows]
        return keys, np.array([self._rows[key] for key in keys], dtype=np.int64)

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        """Moments with quotes later than ``after``, up to ``until`` and the clock inclusive."""
        return self.day_columns.between(after, min(until, self.clock.now()))

    def columns(self, rows: Ints, at: datetime | None = None) -> QuoteColumns | None:
        """Quotes of some rows in columns; ``None`` before the first snapshot."""
        where = self.place(at)
        return self.day_columns.read(where, rows) if where else None

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes by contract key; a contract without any price is absent."""
        where = self.place()
        return self._quotes(where, contracts) if where else {}

    def quotes_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes of a moment by contract key.

        Raises
        ------
        NoQuote
            When the moment is later than the clock, or before the first snapshot.
        """
        return self._quotes(self._known(at), contracts)

    def depths(self, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Five levels a side by contract key."""
        where = self.place()
        return self._depths(where, contracts) if where else {}

    def depths_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Five levels a side of a moment by contract key.

        Raises
        ------
        NoQuote
            When the moment is later than the clock, or before the first snapshot.
        """
        return self._depths(self._known(at), contracts)

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Underlying's level in paise and the moment it was true.

        Raises
        ------
        NoQuote
            When no level is known.
        """
        where, column = self.place(), self._spots.get(symbol)
        level = self.day_columns.spot(where, column) if where and column is not None else 0
        if where is None or not level:
            raise NoQuote(
                f"no level of {symbol} is known at {self.clock.now():%Y-%m-%d %H:%M}",
                symbol=symbol,
            )
        return level, where.at

    def last_day(self, symbol: str, expiry: date, since: date) -> date:  # noqa: ARG002
        """Last day of a series, from the day's own listing."""
        return self.facts.early_last_days.get((symbol, expiry), expiry)

    def settlement(self, symbol: str, day: date) -> int | None:
        """Final value in paise for contracts that end today, once the session is over."""
        column = self._spots.get(symbol)
        if day != self.day or self.clock.now() < ending(day) or column is None:
            return None
        last = int(self.day_columns.spots[-1, column])
        return self.facts.settlements.get(symbol) or last or None

    def daily_settlement(self, future: FutureContract, day: date) -> int | None:
        """Settlement price in paise of a future: of an earlier day, or of this one once it is over.

        Where the day has no file yet it is the last traded price.
        """
        if day != self.day:
            earlier = day < self.day and self._settled is not None
            return self._settled(future, day) if earlier and self._settled else None
        row = self._rows.get(future.key)
        if row is None or self.clock.now() < ending(day):
            return None
        return (
            self.facts.futures.get(future.key)
            or int(self.day_columns.tables["last"][-1, row])
            or None
        )

    def source_at(self, where: DayMoment) -> QuoteSource:
        """Label of the quotes at a place."""
        return QuoteSource.SYNTHETIC_SPREAD if where.share else self.quotes_source

    def _known(self, at: datetime) -> DayMoment:
        if at > self.clock.now():
            raise NoQuote(f"{at:%Y-%m-%d %H:%M:%S} is later than the market's clock")
        where = self.place(at)
        if where is None:
            raise NoQuote(f"the market's day begins after {at:%Y-%m-%d %H:%M:%S}")
        return where

    def _quotes(self, where: DayMoment, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        keys, rows = self.rows_of(contracts)
        read, source = self.day_columns.read(where, rows), self.source_at(where)
        fields = (read.bid, read.ask, read.last, read.bid_size, read.ask_size, read.volume)
        rest = (*(f.tolist() for f in fields), read.open_interest.tolist())
        moments, made = self._moments_of(where, rows), self.facts.made
        return {
            key: Quote(
                key,
                b or None,
                a or None,
                p or None,
                bs,
                az,
                v,
                oi,
                at,
                QuoteSource.SYNTHETIC_SPREAD if key in made else source,
            )
            for key, b, a, p, bs, az, v, oi, at in zip(keys, *rest, moments, strict=True)
            if b or a or p
        }

    def _depths(self, where: DayMoment, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        keys, rows = self.rows_of(contracts)
        columns = self.day_columns
        read = columns.read(where, rows)
        recorded = columns.recorded(where, rows)
        step = where.step if where.share else recorded[:, None, None]
        made = ladders(read, rows, columns.tick[rows], columns.lot[rows], step)
        source = QuoteSource.SYNTHETIC_SPREAD  # below the best price nothing was recorded
        at = self._moments_of(where, rows)
        return {key: depth_of(key, made, n, at[n], source) for n, key in enumerate(keys)}

    def _moments_of(self, where: DayMoment, rows: Ints) -> list[datetime]:
        """When the quotes of some rows were true: their snapshot, or now between two."""
        if where.share:
            return [where.at] * len(rows)
        shown = self.day_columns.snapshots
        return [shown[row] for row in self.day_columns.recorded(where, rows).tolist()]
