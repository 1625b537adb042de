from __future__ import annotations

import pytest

from strikeloom.desk import keys
from strikeloom.desk.dhan import live_account, wire
from strikeloom.desk.modes import MODE, choose_mode
from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Mode
from strikeloom.settings.all import Settings, load_settings

LOCAL = {
    "STRIKELOOM_DHAN_REST": "http://127.0.0.1:1/v2",
    "STRIKELOOM_DHAN_FEED": "ws://127.0.0.1:1/feed",
    "STRIKELOOM_DHAN_ORDERS": "ws://127.0.0.1:1/orders-ws",
}


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.delenv(MODE)
    monkeypatch.setattr(keys, "env_file", lambda: tmp_path / ".env")


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAN_CLIENT_ID", "1000000042")
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", "marked-token")


@pytest.fixture
def local(keyed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)


def _set(mode: str) -> Settings:
    settings = load_settings()
    return settings.model_copy(update={"desk": settings.desk.model_copy(update={"mode": mode})})


@pytest.mark.parametrize("asked", [None, "", "auto", "replay", Mode.REPLAY])
def test_replay_is_what_there_is_without_a_broker(asked: str | None) -> None:
    assert choose_mode(asked, _set("auto"), "nse") is Mode.REPLAY


def test_a_broker_makes_it_simulate_and_a_local_exchange_paper(
    keyed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_mode("", _set("auto"), "nse") is Mode.SIMULATE
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)
    assert choose_mode("", _set("auto"), "nse") is Mode.PAPER
    monkeypatch.setenv("STRIKELOOM_MARKET", "synthetic-3")
    assert choose_mode("", _set("auto"), "nse") is Mode.REPLAY
    assert choose_mode("", _set("auto"), "synthetic-3") is Mode.PAPER
    with pytest.raises(SettingsError, match="exchange serves synthetic-3"):
        live_account(Mode.PAPER, "nse", wire())


def test_a_broker_s_keys_change_nothing_for_a_made_market(keyed: None) -> None:
    assert choose_mode("", _set("auto"), "synthetic-7") is Mode.REPLAY


def test_asked_wins_over_the_environment_over_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert choose_mode("", _set("alert"), "nse") is Mode.ALERT
    monkeypatch.setenv(MODE, "paper")
    assert choose_mode("", _set("alert"), "nse") is Mode.PAPER
    assert choose_mode("simulate", _set("alert"), "nse") is Mode.SIMULATE


def test_live_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"mode live is refused: live.allowed is off.*armed"):
        choose_mode("live", _set("auto"), "nse")
    with pytest.raises(SettingsError, match="mode live is refused"):
        choose_mode("", _set("live"), "nse")


def test_an_unknown_mode_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="'repaly'; did you mean replay"):
        choose_mode("repaly", _set("auto"), "nse")


@pytest.mark.parametrize("mode", [Mode.SIMULATE, Mode.PAPER, Mode.ALERT])
def test_without_keys_a_mode_reports_what_it_needs(mode: Mode) -> None:
    with pytest.raises(SettingsError, match=f"mode {mode} needs DHAN_CLIENT_ID and DHAN_ACCESS"):
        live_account(mode, "nse", wire())


def test_accounts_are_named_without_the_client_id(local: None) -> None:
    assert live_account(Mode.PAPER, "synthetic-7", wire()) == "paper:local"


def test_an_alert_account_is_a_hash(keyed: None) -> None:
    # the first twelve characters of sha256 of 1000000042, by coreutils
    assert live_account(Mode.ALERT, "nse", wire()) == "dhan:9242ad60a149"
    assert live_account(Mode.SIMULATE, "nse", wire()) == "sim"


def test_real_and_local_are_never_mixed(keyed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="paper needs a local exchange"):
        live_account(Mode.PAPER, "nse", wire())
    with pytest.raises(SettingsError, match="mode alert is for market nse"):
        live_account(Mode.ALERT, "synthetic-7", wire())
    monkeypatch.setenv("STRIKELOOM_DHAN_REST", LOCAL["STRIKELOOM_DHAN_REST"])
    with pytest.raises(SettingsError, match="do not all lead to this machine"):
        wire()
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="lead to a local exchange; use mode paper"):
        live_account(Mode.SIMULATE, "nse", wire())


def test_an_address_elsewhere_is_never_given_orders(
    keyed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value.replace("127.0.0.1", "example.org"))
    with pytest.raises(SettingsError, match="do not all lead to this machine"):
        wire()


def test_what_is_configured_shows_no_secret(keyed: None) -> None:
    text = repr(wire())
    assert "marked-token" not in text
    assert "1000000042" not in text
