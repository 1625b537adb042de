"""``strategies list`` and ``identify``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from strikeloom.strategy_creation.catalogue import TEMPLATES

Call = Callable[..., Any]


def test_every_structure_is_listed_with_its_legs_and_a_sketch(call: Call) -> None:
    result = call("strategies", "list")
    assert result.code == 0
    for template in TEMPLATES.values():
        assert f"{template.title} ({template.name})" in result.out
    assert "sell a call 1 expected moves above the forward" in result.out
    assert any("\u2800" < sign <= "\u28ff" for sign in result.out)


def test_the_list_as_json_has_the_payoff_in_percent(call: Call) -> None:
    rows = {row["name"]: row for row in json.loads(call("strategies", "list", "--json").out)}
    assert rows.keys() == TEMPLATES.keys()
    butterfly = rows["call_butterfly"]
    assert butterfly["family"] == "neutral"
    assert butterfly["legs"][0] == "sell 2 calls at the money"
    profits = [point["profit_percent"] for point in butterfly["payoff"]]
    # the wings lose what was paid
    assert profits[0] == profits[-1] == butterfly["premium_percent"] < 0 < max(profits)
    assert rows["short_straddle"]["loss"] == "unlimited"
    assert rows["short_straddle"]["naked"] is True


def test_the_page_is_printed_as_it_is_stored(call: Call) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "strategies.md"
    assert call("strategies", "list", "--markdown").out == page.read_text(encoding="utf-8")


def test_a_bag_of_legs_is_named(call: Call) -> None:
    legs = ("buy 25500 CE", "sell:2:25000:CE", "buy 24500 CE")
    assert call("identify", *legs).out.startswith("Call butterfly (call_butterfly, neutral)")
    assert json.loads(call("identify", *legs, "--json").out) == [
        {"name": "call_butterfly", "title": "Call butterfly", "family": "neutral"}
    ]
    unknown = call("identify", "buy 100 CE", "buy 110 CE")
    assert unknown.code == 1
    assert "no structure of the catalogue has the legs buy 100 CE, buy 110 CE" in unknown.err
    wrong = call("identify", "hold 100 CE")
    assert wrong.code == 2
    assert "is no leg" in wrong.err
