"""Tomorrow cannot change today: the files of a later day are changed, today's bytes are not."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from strikeloom import iv_history
from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.bhavcopy.plausible.findings import CHECKS
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import HereWorkers
from strikeloom.desk import open_desk

pytestmark = pytest.mark.realdata

BEFORE, TODAY, TOMORROW = date(2026, 1, 12), date(2026, 1, 13), date(2026, 1, 14)
SYMBOLS = ("KOTAKBANK", "NIFTY", "RELIANCE", "INFY")


def contracts(shared_data: Path, day: date, symbols: tuple[str, ...] = SYMBOLS) -> list[list[str]]:
    """Some symbols of the exchange's own file."""
    name = f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv"
    with zipfile.ZipFile(shared_data / "fo_bhavcopy" / "udiff" / f"{name}.zip") as archive:
        rows = list(csv.reader(io.TextIOWrapper(archive.open(archive.namelist()[0]))))
    place = rows[0].index("TckrSymb")
    return [rows[0], *(row for row in rows[1:] if row[place] in symbols)]


def cash(shared_data: Path, day: date) -> list[list[str]]:
    path = shared_data / "cm_bhavcopy" / "daily" / f"{day}.csv.gz"
    rows = list(csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
    return [rows[0], *(row for row in rows[1:] if row[0] in SYMBOLS)]


def poisoned(rows: list[list[str]], names: tuple[str, ...]) -> list[list[str]]:
    """Every price three times what it was."""
    places = [i for i, name in enumerate(rows[0]) if name.strip() in names]
    out = [rows[0]]
    for row in rows[1:]:
        changed = list(row)
        for place in places:
            changed[place] = f"{3 * float(row[place] or 0):.2f}"
        out.append(changed)
    return out


def written(path: Path, rows: list[list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


PRICES = ("OpnPric", "HghPric", "LwPric", "ClsPric", "SttlmPric", "UndrlygPric")
CASH_PRICES = ("OPEN_PRICE", "HIGH_PRICE", "LOW_PRICE", "CLOSE_PRICE")


def stage_results(home: Path, files: list[Path]) -> tuple[dict[str, bytes], object, object]:
    """All results of stage 01 for today in a home with these files."""
    history = ParquetHistory(home / "history" / "nse", "nse")
    # prices of another day may be wrong: checks that compare with it are not what is tested here
    assert not import_paths(files, history, accept=CHECKS).refused
    desk = open_desk("nse", TODAY, home=home)
    gaps = iv_history.find_gaps(desk)
    output = iv_history.save(desk, "run", gaps, iv_history.collect(desk, gaps, HereWorkers()))
    folder = home / "volatility" / "nse"
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.parquet")}
    ranks = desk.store.ranks(TODAY)
    tables = {name: frame.to_json() for name, frame in output.tables.items()}
    return found, ranks, tables


@pytest.fixture
def known(shared_data: Path, tmp_path: Path) -> list[Path]:
    """Files of today and the day before."""
    folder = tmp_path / "files"
    return [
        written(folder / f"{kind}-{day}.csv", read(shared_data, day))
        for day in (BEFORE, TODAY)
        for kind, read in (("fo", contracts), ("cm", cash))
    ]


@pytest.mark.parametrize("tomorrow", ["as it was, with a split of 5", "poisoned"])
def test_tomorrow_changes_no_byte_of_today(
    shared_data: Path, tmp_path: Path, known: list[Path], tomorrow: str
) -> None:
    expected = stage_results(tmp_path / "alone", known)
    assert set(expected[0]) == {f"{table}/{day}.parquet" for table in ("summary", "expiries")
                                for day in (BEFORE, TODAY)}  # fmt: skip
    chains, shares = contracts(shared_data, TOMORROW), cash(shared_data, TOMORROW)
    if tomorrow == "poisoned":
        chains, shares = poisoned(chains, PRICES), poisoned(shares, CASH_PRICES)
    later = [
        written(tmp_path / "later" / "fo.csv", chains),
        written(tmp_path / "later" / "cm.csv", shares),
    ]
    home = tmp_path / "both"
    assert stage_results(home, [*known, *later]) == expected
    # the later day was there to be seen
    history = ParquetHistory(home / "history" / "nse", "nse")
    assert history.days()[-1] == TOMORROW
    assert [item.symbol for item in history.actions(TOMORROW, TOMORROW)] == ["KOTAKBANK"]


def test_a_split_moves_no_volatility(shared_data: Path, tmp_path: Path, known: list[Path]) -> None:
    """At-the-money volatility over the split of KOTAKBANK: a day's move, not a fivefold price."""
    later = [
        written(tmp_path / "later" / "fo.csv", contracts(shared_data, TOMORROW)),
        written(tmp_path / "later" / "cm.csv", cash(shared_data, TOMORROW)),
    ]
    home = tmp_path / "home"
    history = ParquetHistory(home / "history" / "nse", "nse")
    assert not import_paths([*known, *later], history).refused
    desk = open_desk("nse", TOMORROW, home=home)
    gaps = iv_history.find_gaps(desk)
    assert not [d for d in iv_history.collect(desk, gaps, HereWorkers()) if d.error]
    frame = desk.store.iv_history(TOMORROW)
    vols = frame[frame["symbol"] == "KOTAKBANK"]["atm_iv"].to_numpy()
    assert len(vols) == 3
    assert abs(vols[2] - vols[1]) < 0.03


def test_a_file_that_comes_late_is_worked_in(
    shared_data: Path, tmp_path: Path, known: list[Path]
) -> None:
    """Contracts first, cash a day later: its prices are worked in; a repeat is not."""
    home = tmp_path / "home"
    history = ParquetHistory(home / "history" / "nse", "nse")
    import_paths([path for path in known if path.name.startswith("fo")], history)
    desk = open_desk("nse", TODAY, home=home)

    def due() -> tuple[tuple[date, ...], tuple[date, ...]]:
        gaps = iv_history.find_gaps(desk)
        list(iv_history.collect(desk, gaps, HereWorkers()))
        return gaps.todo, gaps.repriced

    assert due() == ((BEFORE, TODAY), ())
    assert due() == ((), ())
    import_paths([path for path in known if path.name == f"cm-{TODAY}.csv"], history)
    assert due() == ((), (TODAY,))
    import_paths(known, history)
    assert due() == ((), (BEFORE, TODAY))
    import_paths(known, history)
    assert due() == ((), ())


def test_a_series_that_ended_for_a_demerger_has_no_volatility(
    shared_data: Path, tmp_path: Path
) -> None:
    """ITC on 2025-01-03: every contract ended that day, whatever expiry it was listed with."""
    day = date(2025, 1, 3)
    chains = contracts(shared_data, day, ("ITC", "RELIANCE"))
    home = tmp_path / "home"
    history = ParquetHistory(home / "history" / "nse", "nse")
    assert not import_paths([written(tmp_path / "fo.csv", chains)], history).refused
    desk = open_desk("nse", day, home=home)
    gaps = iv_history.find_gaps(desk)
    assert not [d for d in iv_history.collect(desk, gaps, HereWorkers()) if d.error]
    rows = desk.store.iv_history(day).set_index("symbol")
    assert rows["atm_iv_30d"].isna()["ITC"]
    assert rows["reason"]["ITC"]
    assert rows["atm_iv_30d"]["RELIANCE"] > 0.1
