"""status, iv, explain, doctor and data: they change nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from strikeloom.cli import checks
from strikeloom.cli.iv import _legend
from strikeloom.domain.folders import config_folder
from strikeloom.domain.instruments import as_option
from strikeloom.errors import SettingsError
from strikeloom.nse.edges import ending
from strikeloom.nse.sessions import calendar, next_trading_day
from strikeloom.ports.desk import Desk
from strikeloom.strategy_creation.catalogue import TEMPLATES

Call = Callable[..., Any]


def test_status_of_an_empty_home_generates_nothing(call: Call, home: Path) -> None:
    result = call("status")
    assert result.code == 0
    assert "no data yet" in result.out
    assert not (home / "history").exists()


def test_status_shows_runs_and_replay(call: Call, traded: Desk) -> None:
    result = call("status")
    assert "replay at 2026-06-11 09:15" in result.out
    for row in traded.store.runs():
        assert str(row["run_id"]) in result.out
    body = json.loads(call("status", "--json").out)
    held = [leg.instrument for it in traded.store.positions() for leg in it.legs if leg.net_units]
    first = min(as_option(instrument).expiry for instrument in held)
    assert body["next_end"] == str(first)
    assert f"the next contract ends on {first}" in result.out
    assert body["market"] == "synthetic-7"
    assert body["open_positions"] == len(traded.store.positions())
    assert body["days"] == {"first": "2026-01-28", "last": "2026-06-10", "count": 90}


def test_status_names_contracts_that_ended_and_wait_for_their_settlement(
    call: Call, traded: Desk
) -> None:
    held = [leg.instrument for it in traded.store.positions() for leg in it.legs if leg.net_units]
    first = min(as_option(instrument).expiry for instrument in held)
    ended = {one.label for one in held if as_option(one).expiry == first}
    later = {as_option(one).expiry for one in held} - {first}
    traded.store.set_replay_time(ending(first))
    result = call("status")
    assert f"the next contract ends on {first}" not in result.out
    assert "ended and not settled yet" in result.err
    body = json.loads(call("status", "--json").out)
    assert body["unsettled"] == sorted(ended)
    assert body["next_end"] == (str(min(later)) if later else None)


def test_the_contract_note_of_a_day_is_shown_beside_what_is_booked(
    call: Call, traded: Desk
) -> None:
    body = json.loads(call("contract-note", "--json").out)
    charges, fills = body["charges"], traded.store.fills()
    assert body["day"] == str(fills[0].at.date()) == "2026-06-11"
    assert body["booked"] == sum(fill.charges for fill in fills) > 0
    named = [name for name in charges["all"] if name != "total"]
    assert charges["all"]["total"] == sum(charges["all"][name] for name in named)
    gap = sum(part["paise"] for part in body["differences"])
    assert charges["all"]["total"] == body["booked"] + gap
    assert charges["derivatives"]["stt"] % 100 == charges["derivatives"]["stamp"] % 100 == 0
    traded_for = sum(part["bought"] - part["sold"] for part in body["segments"])
    assert body["net_payable"] == traded_for + charges["all"]["total"]
    shown = call("contract-note", "--date", "2026-06-11").out
    assert "Contract note of 2026-06-11, account replay:synthetic-7" in shown
    assert "booked with the fills" in shown
    assert "has no trade of 2026-06-10" in call("contract-note", "--date", "2026-06-10").out
    assert call("contract-note", "--date", "2026-06-13").code == 2  # a Saturday


def test_iv_shows_history_and_rank(call: Call, planned: Desk) -> None:
    symbol, rank = next(
        (s, r) for s, r in planned.store.ranks(planned.day).items() if r.percentile is not None
    )
    result = call("iv", symbol.lower(), "--from", "2026-06-01")
    assert result.code == 0
    assert result.out.count("2026-06-") == 8
    assert (rank.window_sessions, rank.sample) == (126, 90)
    assert f"percentile {rank.percentile:.0f} of the last 90 of 126 sessions" in result.out
    assert "252 sessions: 90 of 160 days needed" in result.out


def test_iv_after_the_last_stored_day_names_it(call: Call, planned: Desk) -> None:
    result = call("iv", "NIFTY", "--from", "2027-01-01")
    assert result.code == 2
    assert "--from 2027-01-01 is after the last stored day, 2026-06-10" in result.err


def test_iv_explains_its_remarks_about_other_tenors() -> None:
    lines = dict(_legend([{"flags": "flat_7d stale_spot"}, {"flags": "flat_90d"}, {"flags": ""}]))
    assert list(lines) == ["flat_7d", "flat_90d"]
    assert "7 days ahead" in lines["flat_7d"]
    assert "nearest expiry" in lines["flat_90d"]


def test_iv_as_json_is_one_object_a_day_with_every_null_explained(
    call: Call, planned: Desk
) -> None:
    symbol, rank = next(
        (s, r) for s, r in planned.store.ranks(planned.day).items() if r.percentile is not None
    )
    days = json.loads(call("iv", symbol, "--json").out)
    assert len(days) == 90
    keys = (
        "date vix_method atm_iv_7d atm_iv_30d atm_iv_60d atm_iv_90d model_free_30d rr25_30d "
        "bf25_30d rv20 percentile_1y sample_1y regime quality reason"
    )
    for day in days:
        assert set(keys.split()) <= set(day)
        numbers = keys.split()[2:10]  # the first is the exchange's method: not of every symbol
        for key in (key for key in numbers if day[key] is None):
            assert key in day["reason"] or day["atm_iv_30d"] is None, (key, day)
        assert day["atm_iv_30d"] is not None or day["reason"]
        assert day["percentile_1y"] is None  # 90 of 160 days
        assert "days needed" in day["reason"] or "not ranked" in day["reason"]
    assert (days[-1]["date"], days[-1]["sample_1y"]) == ("2026-06-10", 90)
    assert days[-1]["percentile"] == pytest.approx(rank.percentile)
    assert 0.05 < days[-1]["atm_iv_30d"] < 1.5


def test_iv_of_an_unknown_symbol_names_it(call: Call, planned: Desk) -> None:
    result = call("iv", "NOTHERE")
    assert result.code == 1
    assert "no volatility of NOTHERE" in result.err


def test_iv_from_no_day_is_refused_by_name(call: Call, planned: Desk) -> None:
    result = call("iv", "NIFTY", "--from", "2026-3-1")
    assert result.code != 0
    assert "--from '2026-3-1' is not a day" in result.err


def test_doctor_reads_the_events_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(config_folder(), tmp_path / "config"))
    monkeypatch.setenv("STRIKELOOM_CONFIG", str(folder))
    assert re.fullmatch(f"{folder} is valid, \\d+ known events", checks._settings())
    with (folder / "events.csv").open("a", encoding="utf-8") as file:
        file.write("tomorrow,,,,other,t,2026-01-01,,x\n")
    with pytest.raises(SettingsError, match="'tomorrow' is not a day"):
        checks._settings()


def test_explain_shows_known_events(
    call: Call, planned: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    symbol, soon = planned.store.proposals(planned.day)[0].symbol, planned.day + timedelta(days=2)
    path = tmp_path / "events.csv"
    path.write_text(
        "date,time,symbols,sector,kind,title,known_from,known_until,source\n"
        f"{soon},17:00,{symbol},,results,Results of a quarter,{planned.day},,a notice\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("strikeloom.nse.events.own_events", lambda: path)
    shown = " ".join(call("explain", symbol).out.split())
    assert f"Known event: Results of a quarter on {soon} at 17:00 (results; a notice)" in shown
    (event,) = json.loads(call("explain", symbol, "--json").out)["events"]
    assert (event["day"], event["at"], event["symbols"]) == (f"{soon}", "17:00", [symbol])


def test_explain_names_what_was_and_what_was_not_proposed(call: Call, planned: Desk) -> None:
    proposal = planned.store.proposals(planned.day)[0]
    result = call("explain", proposal.symbol)
    assert proposal.strategy_id in result.out
    assert all(reason in result.out for reason in proposal.reasons)
    body = json.loads(call("explain", proposal.symbol, "--json").out, parse_constant=pytest.fail)
    endings = {row["template"]: row["ending"] for row in body["outcomes"]}
    assert len(body["outcomes"]) == len(TEMPLATES)  # each with an answer
    assert endings.keys() == TEMPLATES.keys()
    picked = [name for name, ending in endings.items() if ending == "picked"]
    assert sorted(picked) == sorted(row["template"] for row in body["proposals"])
    first = next(row for row in body["proposals"] if row["id"] == proposal.strategy_id)
    assert [leg["price"] for leg in first["legs"]] == [leg.price for leg in proposal.legs]
    outcome = next(row for row in body["outcomes"] if row["template"] == first["template"])
    for name in ("legs", "funds", "expected_value", "error"):
        assert first[name] == outcome[name], name
    assert first["funds"] > 0
    assert call("explain", "NOTHERE").code == 1


def test_doctor_goes_on_after_a_failure(
    call: Call, drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("doctor").code == 0

    def broken() -> str:
        raise SettingsError("made to fail")

    looks = (("first", broken), ("second", lambda: "fine"))
    monkeypatch.setattr(checks, "_CHECKS", looks)
    result = call("doctor")
    assert result.code == 1
    assert result.out.splitlines() == ["FAIL  first: made to fail", "ok    second: fine"]
    assert [row["verdict"] for row in json.loads(call("doctor", "--json").out)] == [
        "failed",
        "good",
    ]


def test_doctor_warns_while_next_years_holidays_are_not_published(
    call: Call, drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(day: date) -> list[str]:
        looks = (("calendar", lambda: checks.calendar_ahead(day)),)
        monkeypatch.setattr(checks, "_CHECKS", looks)
        result = call("doctor")
        return [str(result.code), result.out.rstrip()]

    last = calendar().last
    december = date(last.year, 12, 15)
    assert on(december - timedelta(days=60))[0] == "0"
    code, line = on(december)
    assert code == "0"  # trading goes on
    assert line.startswith(f"warn  calendar: the next session is {next_trading_day(december)}; ")
    assert f"add the holidays of {last.year + 1} to " in line
    # on the last day the next session is not known, and after it today is not either
    assert on(last)[0] == on(last + timedelta(days=5))[0] == "1"
    assert "sessions.csv" in on(last)[1]


def test_doctor_lists_only_markets_with_stored_days(call: Call, drawn_home: Path) -> None:
    (drawn_home / "history" / "nse").mkdir()
    assert "ok    markets: synthetic-7\n" in call("doctor").out


def test_data_status_lists_markets(call: Call, drawn_home: Path) -> None:
    assert "synthetic-7  2026-01-28  2026-06-10    90        0" in call("data", "status").out
    (row,) = json.loads(call("data", "status", "--json").out)
    assert (row["market"], row["days"], row["missing"]) == ("synthetic-7", 90, [])


def test_a_file_of_another_kind_is_refused_by_name(call: Call, home: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "fo.csv"
    wrong.write_text("a,b\n1,2\n")
    result = call("data", "import", str(wrong))
    assert result.code == 1
    assert result.err.startswith("error: refused: ")
    assert result.err.count("fo.csv") == 1
    assert "0 files imported, 1 refused" in result.out
    gone = call("data", "import", str(tmp_path / "gone.csv"))
    assert gone.code == 1
    assert gone.err.count("gone.csv") == 1
    assert "strikeloom data fetch --from DAY" in gone.err
    assert not (home / "history").exists()


@pytest.mark.realdata
def test_real_days_go_in_twice_the_same(call: Call, home: Path, shared_data: Path) -> None:
    files = sorted((shared_data / "fo_bhavcopy" / "udiff").glob("*2026021[01]*"))[:2]
    assert files
    result = call("data", "import", *map(str, files), "--json")
    assert result.code == 0
    assert all(row["new"] == row["rows"] for row in json.loads(result.out)["files"])
    again = json.loads(call("data", "import", *map(str, files), "--json").out)
    assert {(row["status"], row["new"]) for row in again["files"]} == {("same", 0)}
