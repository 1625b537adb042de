"""Names of bags of legs, and the generated page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.domain.instruments import Share
from strikeloom.domain.legs import Leg
from strikeloom.errors import WrongUsage
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.describe import strategies_page
from strikeloom.strategy_creation.identify import identify
from strikeloom.strategy_creation.leg_text import parse_legs
from strikeloom.strategy_creation.model_chain import model_structure
from strikeloom.strategy_creation.sketch import shape_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "strategies.md"
#: Templates whose legs alone do not distinguish them.
ALIKE = {
    "short_put": {"short_put", "cash_secured_put"},
    "cash_secured_put": {"short_put", "cash_secured_put"},
    "poor_mans_covered_call": {"poor_mans_covered_call", "call_diagonal"},
    "call_diagonal": {"poor_mans_covered_call", "call_diagonal"},
}


def _names(legs: list[Leg]) -> set[str]:
    return {template.name for template in identify(legs)}


@pytest.mark.parametrize("name", list(TEMPLATES))
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_every_template_is_known_by_its_legs(name: str, data: st.DataObject) -> None:
    """Whatever the order, a common factor, a lot size, or a leg written in two parts."""
    legs = list(model_structure(TEMPLATES[name]).legs)
    factor, lot = data.draw(st.integers(1, 6)), data.draw(st.sampled_from([1, 65, 500]))
    scaled = []
    for leg in data.draw(st.permutations(legs)):
        share = isinstance(leg.instrument, Share)
        lots = leg.lots * factor * lot // 100 if share else leg.lots * factor
        instrument = leg.instrument if share else replace(leg.instrument, lot_size=lot)
        if share and leg.lots * factor * lot % 100:
            return
        scaled.append(replace(leg, lots=lots, instrument=instrument))
    first, *others = scaled
    if first.lots > 1:
        others += [replace(first, lots=1), replace(first, lots=first.lots - 1)]
    else:
        others.append(first)
    assert _names(others) == ALIKE.get(name, {name})


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["buy 25500 CE", "sell 2 25000 CE", "buy 24500 CE"], {"call_butterfly"}),
        (["buy 26500 CE", "sell 2 25000 CE", "buy 24500 CE"], {"broken_wing_call_butterfly"}),
        (["SELL:25000:CE:2026-02-24", "buy:25000:CE:2026-03-30"], {"call_calendar"}),
        (["sell 3 24000 pe", "buy 3 23000 pe"], {"bull_put_spread"}),
        (["buy fut", "sell 25500 CE"], {"covered_call"}),
        (["sell 25000 PE", "sell 24000 CE"], {"short_guts"}),
        (["sell 24000 PE", "sell 25000 CE"], {"short_strangle"}),
        (["sell 25000 CE", "buy 25000 CE 2026-03-30"], None),
        (["buy 25000 CE", "buy 25000 CE", "buy 24000 CE"], set()),
        (["buy 25000 CE", "sell 25000 CE"], set()),
    ],
)
def test_legs_as_people_write_them(texts: list[str], names: set[str] | None) -> None:
    if names is None:
        with pytest.raises(WrongUsage, match="some options have an expiry and some have none"):
            parse_legs(texts)
    else:
        assert _names(parse_legs(texts)) == names


def test_shares_are_counted_by_the_lot() -> None:
    assert _names(parse_legs(["buy 1000 share", "sell 2 105 CE"], lot=500)) == {"covered_call"}
    assert _names(parse_legs(["buy 500 share", "sell 2 105 CE"], lot=500)) == set()


@pytest.mark.parametrize(
    "text",
    ["", "hold 100 CE", "buy CE", "buy 0 100 CE", "buy 1 2 100 CE", "buy 100 XX", "buy x 100 CE",
     "buy 100 CE 2026-13-01"],
)  # fmt: skip
def test_a_text_that_is_no_leg_is_named(text: str) -> None:
    with pytest.raises(WrongUsage, match="is no leg"):
        parse_legs([text])


def test_the_page_is_current() -> None:
    """After a change: ``strikeloom strategies list --markdown > docs/strategies.md``."""
    assert PAGE.read_text(encoding="utf-8") == strategies_page(TEMPLATES.values())


def test_a_sketch_rises_and_falls_as_its_payoff() -> None:
    call, put = (shape_of(TEMPLATES[name]).lines for name in ("long_call", "long_put"))
    assert len(call) == len(put) == 4
    assert all(len(line) == 30 for line in (*call, *put))
    blank = "\u2800"
    assert call[0].startswith(blank)
    assert not call[0].endswith(blank)
    assert put[0].endswith(blank)
    assert not put[0].startswith(blank)
