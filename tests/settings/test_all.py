"""Settings: every file loads, every mistake is explained with file, key, value and remedy."""

from __future__ import annotations

import shutil
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
    assert settings.iv.windows == {1: 20, 3: 40, 6: 80, 12: 160}
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
        ("allocation", "min_score: 0.35", "", "key min_score is missing"),
        ("iv", "rate: 0.065", "rate: 6.5", "rate is 6.5"),
        ("iv", "elevated: 60", "elevated: 90", "must ascend"),
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


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "iv.yaml").unlink()
    with pytest.raises(SettingsError, match=r"iv\.yaml is missing"):
        load_settings(folder)


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "iv.yaml").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="holds no settings"):
        load_settings(folder)
