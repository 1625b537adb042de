"""Collecting the history: only missing days, on any kind of workers, also after failures."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from strikeloom import iv_history
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import ClusterWorkers, HereWorkers, ProcessWorkers
from strikeloom.desk import open_desk
from strikeloom.domain.volatility import IvRank
from strikeloom.errors import DataError, MissingHistory, SettingsError, StageError
from strikeloom.iv_history import load
from strikeloom.iv_history.day import summarise_day
from strikeloom.nse import session_table
from strikeloom.ports.desk import Desk
from strikeloom.ports.workers import Done, Workers
from strikeloom.settings.iv import IvSettings
from support import failing_work

SCRIPT = Path(__file__).with_name("collecting.py")
MARKET = "synthetic-7"
DAYS = 5


def files(home: Path, market: str = MARKET) -> dict[str, bytes]:
    """Every partition of a market, by name."""
    folder = home / "volatility" / market
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


def fill(desk: Desk, first: date, workers: Workers | None = None) -> list[Done]:
    gaps = iv_history.find_gaps(desk, first)
    return list(iv_history.collect(desk, gaps, workers or HereWorkers()))


@pytest.fixture
def desk(drawn_home: Path) -> Desk:
    return open_desk(MARKET)


@pytest.fixture
def first(desk: Desk) -> date:
    """The last days are wanted."""
    return desk.history.days()[-DAYS]


@pytest.fixture
def expected(desk: Desk, first: date, drawn_home: Path) -> dict[str, bytes]:
    """Partitions of those days, computed in this process without interruption."""
    outcomes = fill(desk, first)
    assert [item.item for item in outcomes] == desk.history.days()[-DAYS:]
    assert not any(item.error for item in outcomes)
    return files(drawn_home)


@pytest.fixture
def other(tmp_path: Path, drawn_home: Path) -> Path:
    """A second home over the same market."""
    home = tmp_path / "other"
    (home / "history").mkdir(parents=True)
    (home / "history" / MARKET).symlink_to((drawn_home / "history" / MARKET).resolve())
    return home


def test_only_what_is_missing_is_worked_out(
    desk: Desk, first: date, expected: dict[str, bytes], drawn_home: Path
) -> None:
    assert len(expected) == 2 * DAYS
    gaps = iv_history.find_gaps(desk, first)
    assert (gaps.todo, gaps.ready, gaps.holes) == ((), (), ())
    lost = desk.history.days()[-3]
    (drawn_home / "volatility" / MARKET / "summary" / f"{lost}.parquet").unlink()
    assert iv_history.find_gaps(desk, first).todo == (lost,)
    fill(desk, first)
    assert files(drawn_home) == expected


def test_a_damaged_partition_is_computed_again(
    desk: Desk, first: date, expected: dict[str, bytes], drawn_home: Path
) -> None:
    path = drawn_home / "volatility" / MARKET / "summary" / f"{first}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    assert iv_history.find_gaps(desk, first).todo == (first,)
    fill(desk, first)
    assert files(drawn_home) == expected


def test_another_method_makes_every_day_missing(
    desk: Desk, first: date, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "METHOD", "another-2")
    assert len(iv_history.find_gaps(desk, first).todo) == DAYS


def test_hours_of_ones_own_make_the_days_due_that_depend_on_them(
    desk: Desk, first: date, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = desk.history.days()[-DAYS:]

    def own(day: date, kind: str, hours: tuple[str, str]) -> None:
        row = {"session": kind, "open": hours[0], "close": hours[1]}
        monkeypatch.setattr(session_table, "session_table", lambda: {**package, day: row})

    package = session_table.session_table()
    own(days[2], "open", ("09:15", "12:30"))
    gaps = iv_history.find_gaps(desk, first)
    assert (gaps.todo, gaps.repriced) == (tuple(days[:3]), tuple(days[3:]))
    # a holiday ahead moves no calendar time
    own(days[-1] + timedelta(days=200), "closed", ("", ""))
    gaps = iv_history.find_gaps(desk, first)
    assert (gaps.todo, gaps.repriced) == ((), ())


def test_another_setting_makes_a_day_missing_unless_only_ranks_use_it(
    desk: Desk, first: date, expected: dict[str, bytes]
) -> None:
    def changed(**values: Any) -> Desk:
        iv = desk.settings.iv.model_copy(update=values)
        settings = desk.settings.model_copy(update={"iv": iv})
        return open_desk(MARKET, settings=settings)

    assert iv_history.find_gaps(changed(windows={1: 5}), first).todo == ()
    assert len(iv_history.find_gaps(changed(rate=0.05), first).todo) == DAYS


@pytest.fixture
def own(home: Path, synthetic_history: ParquetHistory) -> Desk:
    """A desk whose history the test may change."""
    (home / "history").mkdir(parents=True)
    shutil.copytree(synthetic_history.folder, home / "history" / MARKET)
    return open_desk(MARKET)


def _again(desk: Desk, dataset: str, partition: str, frame: pd.DataFrame, source: str) -> None:
    """Import rows in place of a partition that was deleted."""
    folder: Path = desk.history.folder  # type: ignore[attr-defined]
    (folder / dataset / f"{partition}.parquet").unlink()
    desk.history.write(dataset, frame, source=source)


def test_a_corrected_file_of_the_same_name_is_worked_in_and_a_repeat_is_not(own: Desk) -> None:
    days = own.history.days()[-DAYS:]
    fill(own, days[0])
    day, source = days[2], MARKET
    rows = own.history.contracts(day).assign(day=pd.Timestamp(day))
    _again(own, "contracts", str(day), rows, "another name.csv")
    assert iv_history.find_gaps(own, days[0]).todo == ()
    traded = rows.index[rows["traded"] & (rows["right"] == "CE")]
    rows.loc[traded[0], "open_interest"] += 1
    before = (own.history.folder / "contracts" / f"{day}.parquet").stat()  # type: ignore[attr-defined]
    _again(own, "contracts", str(day), rows, source)
    after = (own.history.folder / "contracts" / f"{day}.parquet").stat()  # type: ignore[attr-defined]
    assert after.st_mtime_ns != before.st_mtime_ns
    # the day; and, for their prices alone, those that reach back to it
    gaps = iv_history.find_gaps(own, days[0])
    assert (gaps.todo, gaps.repriced) == ((day,), tuple(days[3:]))
    assert not [item for item in fill(own, days[0]) if item.error]
    gaps = iv_history.find_gaps(own, days[0])
    assert (gaps.todo, gaps.repriced) == ((), ())


def test_a_corrected_price_of_the_cash_market_counts_from_its_day_on(own: Desk) -> None:
    days = own.history.days()[-DAYS:]
    fill(own, days[0])
    month = days[2].strftime("%Y-%m")
    rows = own.history.cash(days[2].replace(day=1), days[2] + timedelta(days=31))
    rows = rows[rows["day"].dt.strftime("%Y-%m") == month]
    first = rows.index[rows["day"] == pd.Timestamp(days[2])][0]
    rows.loc[first, "close"] += 0.05
    _again(own, "cash", month, rows, MARKET)
    gaps = iv_history.find_gaps(own, days[0])
    assert (gaps.todo, gaps.repriced) == ((), tuple(days[2:]))


@pytest.mark.parametrize("kind", ["contracts", "cash"])
def test_older_files_leave_the_smiles_of_later_days_and_all_values_as_of_one_import(
    own: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Prices, levels and a corporate action of earlier days; then all of it computed at once."""
    folder: Path = own.history.folder  # type: ignore[attr-defined]
    days = own.history.days()[-DAYS:]
    held = tmp_path / "later"
    if kind == "contracts":
        names = [f"{day}.parquet" for day in own.history.days()[:-DAYS]]
    else:
        # the last month stays, so that some days have a price and others lose their past
        names = sorted(path.name for path in (folder / "cash").iterdir())[:-1]
    held.mkdir()
    for name in names:
        (folder / kind / name).rename(held / name)
    fill(own, days[0])
    before = files(own.history.folder.parents[1])  # type: ignore[attr-defined]
    for name in names:
        (held / name).rename(folder / kind / name)
    worked: list[date] = []
    inner = summarise_day

    def counted(*given: Any, **more: Any) -> Any:
        worked.append(given[2])
        return inner(*given, **more)

    monkeypatch.setattr(sys.modules[iv_history.collect.__module__], "summarise_day", counted)
    gaps = iv_history.find_gaps(own, days[0])
    assert (gaps.todo, gaps.repriced) == ((), tuple(days))
    outcomes = fill(own, days[0])
    assert [item.item for item in outcomes] == days
    assert worked == []
    after = files(own.history.folder.parents[1])  # type: ignore[attr-defined]
    assert after != before
    gaps = iv_history.find_gaps(own, days[0])
    assert (gaps.todo, gaps.repriced, gaps.ready) == ((), (), ())
    repriced = own.store.iv_history(own.day, first=days[0])
    shutil.rmtree(own.history.folder.parents[1] / "volatility")  # type: ignore[attr-defined]
    fill(own, days[0])
    assert worked == days
    assert files(own.history.folder.parents[1]) == after  # type: ignore[attr-defined]
    assert repriced.equals(own.store.iv_history(own.day, first=days[0]))


def test_a_day_whose_results_are_lost_meanwhile_is_computed_whole(own: Desk) -> None:
    days = own.history.days()[-DAYS:]
    fill(own, days[0])
    folder: Path = own.history.folder.parents[1]  # type: ignore[attr-defined]
    expected = files(folder)
    gaps = iv_history.find_gaps(own, days[0])
    (folder / "volatility" / MARKET / "expiries" / f"{days[1]}.parquet").write_bytes(b"cut")
    again = replace(gaps, repriced=tuple(days))
    assert not [item for item in iv_history.collect(own, again, HereWorkers()) if item.error]
    assert files(folder) == expected


def test_what_a_worker_wrote_is_taken_in_without_working_again(
    desk: Desk, first: date, expected: dict[str, bytes], other: Path, drawn_home: Path
) -> None:
    """The store was lost, or the run was killed between the partition and the store."""
    (other / "volatility").symlink_to(drawn_home / "volatility")
    fresh = open_desk(MARKET, home=other)
    gaps = iv_history.find_gaps(fresh, first)
    assert (len(gaps.todo), len(gaps.ready)) == (0, DAYS)
    assert not [item for item in fill(fresh, first) if item.error]
    ours, theirs = (d.store.iv_history(d.day, first=first) for d in (fresh, desk))
    assert ours.equals(theirs)
    assert len(ours)


def test_progress_is_reported_for_each_day(desk: Desk, first: date) -> None:
    seen: list[tuple[int, int]] = []
    gaps = iv_history.find_gaps(desk, first)
    list(iv_history.collect(desk, gaps, HereWorkers(), progress=lambda *two: seen.append(two)))
    assert seen == [(n, DAYS) for n in range(DAYS + 1)]


def test_a_range_without_days_names_the_command_to_run(desk: Desk) -> None:
    with pytest.raises(MissingHistory, match="a synthetic market has no others"):
        iv_history.find_gaps(desk, "2099-01-01")
    with pytest.raises(MissingHistory, match="strikeloom data fetch --from 2099-01-01"):
        iv_history.find_gaps(replace(desk, market="nse"), "2099-01-01")
    with pytest.raises(SettingsError, match="not a date"):
        iv_history.find_gaps(desk, "soon")


class _Failing:
    """Workers one of whose days cannot be read."""

    def __init__(self, bad: date) -> None:
        self.bad = bad

    def run(self, work: Callable[[Any], None], items: Sequence[Any]) -> Iterator[Done]:
        def one(item: date) -> None:
            if item == self.bad:
                raise DataError("the file is damaged")
            work(item)

        return HereWorkers().run(one, items)


def test_a_failed_day_is_reported_and_does_not_stop_the_others(desk: Desk, first: date) -> None:
    bad = desk.history.days()[-3]
    gaps = iv_history.find_gaps(desk, first)
    collected = iv_history.collect(desk, gaps, _Failing(bad))
    output = iv_history.save(desk, "run", gaps, collected)
    assert output.result.outputs["days"] == DAYS - 1
    assert f"{bad} could not be computed: the file is damaged" in output.result.warnings
    assert iv_history.find_gaps(desk, first).todo == (bad,)


def test_a_day_collected_late_counts_in_the_ranks_of_later_days(desk: Desk, first: date) -> None:
    bad = desk.history.days()[-3]
    gaps = iv_history.find_gaps(desk, first)
    iv_history.save(desk, "one", gaps, iv_history.collect(desk, gaps, _Failing(bad)))
    gaps = iv_history.find_gaps(desk, first)
    iv_history.save(desk, "two", gaps, iv_history.collect(desk, gaps, HereWorkers()))
    name, ranks = next(iter(desk.store.ranks(desk.day).items()))
    assert ranks.atm_iv is not None
    samples = [rank.sample for rank in desk.store.rank_history(name, desk.day)]
    assert samples == [1, 2, 3, 4, 5]


def test_days_of_a_run_that_stopped_before_it_ranked_are_ranked_by_the_next(
    desk: Desk, first: date
) -> None:
    stopped = iv_history.collect(desk, iv_history.find_gaps(desk, first), HereWorkers())
    next(stopped), next(stopped)
    gaps = iv_history.find_gaps(desk, first)
    assert len(gaps.todo) == DAYS - 2
    iv_history.save(desk, "next", gaps, iv_history.collect(desk, gaps, HereWorkers()))
    days = desk.history.days()[-DAYS:]
    name = next(iter(desk.store.ranks(desk.day)))
    assert [rank.day for rank in desk.store.rank_history(name, desk.day)] == days


def test_days_ranked_over_other_windows_are_ranked_again(desk: Desk, first: date) -> None:
    def save(chosen: IvSettings) -> list[IvRank]:
        changed = replace(desk, settings=desk.settings.model_copy(update={"iv": chosen}))
        gaps = iv_history.find_gaps(changed, first)
        iv_history.save(changed, "run", gaps, iv_history.collect(changed, gaps, HereWorkers()))
        name = next(iter(desk.store.ranks(desk.day)))
        return desk.store.rank_history(name, desk.day)

    before = save(desk.settings.iv.model_copy(update={"windows": {3: 2}}))
    assert [[w.sessions for w in row.windows] for row in before] == [[3]] * DAYS
    after = save(desk.settings.iv)
    assert [[w.sessions for w in row.windows] for row in after] == [[21, 63, 126, 252]] * DAYS


def test_the_desk_s_own_day_must_not_fail(desk: Desk, first: date) -> None:
    gaps = iv_history.find_gaps(desk, first)
    with pytest.raises(DataError, match="the file is damaged"):
        iv_history.save(desk, "run", gaps, iv_history.collect(desk, gaps, _Failing(desk.day)))


@contextmanager
def child(home: Path, first: date, processes: int) -> Iterator[subprocess.Popen[str]]:
    words = [str(home), MARKET, str(first), str(processes)]
    made = subprocess.Popen(
        [sys.executable, str(SCRIPT), *words], stdout=subprocess.PIPE, text=True
    )
    try:
        yield made
    finally:
        made.kill()
        made.wait(20)


@pytest.mark.parametrize(("processes", "after"), [(1, 1), (2, 2)])
def test_killed_it_goes_on_and_ends_the_same(
    other: Path, first: date, expected: dict[str, bytes], processes: int, after: int
) -> None:
    with child(other, first, processes) as running:
        assert running.stdout is not None
        reported = [running.stdout.readline().split()[0] for _ in range(after)]
        running.send_signal(signal.SIGKILL)
    desk = open_desk(MARKET, home=other)
    gaps = iv_history.find_gaps(desk, first)
    assert not {str(day) for day in gaps.todo} & set(reported)
    assert not [item for item in fill(desk, first) if item.error]
    assert files(other) == expected


def test_processes_write_the_same_bytes(
    other: Path, first: date, expected: dict[str, bytes]
) -> None:
    outcomes = fill(open_desk(MARKET, home=other), first, ProcessWorkers(2))
    assert len(outcomes) == DAYS
    assert files(other) == expected


def test_a_lost_process_loses_nothing(tmp_path: Path) -> None:
    items = [tmp_path / name for name in "ab"]
    outcomes = list(ProcessWorkers(2).run(failing_work.once, items))
    assert sorted(item.item for item in outcomes) == items
    assert not any(item.error for item in outcomes)


def test_processes_lost_again_and_again_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="is memory short"):
        list(ProcessWorkers(1).run(failing_work.always, [tmp_path]))


def test_two_dask_workers_write_the_same_bytes_and_losing_one_loses_nothing(
    other: Path, first: date, expected: dict[str, bytes]
) -> None:
    distributed: Any = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        with distributed.Client(address, set_as_default=False) as client:
            workers = client.run(os.getpid)
        desk = open_desk(MARKET, home=other)
        gaps = iv_history.find_gaps(desk, first)
        done = iv_history.collect(desk, gaps, ClusterWorkers(address))
        outcomes = [next(done)]
        os.kill(sorted(workers.values())[0], signal.SIGKILL)
        outcomes += list(done)
    assert sorted(item.item for item in outcomes) == list(gaps.todo)
    assert not any(item.error for item in outcomes)
    assert files(other) == expected


def test_a_cluster_that_does_not_respond_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("strikeloom.adapters.workers.cluster._CONNECT_SECONDS", 0.5)
    with pytest.raises(SettingsError, match="no cluster responds"):
        list(ClusterWorkers("tcp://127.0.0.1:9").run(print, [1]))
