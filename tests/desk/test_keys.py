from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from strikeloom.desk import keys
from strikeloom.desk.keys import environment, secrets_of
from strikeloom.errors import SettingsError
from strikeloom.settings.secrets import Secret


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / ".env"
    path.write_text("STRIKELOOM_HOME=/somewhere\nDHAN_ACCESS_TOKEN=abc123\nEMPTY=\n")
    path.chmod(0o600)
    monkeypatch.setattr(keys, "env_file", lambda: path)
    monkeypatch.delenv("STRIKELOOM_HOME", raising=False)
    return path


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("abc123")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r}",
        repr({"token": secret}),
        repr([secret.reveal()]),
    ]
    assert all("abc123" not in text and "***" in text for text in shown)
    assert secret.reveal() == "abc123"
    with pytest.raises(TypeError, match="never written"):
        pickle.dumps(secret)


def test_env_file_gives_places_and_wrapped_secrets(env_file: Path) -> None:
    assert environment("STRIKELOOM_HOME") == "/somewhere"
    found = secrets_of()
    assert list(found) == ["DHAN_ACCESS_TOKEN"]
    assert found["DHAN_ACCESS_TOKEN"].reveal() == "abc123"


def test_the_process_environment_wins(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKELOOM_HOME", "/elsewhere")
    assert environment("STRIKELOOM_HOME") == "/elsewhere"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_can_read_is_refused(
    env_file: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.chmod(mode)
    monkeypatch.setenv("STRIKELOOM_HOME", "/elsewhere")  # not even then
    with pytest.raises(SettingsError, match=f"mode {mode:o}.*chmod 600") as caught:
        environment("STRIKELOOM_HOME")
    assert "abc123" not in str(caught.value)
    with pytest.raises(SettingsError):
        secrets_of()


def test_without_a_file_there_are_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "env_file", lambda: tmp_path / ".env")
    assert secrets_of() == {}
    assert environment("STRIKELOOM_NOT_SET") is None
