"""Settings: every file loads, every mistake is explained with file, key, value and remedy."""

from __future__ import annotations

import shutil
from datetime import time
from pathlib import Path

import pytest
import yaml

from strikeloom.domain.folders import config_folder
from strikeloom.errors import SettingsError
from strikeloom.settings.all import Settings, load_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(config_folder(), tmp_path / "config"))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_project_s_own_settings_load() -> None:
    settings = load_settings()
    assert settings.iv.windows == {21: 20, 63: 40, 126: 80, 252: 160}
    assert settings.desk.live.allowed is False


def test_every_file_has_a_model_and_every_model_a_file() -> None:
    assert {path.stem for path in config_folder().glob("*.yaml")} == set(Settings.model_fields)


def test_every_value_is_explained_where_it_is_set() -> None:
    """Each top-level key, or the block that holds it, has a comment above it."""
    for path in config_folder().glob("*.yaml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("#"), path.name
        for key in yaml.safe_load(path.read_text(encoding="utf-8")):
            place = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
            block = lines[max(0, place - 1)] + lines[min(place + 1, len(lines) - 1)]
            neighbours = block + (lines[place - 2] if place > 1 else "")
            assert "#" in neighbours, f"{path.name}: {key} is not explained"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "allocation",
            "income: 0.60",
            "incom: 0.60",
            "unknown key tiers.incom; did you mean income",
        ),
        (
            "allocation",
            "share: 0.25",
            "shar: 0.25",
            "Information Technology.shar; did you mean share",
        ),
        ("allocation", "income: 0.60", "income: 0.70", "tier shares sum to 1.1, expected 1"),
        ("allocation", "max_positions: 20", "max_positions: many", "max_positions is 'many'"),
        ("allocation", "min_score: 0.0", "", "key min_score is missing"),
        ("iv", "rate: 0.065", "rate: 6.5", "rate is 6.5"),
        ("iv", "elevated: 60", "elevated: 90", "must ascend"),
        ("iv", "{21: 20, 63: 40,", "{1: 20, 3: 40,", "1 sessions cannot need 20 days"),
        ("iv", "252: 160}", "252: 0}", "252 sessions cannot need 0 days"),
        ("exits", "rule: stop_loss", "rule: stop_los", "stop_los"),
        ("desk", "market: auto", "market: [", "not valid YAML"),
        ("execution", "orders_per_second: 5", "orders_per_second: 50", "orders_per_second is 50"),
    ],
)
def test_a_mistake_is_explained(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    path = folder / f"{file}.yaml"
    _edit(path, old, new)
    with pytest.raises(SettingsError) as caught:
        load_settings(folder)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("written", ["16:30", '"16:30"', "'16:30'", "16:30:00"])
def test_a_time_means_the_same_with_and_without_quotes(folder: Path, written: str) -> None:
    """Without quotes it was 990 by YAML 1.1, and that was sixteen minutes past midnight."""
    _edit(folder / "schedule.yaml", '"16:30"', written)
    _edit(folder / "fetch.yaml", '"19:00"', "19:00")
    settings = load_settings(folder)
    assert settings.schedule.jobs[1].at == time(16, 30)
    assert settings.fetch.published == time(19, 0)


@pytest.mark.parametrize(
    ("file", "old", "new", "read"),
    [
        ("allocation", "capital: 1500000", "capital: 1_500_000", "1500000"),
        ("allocation", "capital: 1500000", "capital: 15e5", "1500000"),
        ("allocation", "capital: 1500000", "capital: '1500000'", "1500000"),
        ("allocation", "max_positions: 20", "max_positions: 020", "20"),
        ("execution", "max_attempts: 3", "max_attempts: 010", "10"),
        ("desk", "  allowed: false", "  allowed: no", "False"),
        ("desk", "  allowed: false", "  allowed: Off", "False"),
        ("desk", "  allowed: false", "  allowed: 'false'", "False"),
        ("creation", "unhedged: true", "unhedged: on", "True"),
        ("fetch", "ban_list: {since: 2012-01-01", "ban_list: {since: '2012-01-01'", "2012, 1, 1"),
        ("universe", "liquid: [NIFTY", "liquid: [NO, ON, 360ONE, Y, NIFTY", "'NO', 'ON', '360ONE'"),
        ("universe", "  indices:", "  no: [NIFTY]\n  indices:", "'no': ['NIFTY']"),
    ],
)
def test_a_value_is_what_a_person_meant(
    folder: Path, file: str, old: str, new: str, read: str
) -> None:
    _edit(folder / f"{file}.yaml", old, new)
    assert read in repr(getattr(load_settings(folder), file))


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("schedule", '"16:30"', "1630", "line 8: jobs.1.at is 1630: expected a time of day"),
        ("schedule", '"16:30"', "16.30", "line 8: jobs.1.at is 16.3: expected a time of day"),
        ("schedule", '"16:30"', "16:30Z", "jobs.1.at is '16:30Z': expected a time of day as HH:MM"),
        ("schedule", '"16:30"', "24:00", "expected a time of day from 00:00 to 23:59"),
        ("schedule", '"16:30"', "", "line 8: jobs.1.at has no value"),
        ("schedule", 'at: "16:50"', 'at: "16:50", parameters: {capital: }', "capital has no value"),
        (
            "schedule",
            'at: "16:50"',
            'at: "16:50", at: "17:50"',
            "line 10 is not valid YAML: key 'at'",
        ),
        ("fetch", "ban_list: {since: 2012-01-01", "ban_list: {since: 20120101", "is 20120101: exp"),
        ("fetch", "ban_list: {since: 2012-01-01", "ban_list: {since: 86400", "expected a day as"),
        (
            "allocation",
            "max_positions: 20",
            "max_positions: true",
            "line 14: max_positions is True",
        ),
        ("allocation", "max_positions: 20", "max_positions:", "max_positions has no value"),
        (
            "allocation",
            "capital: 1500000",
            "capital: 15,00,000",
            "capital is '15,00,000': expected",
        ),
        ("allocation", "share: 0.25", "share: yes", "share is 'yes': expected a number in digits"),
        ("allocation", "min_score: 0.0", "min_score: .nan", "min_score is nan: expected a number"),
        (
            "allocation",
            "min_score: 0.0",
            "min_score: 0.0\nmin_score: 1",
            "set twice, first on line",
        ),
        ("desk", "  allowed: false", "  allowed: 1", "live.allowed is 1: expected true or false"),
        ("desk", "  allowed: false", "  allowed: 'true '\n  allowed: false", "set twice"),
        ("desk", "market: auto", "market: 7", "market is 7: expected text; write it in quotes"),
        ("universe", "liquid: [NIFTY", "liquid: [1E5", "lists.liquid.0 is 100000.0"),
        ("universe", "liquid: [NIFTY", "liquid: [NIFTY, ~", "lists.liquid.1 has no value"),
        ("iv", "252: 160", "252: true", "windows.252 is True"),
        ("iv", "{21: 20, 63: 40", "{21: 20, 21: 40", "key 21 is set twice"),
        (
            "exits",
            "percent: 50}",
            "percent: 1:30}",
            "percent is '1:30': expected a number in digits",
        ),
    ],
)
def test_another_type_is_refused_with_its_place(
    folder: Path, file: str, old: str, new: str, expected: str
) -> None:
    path = folder / f"{file}.yaml"
    _edit(path, old, new)
    with pytest.raises(SettingsError) as caught:
        load_settings(folder)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_folder_of_settings_may_begin_with_a_tilde(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("STRIKELOOM_CONFIG", f"~/{folder.name}")
    assert config_folder() == folder


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "iv.yaml").unlink()
    with pytest.raises(SettingsError, match=r"iv\.yaml is missing"):
        load_settings(folder)


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "iv.yaml").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="holds no settings"):
        load_settings(folder)
