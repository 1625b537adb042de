from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from strikeloom.desk import markets
from strikeloom.desk.markets import open_history, resolve_market
from strikeloom.desk.places import places
from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.errors import SettingsError
from strikeloom.settings.all import load_settings

SETTINGS = load_settings()


def test_auto_is_synthetic_until_exchange_files_are_there(home: Path) -> None:
    assert resolve_market("", SETTINGS, places()) == "synthetic-7"
    (home / "history" / "nse" / "contracts").mkdir(parents=True)
    assert resolve_market("auto", SETTINGS, places()) == "synthetic-7"
    (home / "history" / "nse" / "contracts" / "2026-02-10.parquet").touch()
    assert resolve_market("auto", SETTINGS, places()) == "nse"


def test_what_is_asked_wins_over_the_environment_over_the_settings(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = SETTINGS.desk.model_copy(update={"market": "synthetic-3"})
    settings = SETTINGS.model_copy(update={"desk": desk})
    assert resolve_market("", settings, places()) == "synthetic-3"
    monkeypatch.setenv("STRIKELOOM_MARKET", "synthetic-4")
    assert resolve_market("", settings, places()) == "synthetic-4"
    assert resolve_market("synthetic-5", settings, places()) == "synthetic-5"


@pytest.mark.parametrize("name", ["bse", "synthetic-", "synthetic-x", "../nse", "nse/.."])
def test_an_unknown_market_is_refused(home: Path, name: str) -> None:
    with pytest.raises(SettingsError):
        resolve_market(name, SETTINGS, places())


def _small(_seed: int, history: Any, *, progress: Any = None) -> None:
    history.write_underlyings([Underlying("MADE", InstrumentKind.INDEX, "Index")])


def test_a_drawing_that_fails_leaves_no_market(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seed: int, history: Any, *, progress: Any = None) -> None:
        _small(seed, history)
        raise OSError("disk full")

    monkeypatch.setattr(markets, "generate_synthetic", broken)
    with pytest.raises(OSError, match="disk full"):
        open_history("synthetic-9", places())
    assert list((home / "history").iterdir()) == []
    monkeypatch.setattr(markets, "generate_synthetic", _small)
    assert open_history("synthetic-9", places()).underlyings()


def test_what_a_killed_drawing_left_is_swept_away(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = home / "history" / ".synthetic-9.abcdef"
    other = home / "history" / ".synthetic-99.abcdef"
    left.mkdir(parents=True)
    other.mkdir()
    monkeypatch.setattr(markets, "generate_synthetic", _small)
    open_history("synthetic-9", places())
    assert not left.exists()
    assert other.exists()


def _open(name: str, drawn: Any) -> None:
    def counted(seed: int, history: Any, *, progress: Any = None) -> None:
        with drawn.get_lock():
            drawn.value += 1
        _small(seed, history)

    markets.generate_synthetic = counted  # type: ignore[assignment]
    assert open_history(name, places()).underlyings()


def test_processes_at_once_draw_it_once(home: Path) -> None:
    fork = multiprocessing.get_context("fork")
    drawn = fork.Value("i", 0)
    group = [fork.Process(target=_open, args=("synthetic-9", drawn)) for _ in range(4)]
    for process in group:
        process.start()
    for process in group:
        process.join(60)
    assert [process.exitcode for process in group] == [0] * 4
    assert drawn.value == 1


def test_the_exchange_is_never_drawn(home: Path) -> None:
    assert open_history("nse", places()).days() == []
    assert not (home / "history" / "nse").exists()
