"""Commands that use a broker: here always a local exchange."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.stream import FeedStream
from strikeloom.desk import keys, open_desk
from strikeloom.domain.orders import Fill, IntentState
from support.fakes import option
from support.local_exchange import LocalExchange, local_exchange
from support.trading_records import intent

START = FeedStream.start

HEAD = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,"
    "SYMBOL_NAME,DISPLAY_NAME,INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,"
    "OPTION_TYPE,TICK_SIZE,\n"
)
ROW = (
    "NSE,D,40001,NA,OPTIDX,26000,NIFTY,NIFTY-Feb2026-25000-CE,NIFTY 24 FEB 25000 CALL,OP,NA,65.0,"
    "2026-02-24,25000.00000,CE,5.0000,\n"
)


@pytest.fixture
def local(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keys, "env_file", lambda: tmp_path / ".env")
    with local_exchange(tmp_path / "exchange", limits=False) as served:
        for name, value in served.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STRIKELOOM_MARKET", "synthetic-7")
        monkeypatch.setenv("DHAN_CLIENT_ID", served.client_id)
        monkeypatch.setenv("DHAN_ACCESS_TOKEN", served.token)
        yield served


def test_lists_are_imported_fetched_and_shown(call, local: LocalExchange, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(HEAD + ROW)
    result = call("data", "instruments", str(path), "--date", "2026-02-10", "--json")
    body = json.loads(result.out)
    assert (body["layout"], body["read"], body["kept"]) == ("detailed", 1, 1)
    result = call("data", "instruments", "--fetch")
    assert result.code == 0
    assert "list of 2026-02-11: detailed layout" in result.out  # the exchange's day
    assert "2026-02-10, 2026-02-11" in call("data", "instruments").out


def test_a_bad_list_is_refused_with_exit_code_1(call, local: LocalExchange, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("<html>busy</html>")
    result = call("data", "instruments", str(path))
    assert result.code == 1
    assert "not an instrument list" in result.err
    assert call("data", "instruments", str(path), "--fetch").code == 2


def test_doctor_names_what_answers_and_what_does_not(
    call, local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = call("doctor", "--json")
    found = {row["what"]: row for row in json.loads(result.out)}
    assert found["broker"]["verdict"] == "good"
    assert "a local exchange answers requests" in found["broker"]["detail"]
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", "marked-dead-token")
    result = call("doctor", "--json")
    found = {row["what"]: row for row in json.loads(result.out)}
    assert found["broker"]["verdict"] == "failed"
    assert "DH-901" in found["broker"]["detail"]
    assert "marked-dead-token" not in result.out + result.err
    monkeypatch.delenv("DHAN_ACCESS_TOKEN")
    found = {row["what"]: row for row in json.loads(call("doctor", "--json").out)}
    assert "none configured" in found["broker"]["detail"]


def test_quotes_come_through_the_port_in_a_replay(call, traded) -> None:
    result = call("quotes", "SYNDEX", "--json")
    body = json.loads(result.out)
    assert body["spots"][0]["symbol"] == "SYNDEX"
    future, *options = (row["contract"] for row in body["quotes"])
    assert future.endswith(":FUT")
    assert len(options) == 12
    assert all(row["quote"]["bid"] <= row["quote"]["ask"] for row in body["quotes"] if row["quote"])
    held = {leg.instrument.key for p in traded.store.positions() for leg in p.legs if leg.net_units}
    body = json.loads(call("quotes", "--open-positions", "--json").out)
    assert {row["contract"] for row in body["quotes"]} == held
    assert "mode replay" in call("quotes", "--open-positions").out


def test_quotes_name_a_missing_contract(call, planned) -> None:
    assert call("quotes").code == 2
    assert call("quotes", "SYNDEX", "--open-positions").code == 2
    result = call("quotes", "UNLISTED")
    assert result.code == 1
    assert "UNLISTED" in result.err
    assert "no position" in call("quotes", "--open-positions").out
    assert call("quotes", option(25_000).key).code == 1


def _ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dhan-")]


def test_a_command_closes_its_connections(
    call, local: LocalExchange, drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instrument = option(25_000)
    local.market.show(instrument, 99_00, 100_00)
    begun = []
    monkeypatch.setattr(FeedStream, "start", lambda self: (begun.append(1), START(self)))
    result = call("quotes", instrument.key, "--mode", "paper", "--market", "synthetic-7")
    assert result.code == 0, result.err
    assert begun
    assert _ours() == []
    result = call("quotes", instrument.key, "NOPE", "--mode", "paper", "--market", "synthetic-7")
    assert result.code == 1  # an error closes as well
    assert _ours() == []


def test_an_unknown_underlying_is_answered_with_the_nearest(call, drawn_home: Path) -> None:
    result = call("quotes", "SYNDX", "--market", "synthetic-7")
    assert result.code == 1
    assert "market synthetic-7 has no underlying SYNDX; the nearest: SYNDEX" in result.err
    result = call("quotes", "NOPE", "--market", "synthetic-7")
    assert "has no underlying NOPE; the nearest: " in result.err
    assert "csv" not in result.err


def test_positions_of_every_kind_are_quoted_in_order(call, drawn_home: Path) -> None:
    keys = ["AVANTIKA:SHARE", "AVANTIKA:2026-06-30:FUT", "AVANTIKA:2026-06-30:150000:CE"]
    with open_desk("synthetic-7") as desk:
        now = desk.clock.now()
        for n, key in enumerate(reversed(keys)):
            made = intent(
                account=desk.account, market=desk.market, leg=n, created_at=now,
                instrument=desk.instruments.instrument(key, now.date()), units=500,
                state=IntentState.FILLED,
            )  # fmt: skip
            desk.store.record_intents([made])
            filled = Fill(f"F{n}", "E1", made.correlation_id, key, made.side, 500, 100_00, 0, now)
            desk.store.record_fills([filled])
    body = json.loads(call("quotes", "--open-positions", "--json").out)
    assert [row["contract"] for row in body["quotes"]] == keys
    assert all(row["quote"] for row in body["quotes"])


def test_a_share_of_an_unknown_company_is_answered_with_the_nearest(call, drawn_home: Path) -> None:
    result = call("quotes", "AVANTIK:SHARE", "--market", "synthetic-7")
    assert result.code == 1
    assert "has no underlying AVANTIK; the nearest: AVANTIKA" in result.err


def test_quotes_without_an_open_position_explain_it(call, drawn_home: Path) -> None:
    result = call("quotes", "--open-positions", "--market", "synthetic-7")
    assert result.code == 0
    assert "no position of replay:synthetic-7 is open, so there is nothing to quote" in result.out
    result = call("quotes", "--open-positions", "--market", "synthetic-7", "--json")
    assert json.loads(result.out) == {"spots": [], "quotes": []}


def test_arming_is_off_by_default(call, local: LocalExchange, drawn_home: Path) -> None:
    result = call("arm", "--account", "0001", "--day", "2026-02-11", "--market", "synthetic-7")
    assert result.code == 1
    assert "live.allowed is off in config/desk.yaml" in result.err
    result = call("disarm")
    assert (result.code, result.out.strip()) == (0, "no account was armed")
