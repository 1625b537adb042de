"""Computing days on any kind of workers: each day alone, written whole, then stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from strikeloom.iv_history.chains import CONTRACT_COLUMNS
from strikeloom.iv_history.day import summarise_day
from strikeloom.iv_history.load import EXPIRIES, PRICE_DAYS, SUMMARY, Gaps
from strikeloom.iv_history.save import keep
from strikeloom.ports.desk import Desk
from strikeloom.ports.history import History
from strikeloom.ports.partitions import Partitions, Stamp
from strikeloom.ports.workers import Done, Workers
from strikeloom.quant.implied import engine
from strikeloom.settings.iv import IvSettings

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DayWork:
    """Computes one day and writes its partition. Runs on workers, without a store."""

    history: History
    partitions: Partitions
    settings: IvSettings
    stamps: dict[date, Stamp]

    def __call__(self, day: date) -> None:
        """Compute a day from what was known on it, and write its partition."""
        engine.load()  # numpy differs in the last digit: always compiled
        past = self.history.as_of(day)
        begin = day - timedelta(days=PRICE_DAYS)
        contracts = past.contracts(day, columns=CONTRACT_COLUMNS)
        symbols = sorted(contracts["symbol"].unique())
        computed = summarise_day(
            contracts,
            past.prices(begin, day, symbols=symbols),
            day,
            self.settings,
            actions=past.actions(begin, day),
        )
        tables = {SUMMARY: computed.summary, EXPIRIES: computed.expiries}
        self.partitions.write(day, tables, self.stamps[day])


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
    total = len(gaps.ready) + len(gaps.todo)
    work = DayWork(desk.history, desk.partitions, desk.settings.iv, gaps.stamps)
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
    yield from workers.run(work, gaps.todo)
