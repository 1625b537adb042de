from __future__ import annotations

import pytest

from strikeloom.desk.modes import choose_mode
from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Mode
from strikeloom.settings.all import Settings, load_settings


def _set(mode: str) -> Settings:
    settings = load_settings()
    return settings.model_copy(update={"desk": settings.desk.model_copy(update={"mode": mode})})


@pytest.mark.parametrize("asked", [None, "", "auto", "replay", Mode.REPLAY])
def test_replay_is_what_there_is_without_a_broker(asked: str | None) -> None:
    assert choose_mode(asked, _set("auto")) is Mode.REPLAY


@pytest.mark.parametrize("mode", ["simulate", "paper", "alert", "live"])
def test_modes_that_need_a_broker_are_refused_by_name(mode: str) -> None:
    with pytest.raises(SettingsError, match=f"mode {mode} needs a broker.*no broker adapter"):
        choose_mode(mode, _set("auto"))
    with pytest.raises(SettingsError, match=f"mode {mode} needs a broker"):
        choose_mode("", _set(mode))


def test_an_unknown_mode_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="'repaly'; did you mean replay"):
        choose_mode("repaly", _set("auto"))
