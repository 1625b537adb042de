"""Computing days on any kind of workers: each day alone, written whole, then stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from strikeloom.domain.progress import Progress
from strikeloom.domain.volatility import EXPIRIES
from strikeloom.errors import DataError, StoreError
from strikeloom.iv_history.chains import CONTRACT_COLUMNS
from strikeloom.iv_history.day import reprice_day, summarise_day
from strikeloom.iv_history.load import PRICE_DAYS, SUMMARY, Gaps
from strikeloom.iv_history.save import keep
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.ports.desk import Desk
from strikeloom.ports.history import History
from strikeloom.ports.partitions import Partitions, Stamp
from strikeloom.ports.workers import Done, Workers
from strikeloom.quant.implied import engine
from strikeloom.settings.iv import IvSettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DayWork:
    """Computes one day and writes its partition. Runs on workers, without a store.

    Attributes
    ----------
    repriced : frozenset of datetime.date
        Days of which only what depends on prices is worked out again.
    """

    history: History
    partitions: Partitions
    settings: IvSettings
    stamps: dict[date, Stamp]
    repriced: frozenset[date] = frozenset()

    def __call__(self, day: date) -> None:
        """Compute a day from what was known on it, and write its partition."""
        tables = self._repriced(day) if day in self.repriced else self._whole(day)
        self.partitions.write(day, tables, self.stamps[day])

    def _whole(self, day: date) -> dict[str, pd.DataFrame]:
        engine.load()  # numpy differs in the last digit: always compiled
        contracts = self.history.as_of(day).contracts(day, columns=CONTRACT_COLUMNS)
        prices, actions = self._prices(day, contracts["symbol"].unique())
        computed = summarise_day(contracts, prices, day, self.settings, actions=actions)
        return {SUMMARY: computed.summary, EXPIRIES: computed.expiries}

    def _repriced(self, day: date) -> dict[str, pd.DataFrame]:
        try:
            tables = {name: self.partitions.read(day, name) for name in (SUMMARY, EXPIRIES)}
        except (DataError, StoreError):  # lost or damaged since: nothing to keep
            return self._whole(day)
        contracts = self.history.as_of(day).contracts(day, columns=("symbol", "underlying"))
        prices, actions = self._prices(day, contracts["symbol"].unique())
        summary = reprice_day(tables[SUMMARY], contracts, prices, day, actions=actions)
        return {**tables, SUMMARY: summary}

    def _prices(
        self, day: date, symbols: Iterable[str]
    ) -> tuple[pd.DataFrame, list[CorporateAction]]:
        past, begin = self.history.as_of(day), day - timedelta(days=PRICE_DAYS)
        return past.prices(begin, day, symbols=sorted(symbols)), past.actions(begin, day)


def collect(
    desk: Desk, gaps: Gaps, workers: Workers, *, progress: Progress | None = None
) -> Iterator[Done]:
    """Fill the gaps; each day is in its partition and in the store when it is yielded.

    If the run is stopped, the days yielded so far are kept and the next run continues after them.

    Returns
    -------
    iterator of Done
        ``item`` is the day; a day that cannot be read fails alone.
    """
    total = len(gaps.ready) + len(gaps.todo) + len(gaps.repriced)
    kept = frozenset(gaps.repriced)
    work = DayWork(desk.history, desk.partitions, desk.settings.iv, gaps.stamps, kept)
    done = 0
    if progress:
        progress(done, total)
    for outcome in _each(gaps, workers, work):
        if not outcome.error:
            keep(desk, outcome.item)
        done += 1
        if progress:
            progress(done, total)
        yield outcome


def _each(gaps: Gaps, workers: Workers, work: DayWork) -> Iterator[Done]:
    yield from map(Done, gaps.ready)
    yield from workers.run(work, sorted([*gaps.todo, *gaps.repriced]))
