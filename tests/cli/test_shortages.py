"""shortages, and how status and doctor name shares that are owed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from strikeloom.adapters.sqlite.store import open_store
from strikeloom.cli import checks, inspection, shortages
from strikeloom.desk import open_desk
from support.desk import ACCOUNT, MARKET
from support.mixed_legs import MixedDesk
from trading.killed_shortage import owing, stated

Call = Callable[..., Any]


@pytest.fixture
def made(planned_home: Path, monkeypatch: pytest.MonkeyPatch) -> MixedDesk:
    """The desk of the commands owes 200 RELIANCE since 2026-02-24."""
    desk = owing(planned_home)
    monkeypatch.setattr(shortages, "desk_of", lambda *_, **__: desk.desk)
    seen = replace(desk.desk, history=open_desk("synthetic").history)
    monkeypatch.setattr(inspection, "desk_of", lambda *_, **__: seen)
    return desk


def _book(made: MixedDesk, call: Call, *more: str, price: str = "1410.55", units: str = "200"):
    name = stated(made).position_id
    return call(
        "shortages", "book", name, "--leg", "2", "--units", units, "--price", price,
        "--date", "2026-02-25", *more,
    )  # fmt: skip


def test_the_list_names_the_command_that_books(call: Call, made: MixedDesk) -> None:
    name = stated(made).position_id
    shown = call("shortages").out
    assert f"owed: 200 RELIANCE shares since 2026-02-24 (leg 2 of {name})" in shown
    assert f"strikeloom shortages book {name} --leg 2 --units 200 --price RUPEES" in shown
    (row,) = json.loads(call("shortages", "--json").out)
    assert row == {
        "position": name, "leg": 2, "contract": "RELIANCE:SHARE", "units": 200, "price": 1_350_00,
        "since": "2026-02-24",
    }  # fmt: skip
    assert call("shortages", "--json", "book", name).code == 2


def test_a_booking_in_parts_and_its_repeat(call: Call, made: MixedDesk) -> None:
    half = _book(made, call, units="100")
    assert half.code == 0
    assert "100 shares at ₹1,410.55 each on 2026-02-25 are booked" in half.out
    assert "owed: 100 RELIANCE shares" in half.out
    assert "booked before; nothing was changed" in _book(made, call, units="100").out
    rest = _book(made, call, "--reference", "N7", "--charges", "47.20", units="100")
    assert (rest.code, "owed" in rest.out) == (0, False)
    assert "owes no shares" in call("shortages").out
    (position,) = made.store.positions(open_only=False)
    assert position.legs[2].charges == 47_20


def test_refusals_are_wrong_usage_with_the_numbers(call: Call, made: MixedDesk) -> None:
    far = _book(made, call, price="14105.50")
    assert (far.code, "off the range ₹1,080.00 to ₹1,632.00" in far.err) == (2, True)
    assert _book(made, call, units="300").code == 2
    assert _book(made, call, price="0").code == 2
    assert _book(made, call, price="nan").code != 0
    assert made.store.positions()
    assert _book(made, call, "--accept-price", price="14105.50").code == 0
    assert made.store.positions() == []


def test_status_and_doctor_name_it_until_it_is_booked(call: Call, made: MixedDesk) -> None:
    text = "owed: 200 RELIANCE shares since 2026-02-24"
    assert text in call("status", "--market", "synthetic").err
    (owed,) = json.loads(call("status", "--market", "synthetic", "--json").out)["owed"]
    assert owed.startswith(text)
    store = open_store(made.home / "store.db", MARKET, ACCOUNT)
    store.set_replay_time(made.clock.now())
    late = checks._shortages()
    assert late == "no shares are owed after their auction"  # it is the evening of the auction
    made.at("2026-02-26 09:20")
    store.set_replay_time(made.clock.now())
    found = checks._shortages()
    assert text in str(getattr(found, "detail", ""))
    assert ACCOUNT in str(getattr(found, "detail", ""))
    assert _book(made, call).code == 0
    assert checks._shortages() == "no shares are owed after their auction"
    assert "owed" not in call("status", "--market", "synthetic").err
    store.close()
